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
  /** `attach`: exists, and is injected where it lives. */
  readonly status: "ok" | "attach" | "absent" | "failed";
  readonly from: readonly string[];
  readonly provider?: string | undefined;
  readonly origin?: string | undefined;
  readonly version?: string | undefined;
  /** Time since the version was made. */
  readonly ageMs?: number | undefined;
  readonly code?: string;
  readonly message?: string;
}

function rowOf(resolution: Resolution): Row {
  const { name, secret, attached, from, provider, origin, version, failure } = resolution;
  if (failure !== undefined) {
    return { name, status: "failed", from, code: failure.code, message: failure.message };
  }
  if (attached !== undefined) return { name, status: "attach", from, provider };
  if (secret === null) return { name, status: "absent", from };
  const { createdAtMs } = resolution;
  const ageMs = createdAtMs === undefined ? undefined : Math.max(0, Date.now() - createdAtMs);
  return { name, status: "ok", from, provider, origin, version, ageMs };
}

function asText(rows: readonly Row[], plain: readonly string[], isEmpty: boolean): string {
  if (isEmpty)
    return "no secrets are declared; use --secret NAME, --env-file FILE or nopeek init\n";
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const lines = rows.map((row) => {
    const { name, status, from, origin, code, message } = row;
    const detail = {
      ok: `from ${[origin ?? from.join(", "), ...versionOf(row)].join(", ")}`,
      attach: `attached from ${from.join(", ")}`,
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

function versionOf({ version, ageMs }: Row): string[] {
  return [
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(ageMs === undefined ? [] : [`${asAge(ageMs)} old`]),
  ];
}

/** The largest whole unit: `3 d`, `5 h`, `12 min`. */
function asAge(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
  ] as const;
  for (const [unit, size] of units) if (ms >= size) return `${Math.floor(ms / size)} ${unit}`;
  return `${Math.floor(ms / 1000)} s`;
}
