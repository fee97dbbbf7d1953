import type { AuditRecord } from "../audit/index.ts";
import { credentialsOf, indexOf, type LogIndex } from "./credentials.ts";
import type { Incident, IncidentRun, LeakedCredential } from "./incident.ts";
import { missingFor, phaseOf, type Step } from "./phases.ts";
import { type IncidentSeverity, severityOfFinding, worstOf } from "./service-levels.ts";
import { timelineOf } from "./timeline.ts";

type Of<Type extends AuditRecord["type"]> = Extract<AuditRecord, { type: Type }>;
type Finding = Of<"monitor.finding">;

/** The step that each event of an incident is. */
const stepOfEvent = {
  "incident.opened": "opened",
  "incident.reviewed": "reviewed",
  "incident.assessed": "assessed",
  "incident.contained": "contained",
  "monitor.halted": "contained",
  "monitor.rotation": "contained",
  "incident.scoped": "scoped",
  "incident.recovered": "recovered",
  "incident.closed": "closed",
} as const satisfies Partial<Record<AuditRecord["type"], Step>>;

type StepRecord = Of<keyof typeof stepOfEvent>;

/**
 * Makes the incidents of an audit log: one for each run in whose output something leaked, or was
 * found that a person should look at, and one for each that a person reported.
 *
 * Records may come in any order. The steps of an incident count in the order of their times as far
 * as that is possible: clocks of several machines disagree, so a step that seems to come too early
 * waits for what must come before it. What remains changes nothing and is counted.
 *
 * @returns The incidents by the time of their detection.
 *
 * @example
 * const incidents = foldIncidents(await readAuditLog({ dir, anchors, key }));
 */
export function foldIncidents(records: readonly AuditRecord[]): Incident[] {
  const sorted = [...records].sort(byTime);
  const log = indexOf(sorted);
  return [...log.cases]
    .flatMap(([id, own]) => incidentOf(id, own, log) ?? [])
    .sort((one, other) => one.detectedAtMs - other.detectedAtMs || (one.id < other.id ? -1 : 1));
}

function byTime(one: AuditRecord, other: AuditRecord): number {
  return (
    Date.parse(one.at) - Date.parse(other.at) ||
    (one.file < other.file ? -1 : one.file > other.file ? 1 : one.seq - other.seq)
  );
}

function incidentOf(id: string, own: readonly AuditRecord[], log: LogIndex): Incident | undefined {
  const findings = own.filter((each): each is Finding => each.type === "monitor.finding");
  const telling = findings.filter(isTelling);
  const opened = own.find((each) => each.type === "incident.opened");
  const [first] = [...telling, ...(opened === undefined ? [] : [opened])].sort(byTime);
  if (first === undefined) return undefined;
  const detectedAtMs = Date.parse(first.at);
  const isHarmless = isAllHarmless(telling, own);
  const foundAtMs = telling.map(({ at }) => Date.parse(at));
  const taken = takeSteps(own.filter(isStep), { detectedAtMs, foundAtMs, isHarmless });
  const credentials = credentialsOf(telling, opened, own, log);
  const runs = runsOf(id, credentials, log);
  const scoped = taken.applied.findLast((each) => each.type === "incident.scoped");
  const assessed = taken.applied.findLast((each) => each.type === "incident.assessed");
  const started = runs.flatMap(({ startedAtMs }) => startedAtMs ?? []);
  return {
    id,
    detectedBy: first.type === "incident.opened" ? "person" : "monitor",
    detectedAtMs,
    exposedAtMs: exposedOf(id, first.type === "incident.opened", runs, started),
    severity: assessed?.severity ?? worstOf([...severitiesOf(telling, opened)]) ?? "info",
    phase: phaseOf(new Set(Object.keys(taken.steps) as Step[])),
    isHarmless,
    steps: taken.steps,
    toReviewSinceMs: taken.toReviewSinceMs,
    credentials,
    occurrences: occurrencesOf(own),
    halted: own.some(({ type }) => type === "monitor.halted"),
    runs,
    scope:
      scoped === undefined
        ? undefined
        : {
            atMs: Date.parse(scoped.at),
            files: scoped.files,
            occurrences: scoped.occurrences,
          },
    timeline: timelineOf(own),
    ignored: taken.ignored,
  };
}

/** As the monitor itself says: many a command has characters of a shell in it. */
function isTelling({ action, stream }: Finding): boolean {
  return action === "review" ? stream !== "command" : action !== "redact";
}

function isStep(record: AuditRecord): record is StepRecord {
  if (record.type === "monitor.rotation") return record.outcome === "done";
  return Object.hasOwn(stepOfEvent, record.type);
}

function* severitiesOf(
  findings: readonly Finding[],
  opened: Of<"incident.opened"> | undefined,
): Iterable<IncidentSeverity> {
  if (opened !== undefined) yield opened.severity;
  for (const { severity } of findings) yield severityOfFinding[severity];
}

/** Every fingerprint was last judged harmless. */
function isAllHarmless(findings: readonly Finding[], own: readonly AuditRecord[]): boolean {
  const verdicts = new Map<string, string>();
  for (const each of own) {
    if (each.type === "finding.reviewed") verdicts.set(each.fingerprint, each.verdict);
  }
  return (
    findings.length > 0 &&
    findings.every(({ fingerprint }) => verdicts.get(fingerprint) === "harmless")
  );
}

interface Taken {
  readonly steps: Partial<Record<Step, number>>;
  readonly applied: readonly StepRecord[];
  readonly toReviewSinceMs: number | undefined;
  readonly ignored: number;
}

/** Takes the steps: always the earliest that is in turn, until none is. */
function takeSteps(
  records: readonly StepRecord[],
  given: {
    readonly detectedAtMs: number;
    readonly foundAtMs: readonly number[];
    readonly isHarmless: boolean;
  },
): Taken {
  const { detectedAtMs, foundAtMs, isHarmless } = given;
  const steps: Partial<Record<Step, number>> = { opened: detectedAtMs };
  const done = new Set<Step>(["opened"]);
  const applied: StepRecord[] = [];
  const waiting = records.filter(({ type }) => type !== "incident.opened");
  let reviewedAtMs: number | undefined;
  const toReviewSince = () => {
    if (reviewedAtMs === undefined) return detectedAtMs;
    const later = foundAtMs.filter((atMs) => atMs > (reviewedAtMs ?? 0));
    return later.length === 0 ? undefined : Math.min(...later);
  };
  for (;;) {
    const progress = { done, isHarmless, isToReview: toReviewSince() !== undefined };
    const next = waiting.findIndex(
      ({ type }) => missingFor(stepOfEvent[type], progress).length === 0,
    );
    if (next === -1) break;
    const [record] = waiting.splice(next, 1) as [StepRecord];
    const step = stepOfEvent[record.type];
    const atMs = Date.parse(record.at);
    steps[step] ??= atMs;
    done.add(step);
    applied.push(record);
    if (step === "reviewed") reviewedAtMs = Math.max(reviewedAtMs ?? 0, atMs);
  }
  return { steps, applied, toReviewSinceMs: toReviewSince(), ignored: waiting.length };
}

function runsOf(
  id: string,
  credentials: readonly LeakedCredential[],
  { cases }: LogIndex,
): IncidentRun[] {
  const ids = new Set(credentials.flatMap(({ runs }) => runs));
  if (cases.get(id)?.some(({ type }) => type === "run.started")) ids.add(id);
  return [...ids].map((runId) => {
    const own = cases.get(runId) ?? [];
    const started = own.find(({ type }) => type === "run.started");
    const ended = own.find((each): each is Of<"run.ended"> => each.type === "run.ended");
    return {
      runId,
      startedAtMs: started && Date.parse(started.at),
      endedAtMs: ended && Date.parse(ended.at),
      endedBy: ended?.endedBy,
      leaked: own.some((each) => each.type === "monitor.finding" && isTelling(each)),
    };
  });
}

/** A monitor sees its own run; what a person reports may have leaked from any run that had it. */
function exposedOf(
  id: string,
  isReported: boolean,
  runs: readonly IncidentRun[],
  started: readonly number[],
): number | undefined {
  if (!isReported) return runs.find(({ runId }) => runId === id)?.startedAtMs;
  return started.length === 0 ? undefined : Math.min(...started);
}

function occurrencesOf(own: readonly AuditRecord[]): number {
  let count = 0;
  for (const each of own) {
    if (each.type === "finding.made") count++;
    if (each.type === "finding.repeated") count += each.count;
  }
  return count;
}
