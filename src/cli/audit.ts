import {
  type AuditFilter,
  type AuditRecord,
  type AuditReport,
  anchorsFolderName,
  type Damage,
  damageKinds,
  eventTypes,
  noticeKinds,
  readAuditLog,
  verifyAuditLog,
} from "../audit/index.ts";
import { loadConfig } from "../config/index.ts";
import { SecretError } from "../secrets/index.ts";
import { readAuditKey } from "./audit-key.ts";
import { auditOptions, auditPlaceOf, type NamedAudit, usualAnchors } from "./audit-options.ts";
import { exitCodes } from "./exit-codes.ts";
import type { Arguments, Streams, Verb } from "./verb.ts";

const { "audit-anchors": anchors, "audit-key": key } = auditOptions;

export const audit: Verb = {
  summary: "Check that an audit log was not changed, or show what it holds",
  usage: "verify|query [DIR] [options]",
  options: {
    config: { value: "FILE", about: "configuration that names the log (JSON)" },
    "audit-anchors": anchors,
    "audit-key": key,
    type: { value: "TYPE", repeatable: true, about: "query: only events of this type" },
    run: { value: "ID", about: "query: only events of this run" },
    secret: { value: "NAME", about: "query: only events of this secret" },
    since: { value: "TIME", about: "query: from this time on, such as 2026-05-01T12:00Z" },
    until: { value: "TIME", about: "query: before this time" },
    json: { about: "report as one JSON document" },
  },
  examples: [
    "nopeek audit verify /var/log/nopeek              exit code 1 if anything was changed",
    "nopeek audit query /var/log/nopeek --type secret.injected --secret HF_TOKEN",
  ],
  run: runAudit,
};

const actions: Readonly<
  Record<string, (named: NamedAudit, args: Arguments, streams: Streams) => Promise<number>>
> = { verify, query };

async function runAudit(args: Arguments, streams: Streams): Promise<number> {
  const [action = "", dir, ...more] = args.positionals;
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (act === undefined || more.length > 0 || args.rest !== null) {
    throw new SecretError("USAGE", "write nopeek audit verify DIR, or nopeek audit query DIR");
  }
  const file = args.value("config");
  const config =
    dir !== undefined && file === undefined ? null : await loadConfig({ file, execute: false });
  const named = auditPlaceOf(args, config, dir);
  if (named === undefined) {
    throw new SecretError("USAGE", `name the folder of the log: nopeek audit ${action} DIR`);
  }
  return await act(named, args, streams);
}

function placeOf({ dir, anchors: given }: NamedAudit): { dir: string; anchors: string } {
  return { dir, anchors: given ?? usualAnchors(anchorsFolderName(dir)) };
}

async function verify(named: NamedAudit, args: Arguments, streams: Streams): Promise<number> {
  for (const option of ["type", "run", "secret", "since", "until"]) {
    if (args.flag(option)) throw new SecretError("USAGE", `--${option} is for audit query`);
  }
  const report = await verifyAuditLog({ ...placeOf(named), key: await readAuditKey(named) });
  streams.stdout.write(args.flag("json") ? asJson({ ...report }) : asText(report));
  return report.ok ? 0 : exitCodes.findings;
}

function asJson(report: object): string {
  return `${JSON.stringify({ schemaVersion: 1, ...report }, null, 2)}\n`;
}

function asText(report: AuditReport): string {
  const { ok, files, records, damages, notices, anchoredAt } = report;
  const lines = [
    ...damages.map((damage) => `damaged  ${describe(damage)}`),
    ...notices.map(({ file, kind }) => `note     ${shown(file)}: ${noticeKinds[kind]}`),
    `${ok ? "intact" : "NOT INTACT"}: ${records} records in ${files} files, last anchored ${anchoredAt ?? "never"}`,
  ];
  return `${lines.join("\n")}\n`;
}

function describe({ file, line, kind }: Damage): string {
  const place = line === undefined ? "" : `, line ${line}`;
  return `${shown(file)}${place}: ${damageKinds[kind]} (${kind})`;
}

/** A name of a file that is not ours may hold anything. */
function shown(file: string): string {
  return /^[\w.-]{1,80}$/.test(file) ? file : "(a file with another name)";
}

async function query(named: NamedAudit, args: Arguments, streams: Streams): Promise<number> {
  const filter = filterOf(args);
  const damages: Damage[] = [];
  const records = await readAuditLog({
    ...placeOf(named),
    key: await readAuditKey(named),
    filter,
    onDamage: (damage) => damages.push(damage),
  });
  for (const damage of damages) {
    streams.stderr.write(`nopeek: warning: the log was changed: ${describe(damage)}\n`);
  }
  streams.stdout.write(
    args.flag("json") ? asJson({ ok: damages.length === 0, damages, records }) : asRows(records),
  );
  return damages.length === 0 ? 0 : exitCodes.findings;
}

function asRows(records: readonly AuditRecord[]): string {
  return records
    .map(({ at, type, file: _file, seq: _seq, ...fields }) => {
      const rest = Object.entries(fields).map(([name, value]) => `${name}=${oneWord(value)}`);
      return `${at} ${type} ${rest.join(" ")}\n`;
    })
    .join("");
}

/** The note of a person may hold anything: it is quoted, and has no control characters. */
function oneWord(value: unknown): string {
  const text = String(value);
  if (/^[!-~]+$/.test(text)) return text;
  return JSON.stringify(text).replace(
    /[^ -~\u00a0-\ud7ff\ue000-\ufdff]|[\u200b-\u200f\u2028-\u202e\u2060-\u206f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function filterOf(args: Arguments): AuditFilter {
  const types = args.values("type");
  for (const type of types) {
    if (Object.hasOwn(eventTypes, type)) continue;
    const known = Object.keys(eventTypes).join(", ");
    throw new SecretError("USAGE", `--type: there is no such type of event; known are ${known}`);
  }
  return {
    types: types.length === 0 ? undefined : types,
    run: args.value("run"),
    secret: args.value("secret"),
    sinceMs: timeOf(args, "since"),
    untilMs: timeOf(args, "until"),
  };
}

/** A day is one of UTC; a time without a zone is one of this machine's zone. */
function timeOf(args: Arguments, option: string): number | undefined {
  const given = args.value(option);
  if (given === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\d(?:$|T)/.test(given) ? Date.parse(given) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new SecretError(
    "USAGE",
    `--${option} takes a time such as 2026-05-01 or 2026-05-01T12:00Z`,
  );
}
