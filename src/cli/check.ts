import { defineSecrets, type Resolution, SecretError } from "../secrets/index.ts";
import { collect, declaringOptions } from "./declared.ts";
import { exitCodes } from "./exit-codes.ts";
import type { Arguments, Streams, Verb } from "./verb.ts";

export const check: Verb = {
  summary: "Tell which secrets resolve, from where, and what to do about the others",
  usage: "[LAUNCH] [options]",
  options: {
    ...declaringOptions,
    json: { about: "report as one JSON document" },
  },
  examples: [
    "nopeek check                                   the configuration here, or ./.env",
    "nopeek check --env-file .env --json",
    "nopeek check --secret HF_TOKEN && nopeek run --secret HF_TOKEN -- python train.py",
  ],
  run: runCheck,
};

async function runCheck(args: Arguments, streams: Streams): Promise<number> {
  if (args.positionals.length > 1 || args.rest !== null) {
    throw new SecretError("USAGE", "check takes at most the name of a launch, and no command");
  }
  const say = (message: string) => void streams.stderr.write(`nopeek: ${message}\n`);
  const declared = await collect(args, say, { launch: args.positionals[0] });
  const resolutions = await declared.from.resolve(defineSecrets(declared.secrets));
  await declared.from.close();
  const rows = resolutions.map(rowOf);
  const plain = Object.keys(declared.plain);
  if (args.flag("json")) {
    const report = { schemaVersion: 1, secrets: rows, plain };
    streams.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    streams.stdout.write(asText(rows, plain, declared.isEmpty));
  }
  return rows.some(({ status }) => status === "failed") ? exitCodes.findings : 0;
}

/** What may be told of a secret. */
interface Row {
  readonly name: string;
  readonly status: "ok" | "absent" | "failed";
  readonly from: readonly string[];
  readonly provider?: string | undefined;
  readonly origin?: string | undefined;
  readonly version?: string | undefined;
  readonly code?: string;
  readonly message?: string;
}

function rowOf({ name, secret, from, provider, origin, version, failure }: Resolution): Row {
  if (failure !== undefined) {
    return { name, status: "failed", from, code: failure.code, message: failure.message };
  }
  if (secret === null) return { name, status: "absent", from };
  return { name, status: "ok", from, provider, origin, version };
}

function asText(rows: readonly Row[], plain: readonly string[], isEmpty: boolean): string {
  if (isEmpty)
    return "no secrets are declared; use --secret NAME, --env-file FILE or nopeek init\n";
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const lines = rows.map(({ name, status, from, origin, version, code, message }) => {
    const found = [origin ?? from.join(", "), version].filter((part) => part !== undefined);
    const detail = {
      ok: `from ${found.join(", version ")}`,
      absent: `optional, not in ${from.join(" or ")}`,
      failed: `${message} (${code})`,
    }[status];
    return `${status.padEnd(7)} ${name.padEnd(width)}  ${detail}`;
  });
  if (plain.length > 0) lines.push(`plain   ${plain.join(", ")}  (passed on, not masked)`);
  const failed = rows.filter(({ status }) => status === "failed").length;
  lines.push(failed === 0 ? `${rows.length} resolved` : `${failed} of ${rows.length} failed`);
  return `${lines.join("\n")}\n`;
}
