import { pipeline } from "node:stream/promises";
import type { RuleChoice } from "../detect/index.ts";
import { createRedactor } from "../redact/index.ts";
import { defineSecrets, SecretError, throwFailures } from "../secrets/index.ts";
import { collect, declaringOptions } from "./declared.ts";
import { holdOption, readHold } from "./hold.ts";
import { readRules, rulesOption } from "./rules.ts";
import type { Arguments, Streams, Verb } from "./verb.ts";

export const redact: Verb = {
  summary: "Copy standard input to standard output with the declared secrets masked",
  usage: "[options]",
  options: {
    ...declaringOptions,
    hold: holdOption,
    rules: rulesOption,
  },
  examples: [
    "kubectl logs job/train | nopeek redact --env-file .env",
    "nopeek redact --secret HF_TOKEN < train.log > clean.log",
  ],
  run: runRedact,
};

async function runRedact(args: Arguments, streams: Streams): Promise<number> {
  if (args.positionals.length > 0 || args.rest !== null) {
    throw new SecretError("USAGE", "redact reads standard input and takes no file or command");
  }
  streams.watchesOutput();
  const hold = readHold(args);
  const rules = readRules(args);
  const say = (message: string) => void streams.stderr.write(`nopeek: ${message}\n`);
  const declared = await collect(args, say, { execute: false });
  const resolutions = await declared.from.resolve(defineSecrets(declared.secrets));
  await declared.from.close();
  throwFailures(resolutions.flatMap(({ failure }) => (failure ? [failure] : [])));
  const plain = Object.keys(declared.plain);
  if (plain.length > 0) say(`plain, not masked: ${plain.join(", ")}`);
  if (declared.isEmpty) say(nothingDeclared(rules));
  using redactor = createRedactor({
    rules,
    secrets: [
      ...resolutions.flatMap(({ secret }) => (secret ? [secret] : [])),
      ...declared.inFiles,
    ],
  });
  try {
    await pipeline(streams.stdin, redactor.stream({ hold }), streams.stdout, { end: false });
  } catch (error) {
    const { code = "no detail" } = error as NodeJS.ErrnoException;
    // A reader that went away, such as `head`, has what it wanted.
    if (code !== "EPIPE") {
      throw new SecretError("LAUNCH_FAILED", `the text cannot be copied (${code})`);
    }
  }
  return 0;
}

function nothingDeclared(rules: RuleChoice | undefined): string {
  const masked =
    rules === "none" ? "nothing is masked" : "only what looks like a credential is masked";
  return `no secrets are declared, so ${masked}; use --env-file or --secret`;
}
