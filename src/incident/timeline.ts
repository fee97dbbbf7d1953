import type { AuditRecord } from "../audit/index.ts";
import type { TimelineEntry } from "./incident.ts";

/** What is said of each event: fixed text, and the fields that go with it. Others are not told. */
const said: Readonly<Partial<Record<AuditRecord["type"], readonly [string, ...string[]]>>> = {
  "run.started": ["run started", "runtime", "program"],
  "run.ended": ["run ended", "endedBy", "exitCode"],
  "secret.injected": ["given to the run", "name", "reference", "version"],
  "secret.attached": ["attached to the run", "name", "reference"],
  "monitor.finding": ["found", "name", "rule", "form", "stream", "action"],
  "monitor.halted": ["job halted", "name", "rule"],
  "monitor.rotation": ["rotation by the monitor", "name", "outcome"],
  "alert.failed": ["an alert did not arrive", "sink", "why"],
  "finding.reviewed": ["finding judged", "verdict"],
  "rotation.started": ["rotation started", "reference", "strategy", "from"],
  "rotation.skipped": ["nothing rotated", "reference", "why"],
  "rotation.step": ["rotation", "step", "outcome", "version", "copy", "code"],
  "rotation.finished": ["new version current", "reference", "from", "to"],
  "rotation.rolled-back": ["rotation rolled back", "reference", "step", "code"],
  "rotation.incomplete": ["rotation not finished", "reference", "step", "code"],
  "rotation.revoked": ["old version revoked", "reference", "version"],
  "incident.opened": ["reported", "severity", "name", "reference", "version", "rule"],
  "incident.reviewed": ["reviewed"],
  "incident.assessed": ["assessed", "severity"],
  "incident.contained": ["contained", "how"],
  "incident.scoped": ["scope searched", "files", "occurrences", "runs"],
  "incident.recovered": ["recovered"],
  "incident.closed": ["closed"],
};

/** A run may find without end; a report needs to be read. */
const maxEntries = 500;

/** The events of one incident, in their order. */
export function timelineOf(records: readonly AuditRecord[]): TimelineEntry[] {
  const entries: TimelineEntry[] = [];
  for (const record of records) {
    const [what, ...fields] = said[record.type] ?? [];
    if (what === undefined) continue;
    const given = record as unknown as Readonly<Record<string, unknown>>;
    const text = (name: string) => (typeof given[name] === "string" ? given[name] : undefined);
    entries.push({
      atMs: Date.parse(record.at),
      what,
      details: fields.flatMap((name) => {
        const value = given[name];
        if (typeof value === "number") return [`${name} ${value}`];
        return typeof value === "string" ? [value] : [];
      }),
      actor: text("actor"),
      note: text("note"),
    });
  }
  if (entries.length <= maxEntries) return entries;
  // The first and the last ones tell most.
  const half = maxEntries / 2;
  const [start, end] = [entries.slice(0, half), entries.slice(-half)];
  const left: TimelineEntry = {
    atMs: end[0]?.atMs ?? 0,
    what: `${entries.length - maxEntries} further events are left out here`,
    details: [],
    actor: undefined,
    note: undefined,
  };
  return [...start, left, ...end];
}
