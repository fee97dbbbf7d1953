import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { env } from "../../adapters/env.ts";
import { configFiles } from "../config/index.ts";
import { plainReason, SecretError } from "../secrets/index.ts";
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
  const existing = configFiles.find((file) => existsSync(file));
  if (existing !== undefined) {
    throw new SecretError("USAGE", `${existing} exists already; nothing was changed`);
  }
  const say = (message: string) => void streams.stderr.write(`nopeek: ${message}\n`);
  const names = existsSync(".env") ? await secretNames(say) : [exampleSecret];
  const source = existsSync(".env") ? "dotenv://.env#" : "env://";
  const secrets = Object.fromEntries(names.map((name) => [name, `${source}${name}`]));
  const launches = { train: { command: ["python", "train.py"] } };
  const file = args.flag("json") ? "nopeek.config.json" : "nopeek.config.ts";
  const body = JSON.stringify({ secrets, launches }, null, 2);
  const text = args.flag("json")
    ? `${body}\n`
    : `import { defineConfig } from "nopeek/config";\n\nexport default defineConfig(${body});\n`;
  writeFileSync(file, text, { flag: "wx", mode: 0o644 });
  const written = [file, ...(ignoreEnvFile() ? [".gitignore"] : [])];
  streams.stdout.write(
    `wrote ${written.join(" and ")}; next: nopeek check, then nopeek run train\n`,
  );
  return 0;
}

/** The keys of `.env` that look like secrets: names only. */
async function secretNames(warn: (message: string) => void): Promise<string[]> {
  const values = await env({ onWarning: warn }).readFile(".env");
  const names = [...values].flatMap(([name, value]) => (plainReason(value) === null ? [name] : []));
  return names.length === 0 ? [exampleSecret] : names;
}

/** @returns Whether `.gitignore` was changed. */
function ignoreEnvFile(): boolean {
  const text = existsSync(".gitignore") ? readFileSync(".gitignore", "utf8") : "";
  if (text.split(/\r?\n/).some((line) => [".env", ".env*", "/.env"].includes(line.trim())))
    return false;
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  appendFileSync(".gitignore", `${separator}.env\n`);
  return true;
}
