import { SecretError } from "../secrets/index.ts";
import type { AuditEventOf, AuditEventType } from "./events.ts";
import type { Damage } from "./report.ts";
import { type VerifyOptions, verifyAuditLog } from "./verify.ts";

/** A record as it is read: the event, when, and which record of which file it is. */
export type AuditRecord = {
  [Type in AuditEventType]: AuditEventOf<Type> & {
    readonly file: string;
    /** Its number in the file, from 0. */
    readonly seq: number;
    /** When, as in ISO 8601 with milliseconds, UTC. */
    readonly at: string;
  };
}[AuditEventType];

/** Which records to give; without any all of them. */
export interface AuditFilter {
  readonly types?: readonly string[] | undefined;
  /** The correlation id of a run. */
  readonly run?: string | undefined;
  /** From this time on, and before that one, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** The name of a secret. */
  readonly secret?: string | undefined;
}

export interface ReadOptions extends Omit<VerifyOptions, "onLine"> {
  readonly filter?: AuditFilter | undefined;
  /** Told of each damage; without it a damaged log is an error. */
  readonly onDamage?: ((damage: Damage) => void) | undefined;
}

/**
 * Reads the genuine records of a log in the order of time; those of one file always in theirs. The
 * log is verified on the way.
 *
 * @throws SecretError `AUDIT_DAMAGED` unless `onDamage` takes it, and as `verifyAuditLog`.
 *
 * @example
 * const filter = { types: ["secret.injected"], secret: "HF_TOKEN" };
 * for (const { correlationId } of await readAuditLog({ dir, anchors, key, filter })) ...
 */
export async function readAuditLog(options: ReadOptions): Promise<AuditRecord[]> {
  const { filter = {}, onDamage, ...place } = options;
  const found: { readonly record: AuditRecord; readonly since: string }[] = [];
  /** By file: the latest time so far. A clock that steps back must not turn its records round. */
  const latest = new Map<string, string>();
  const report = await verifyAuditLog({
    ...place,
    onLine(file, line) {
      const { prev: _prev, mac: _mac, ...record } = JSON.parse(line.toString("utf8"));
      const before = latest.get(file) ?? "";
      const since = record.at > before ? record.at : before;
      latest.set(file, since);
      if (matches(record, filter)) found.push({ record: { file, ...record }, since });
    },
  });
  const [first] = report.damages;
  if (first !== undefined && onDamage === undefined) {
    throw new SecretError(
      "AUDIT_DAMAGED",
      `the audit log was changed: ${first.file}${first.line === undefined ? "" : `, line ${first.line}`} (${first.kind}); run nopeek audit verify`,
    );
  }
  for (const damage of report.damages) onDamage?.(damage);
  found.sort(
    ({ record: one, since }, { record: other, since: otherSince }) =>
      compare(since, otherSince) || compare(one.file, other.file) || one.seq - other.seq,
  );
  return found.map(({ record }) => record);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function matches(record: AuditRecord, filter: AuditFilter): boolean {
  const { types, run, sinceMs, untilMs, secret } = filter;
  if (types !== undefined && !types.includes(record.type)) return false;
  if (run !== undefined && !("correlationId" in record && record.correlationId === run))
    return false;
  if (secret !== undefined && !("name" in record && record.name === secret)) return false;
  const atMs = Date.parse(record.at);
  return !(sinceMs !== undefined && atMs < sinceMs) && !(untilMs !== undefined && atMs >= untilMs);
}
