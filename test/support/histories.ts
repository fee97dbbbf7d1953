/** Random histories of incidents: records as an audit log gives them, written by several clocks. */
import { createHash } from "node:crypto";
import type { AuditRecord } from "nopeek/audit";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A UUID that follows from a text. */
export function idOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join("-");
}

export const printOf = (text: string) =>
  `audit:${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;

export const record = (atMs: number, file: string, seq: number, event: object) =>
  ({ at: new Date(atMs).toISOString(), file, seq, ...event }) as unknown as AuditRecord;

const startMs = Date.UTC(2026, 2, 28);
const words = {
  severity: ["critical", "high", "warning", "review"],
  action: ["review", "redact", "alert", "halt", "halt+rotate"],
  stream: ["stdout", "stderr", "command"],
  level: ["info", "low", "medium", "high", "critical"],
  verdict: ["real", "harmless"],
} as const;

/** One log with a few runs and reports, of which some are incidents, in no order. */
export function randomHistory(seed: number): AuditRecord[] {
  const random = randomFrom(seed);
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(list: readonly T[]) => list[below(list.length)] as T;
  const records: AuditRecord[] = [];
  const seqs = new Map<string, number>();
  const add = (atMs: number, event: object) => {
    const file = `audit-${below(3)}`;
    const seq = (seqs.get(file) ?? 0) + 1;
    seqs.set(file, seq);
    // Clocks disagree, and some records have the same time.
    records.push(
      record(startMs + atMs + (below(4) === 0 ? below(5000) - 2500 : 0), file, seq, event),
    );
  };
  const values = ["one", "two", "three"].map((name) => printOf(`${seed} ${name}`));
  for (let run = 0; run < 1 + below(4); run++) {
    const id = idOf(`${seed} ${run}`);
    const ids = { correlationId: id, incidentId: id };
    const actor = "uid:1000";
    let at = below(3_600_000);
    const isReport = below(4) === 0;
    const severity = pick(words.level);
    if (isReport) {
      add(at, { type: "incident.opened", ...ids, severity, fingerprint: pick(values) });
    } else {
      add(at, { type: "run.started", correlationId: id, runtime: "local" });
      for (let count = below(3); count > 0; count--) {
        const fingerprint = pick(values);
        add(at, { type: "secret.injected", correlationId: id, name: "A", fingerprint, as: "env" });
      }
      for (let count = below(4); count > 0; count--) {
        at += below(60_000);
        const found = { fingerprint: pick(values), name: "A", confidence: "exact" };
        const judged = { severity: pick(words.severity), action: pick(words.action) };
        const stream = pick(words.stream);
        add(at, { type: "monitor.finding", correlationId: id, ...found, ...judged, stream });
        add(at, { type: "finding.made", correlationId: id, ...found, stream });
        if (below(3) === 0)
          add(at, {
            type: "finding.repeated",
            correlationId: id,
            ...found,
            stream,
            count: below(9),
          });
      }
      if (below(2) === 0)
        add(at, { type: "monitor.halted", correlationId: id, fingerprint: pick(values) });
      add(at + 1, { type: "run.ended", correlationId: id, endedBy: "exit", exitCode: 0 });
    }
    for (let count = below(9); count > 0; count--) {
      at += below(20 * 3_600_000);
      const step = pick(["reviewed", "assessed", "contained", "scoped", "recovered", "closed"]);
      const more: Record<string, object> = {
        assessed: { severity: pick(words.level) },
        contained: { how: "elsewhere" },
        scoped: { files: below(5), occurrences: below(9), runs: below(3) },
        closed: { note: "learned" },
      };
      add(at, { type: `incident.${step}`, ...ids, actor, ...more[step] });
      if (below(4) === 0) {
        for (const fingerprint of values) {
          add(at, {
            type: "finding.reviewed",
            correlationId: id,
            fingerprint,
            verdict: pick(words.verdict),
            actor,
          });
        }
      }
    }
    // Often enough a whole process, so that incidents are closed.
    if (below(2) === 0) {
      for (const step of ["reviewed", "assessed", "contained", "scoped", "recovered", "closed"]) {
        at += 1000 + below(3_600_000);
        const more = {
          severity,
          how: "rotated",
          files: 1,
          occurrences: 2,
          runs: 1,
          note: "learned",
        };
        add(at, { type: `incident.${step}`, ...ids, actor, ...more });
      }
    }
  }
  for (let at = records.length - 1; at > 0; at--) {
    const other = below(at + 1);
    [records[at], records[other]] = [records[other] as AuditRecord, records[at] as AuditRecord];
  }
  return records;
}
