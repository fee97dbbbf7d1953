import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { PathError } from "../paths/index.ts";
import { kindOf, SecretError } from "../secrets/index.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { helpOf, readArguments, type Streams, type Verb } from "./verb.ts";

/** Finds this package by its own name. */
const own = createRequire(import.meta.url);

/** Each verb is one file, loaded when it is used. */
const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  run: async () => (await import("./run.ts")).run,
  check: async () => (await import("./check.ts")).check,
  incident: async () => (await import("./incident.ts")).incident,
  audit: async () => (await import("./audit.ts")).audit,
  redact: async () => (await import("./redact.ts")).redact,
  doctor: async () => (await import("./doctor.ts")).doctor,
  rotate: async () => (await import("./rotate.ts")).rotateVerb,
  init: async () => (await import("./init.ts")).init,
};
const aliases: Readonly<Record<string, string>> = { exec: "run" };
/** Verbs that look: 2 says that they could not. */
const looking: ReadonlySet<string> = new Set(["check", "audit", "doctor"]);

/** Runs the command line and returns the exit code. */
export async function main(argv: readonly string[], streams: Streams): Promise<number> {
  const [given = "--help", ...rest] = argv;
  if (given === "--version") {
    streams.stdout.write(`${version()}\n`);
    return 0;
  }
  if (given === "help" && rest.length > 0) return main([...rest.slice(0, 1), "--help"], streams);
  if (given === "--help" || given === "-h" || given === "help") {
    streams.stdout.write(await overview());
    return 0;
  }
  const name = Object.hasOwn(aliases, given) ? (aliases[given] ?? given) : given;
  try {
    const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (load === undefined) {
      const hint = `use one of: ${Object.keys(verbs).join(", ")}; to run a command: nopeek run -- COMMAND`;
      throw new SecretError("USAGE", `unknown verb; ${hint}`);
    }
    const verb = await load();
    const args = readArguments(verb, rest);
    if (args.flag("help")) {
      streams.stdout.write(helpOf(name, verb));
      return 0;
    }
    return await verb.run(args, streams);
  } catch (error) {
    const isOurs = error instanceof SecretError || error instanceof PathError;
    const message = isOurs ? error.message : unexpected(error);
    streams.stderr.write(`nopeek: ${message}\n`);
    const code = exitCodeOf(error);
    return looking.has(name) && code !== exitCodes.usage ? exitCodes.couldNotLook : code;
  }
}

/** Of a foreign error only its kind and our own frames are shown: the rest may hold a value. */
function unexpected(error: unknown): string {
  if ((error as NodeJS.ErrnoException | null)?.syscall === "uv_cwd") {
    return "the working directory does not exist any more; change to another one";
  }
  const here = pathToFileURL(dirname(own.resolve("nopeek/package.json"))).href;
  const stack = error instanceof Error ? String(error.stack) : "";
  const frames = stack
    .split("\n")
    .filter((line) => /^\s+at [\w.<>#[\] ]*\(?/.test(line) && line.includes(here));
  return `unexpected ${kindOf(error)}; please report it\n${frames.slice(0, 5).join("\n")}`;
}

async function overview(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(verbs).map(
      async ([name, load]) => `  ${name.padEnd(10)}${(await load()).summary}`,
    ),
  );
  return [
    "nopeek keeps credentials safe around training jobs.",
    "",
    "usage: nopeek VERB [options]",
    "",
    ...rows,
    "",
    "nopeek run -- python train.py      run with the secrets of ./.env, output redacted",
    "nopeek VERB --help                 options and examples of a verb",
    "nopeek --version",
    "",
  ].join("\n");
}

function version(): string {
  return (own("nopeek/package.json") as { version: string }).version;
}
