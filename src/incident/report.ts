import { type Deadline, deadlinesOf } from "./deadlines.ts";
import type { Incident, IncidentRun, LeakedCredential, TimelineEntry } from "./incident.ts";
import { durationsOf, type IncidentMetrics, metricsOf } from "./metrics.ts";
import type { IncidentScope } from "./scope.ts";

/** An incident as it is told to others: plain data, times as in ISO 8601, UTC. */
export interface IncidentReport {
  readonly schemaVersion: 1;
  readonly madeAt: string;
  readonly incident: {
    readonly id: string;
    readonly severity: string;
    readonly phase: string;
    readonly detectedBy: string;
    readonly isHarmless: boolean;
    readonly detectedAt: string;
    readonly contained: boolean;
    readonly closedAt: string | null;
    readonly occurrences: number;
    readonly ignoredSteps: number;
  };
  readonly credentials: readonly ReportedCredential[];
  readonly scope: {
    /** By the newest search that the log knows. */
    readonly searchedAt: string | null;
    readonly files: number | null;
    readonly occurrences: number | null;
    readonly runs: readonly ReportedRun[];
    /** Where it was found, if the report was made with the result of a search. */
    readonly places: readonly ReportedPlace[];
    readonly notSearched: readonly { readonly file: string; readonly why: string }[];
  };
  readonly actions: readonly { readonly step: string; readonly at: string }[];
  readonly deadlines: readonly {
    readonly what: string;
    readonly dueAt: string;
    readonly isOverdue: boolean;
  }[];
  readonly metrics: {
    readonly timeToDetectMs: number | null;
    readonly timeToRespondMs: number | null;
    readonly timeToResolveMs: number | null;
    /** Of all incidents of the log. */
    readonly all: IncidentMetrics;
  };
  readonly contacts: readonly { readonly role: string; readonly contact: string }[];
  readonly timeline: readonly {
    readonly at: string;
    readonly what: string;
    readonly details: readonly string[];
    readonly actor: string | null;
    readonly note: string | null;
  }[];
}

interface ReportedCredential {
  readonly name: string | null;
  readonly rule: string | null;
  readonly reference: string | null;
  readonly version: string | null;
  readonly fingerprint: string | null;
  readonly runs: number;
  readonly rotatedAt: string | null;
  readonly revokedAt: string | null;
}

interface ReportedRun {
  readonly runId: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly endedBy: string | null;
  readonly leaked: boolean;
}

interface ReportedPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly part: string;
  readonly name: string | null;
  readonly rule: string | null;
  readonly form: string;
  readonly fingerprint: string;
}

export interface ReportOptions {
  /** All incidents of the log, for the metrics (default: this one). */
  readonly incidents?: readonly Incident[] | undefined;
  /** The result of a search, to tell the places. */
  readonly scope?: IncidentScope | undefined;
  /** Who is to be called, by role. */
  readonly contacts?: Readonly<Record<string, string>> | undefined;
  readonly nowMs?: number | undefined;
  readonly timeZone?: string | undefined;
  /** Masks what must not be told: `(text) => redactor.redact(text)`. It sees every text. */
  readonly clean?: ((text: string) => string) | undefined;
}

/**
 * Makes the report of an incident. Nothing in it but what the log and the search tell.
 *
 * @example
 * writeFileSync("report.md", asMarkdown(reportOf(incident, { incidents, contacts })));
 */
export function reportOf(incident: Incident, options: ReportOptions = {}): IncidentReport {
  const { nowMs = Date.now(), timeZone, scope, contacts = {} } = options;
  const { steps } = incident;
  const { toDetectMs, toRespondMs, toResolveMs } = durationsOf(incident);
  const report: IncidentReport = {
    schemaVersion: 1,
    madeAt: timeOf(nowMs),
    incident: {
      id: incident.id,
      severity: incident.severity,
      phase: incident.phase,
      detectedBy: incident.detectedBy,
      isHarmless: incident.isHarmless,
      detectedAt: timeOf(incident.detectedAtMs),
      contained: steps.contained !== undefined,
      closedAt: timeOrNull(steps.closed),
      occurrences: incident.occurrences,
      ignoredSteps: incident.ignored,
    },
    credentials: incident.credentials.map(credentialOf),
    scope: {
      searchedAt: timeOrNull(incident.scope?.atMs),
      files: incident.scope?.files ?? null,
      occurrences: incident.scope?.occurrences ?? null,
      runs: incident.runs.map(runOf),
      places: (scope?.files.findings ?? []).map(placeOf),
      notSearched: (scope?.files.skipped ?? []).map(({ file, why }) => ({ file, why })),
    },
    actions: Object.entries(steps)
      .sort(([, one], [, other]) => one - other)
      .map(([step, atMs]) => ({ step, at: timeOf(atMs) })),
    deadlines: deadlinesOf([incident], { nowMs, timeZone }).map(deadlineOf),
    metrics: {
      timeToDetectMs: toDetectMs ?? null,
      timeToRespondMs: toRespondMs ?? null,
      timeToResolveMs: toResolveMs ?? null,
      all: metricsOf(options.incidents ?? [incident]),
    },
    contacts: Object.entries(contacts).map(([role, contact]) => ({ role, contact })),
    timeline: incident.timeline.map(entryOf),
  };
  return options.clean === undefined ? report : (cleaned(report, options.clean) as IncidentReport);
}

function credentialOf(credential: LeakedCredential): ReportedCredential {
  const { name, rule, reference, version, fingerprint } = credential;
  return {
    name: name ?? null,
    rule: rule ?? null,
    reference: reference ?? null,
    version: version ?? null,
    fingerprint: fingerprint ?? null,
    runs: credential.runs.length,
    rotatedAt: timeOrNull(credential.rotatedAtMs),
    revokedAt: timeOrNull(credential.revokedAtMs),
  };
}

function runOf({ runId, startedAtMs, endedAtMs, endedBy, leaked }: IncidentRun): ReportedRun {
  return {
    runId,
    startedAt: timeOrNull(startedAtMs),
    endedAt: timeOrNull(endedAtMs),
    endedBy: endedBy ?? null,
    leaked,
  };
}

function placeOf(finding: IncidentScope["files"]["findings"][number]): ReportedPlace {
  const { file, line, column, part, name, rule, form, fingerprint } = finding;
  return {
    ...{ file, line, column, part, form, fingerprint },
    name: name ?? null,
    rule: rule ?? null,
  };
}

function deadlineOf({ what, dueAtMs, isOverdue }: Deadline) {
  return { what, dueAt: timeOf(dueAtMs), isOverdue };
}

function entryOf({ atMs, what, details, actor, note }: TimelineEntry) {
  return { at: timeOf(atMs), what, details, actor: actor ?? null, note: note ?? null };
}

function timeOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : timeOf(ms);
}

/** To the millisecond, UTC; a time that is none is told as such. */
function timeOf(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "(no time)";
}

/** A copy in which every text was seen by `clean`. */
function cleaned(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((each) => cleaned(each, clean));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, cleaned(each, clean)]),
  );
}
