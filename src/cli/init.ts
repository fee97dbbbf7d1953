import { existsSync, lstatSync, writeFileSync } from "node:fs";
import { env } from "../../adapters/env.ts";
import { configFiles } from "../config/index.ts";
import { assertVariableName, plainReason, SecretError } from "../secrets/index.ts";
import { ignoreSecretFiles } from "./git-ignore.ts";
import type { Arguments, Streams, Verb } from "./verb.ts";

export const init: Verb = {
  summary: "Write a configuration and keep .env out of git; values are never copied",
  usage: "[options]",
  options: {
    json: { about: "write nopeek.config.json instead of nopeek.config.ts" },
  },
  examples: ["nopeek init && nopeek check"],
  run: runInit,
};

const exampleSecret = "HF_TOKEN";

async function runInit(args: Arguments, streams: Streams): Promise<number> {
  if (args.positionals.length > 0 || args.rest !== null) {
    throw new SecretError("USAGE", "init takes no arguments");
  }
  // Also a link that leads nowhere is one that is there.
  const existing = configFiles.find((file) => lstatSync(file, { throwIfNoEntry: false }));
  if (existing !== undefined) {
    throw new SecretError("USAGE", `${existing} exists already; nothing was changed`);
  }
  const say = (message: string) => void streams.stderr.write(`nopeek: ${message}\n`);
  const found = existsSync(".env") ? await keysOf(say) : null;
  const source = found === null ? "env://" : "dotenv://.env#";
  const names = found?.secrets ?? [exampleSecret];
  const train = {
    command: ["python", "train.py"],
    ...(found?.isUsable === true && { envFiles: [".env"] }),
  };
  const config = {
    secrets: Object.fromEntries(names.map((name) => [name, `${source}${name}`])),
    launches: { train },
  };
  const file = args.flag("json") ? "nopeek.config.json" : "nopeek.config.ts";
  const body = JSON.stringify(config, null, 2);
  const text = args.flag("json")
    ? `${body}\n`
    : `import { defineConfig } from "nopeek/config";\n\nexport default defineConfig(${body});\n`;
  const written = writeBoth(file, text);
  const notes = found?.notes.map((note) => `${note}\n`) ?? [];
  streams.stdout.write(
    `wrote ${written.join(" and ")}; next: nopeek check, then nopeek run train\n${notes.join("")}`,
  );
  return 0;
}

/** First what keeps `.env` out of git, then the configuration: both or none. */
function writeBoth(file: string, text: string): string[] {
  const takeBack = attempt(".gitignore", ignoreSecretFiles);
  try {
    attempt(file, () => writeFileSync(file, text, { flag: "wx", mode: 0o644 }));
  } catch (error) {
    if (takeBack !== null) attempt(".gitignore", takeBack);
    throw error;
  }
  return [file, ...(takeBack === null ? [] : [".gitignore"])];
}

function attempt<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code = "no detail" } = error as NodeJS.ErrnoException;
    throw new SecretError(
      "USAGE",
      `${file} cannot be written (${code}); nothing was changed: check it, and whether this folder exists and can be written`,
    );
  }
}

/** What `.env` holds: names only. */
interface Keys {
  readonly secrets: readonly string[];
  /** The launch can take the rest from the file itself. */
  readonly isUsable: boolean;
  /** What the configuration leaves out. */
  readonly notes: readonly string[];
}

async function keysOf(warn: (message: string) => void): Promise<Keys> {
  const values = await env({ onWarning: warn }).readFile(".env");
  const refused = new Map([...values.keys()].flatMap((name) => refusalOf(name) ?? []));
  const usable = [...values].filter(([name]) => !refused.has(name));
  const secrets = usable.flatMap(([name, value]) => (plainReason(value) === null ? [name] : []));
  const others = usable.flatMap(([name]) => (secrets.includes(name) ? [] : [name]));
  // A launch that takes the whole file fails for a name that is none, and for one without a value.
  const isFit = refused.size === 0 && usable.every(([, value]) => value !== "");
  const notes = [...refused.values()].map((why) => `left out: ${why}`);
  if (!isFit && others.length > 0) {
    notes.push(
      `not passed to the job: ${others.join(", ")}; put them into "env" of the launch, or .env into its "envFiles" when all of its keys are names with a value`,
    );
  }
  return { secrets, isUsable: isFit && others.length > 0, notes };
}

/** Why a key can be no variable. */
function refusalOf(name: string): [[name: string, why: string]] | null {
  try {
    assertVariableName(name);
    return null;
  } catch (error) {
    return [[name, (error as SecretError).message]];
  }
}
