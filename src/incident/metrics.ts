import type { Incident } from "./incident.ts";
import { type IncidentSeverity, severities } from "./service-levels.ts";

/** Several durations in milliseconds, in short; `null` where there are none. */
export interface DurationSummary {
  readonly count: number;
  readonly medianMs: number | null;
  readonly meanMs: number | null;
  readonly maxMs: number | null;
}

/** How many incidents there were, and how fast they were found and resolved. */
export interface IncidentMetrics {
  readonly count: number;
  readonly open: number;
  readonly closed: number;
  readonly harmless: number;
  readonly bySeverity: Readonly<Record<IncidentSeverity, number>>;
  /**
   * From the start of the first run that had the credential, the earliest moment at which it could
   * leak, to the detection: never less than the truth.
   */
  readonly timeToDetect: DurationSummary;
  /** From the detection to the first step of a person. */
  readonly timeToRespond: DurationSummary;
  /** From the detection to the recovery. */
  readonly timeToResolve: DurationSummary;
}

const responses = ["reviewed", "assessed", "scoped", "recovered", "closed"] as const;

/** The durations of one incident, in milliseconds; undefined for what has not happened. */
export function durationsOf({ detectedAtMs, exposedAtMs, steps, isHarmless }: Incident): {
  readonly toDetectMs: number | undefined;
  readonly toRespondMs: number | undefined;
  readonly toResolveMs: number | undefined;
} {
  // Clocks of two machines may disagree: no time is negative.
  const since = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? undefined : Math.max(0, to - from);
  const answered = responses.flatMap((step) => steps[step] ?? []);
  return {
    toDetectMs: since(exposedAtMs, detectedAtMs),
    toRespondMs: since(detectedAtMs, answered.length === 0 ? undefined : Math.min(...answered)),
    toResolveMs: isHarmless ? undefined : since(detectedAtMs, steps.recovered),
  };
}

/**
 * The metrics of these incidents.
 *
 * @example
 * const { timeToResolve } = metricsOf(foldIncidents(await readAuditLog({ dir, anchors, key })));
 */
export function metricsOf(incidents: readonly Incident[]): IncidentMetrics {
  const durations = incidents.map(durationsOf);
  const isClosed = ({ phase }: Incident) => phase === "lessons";
  const closed = incidents.filter(isClosed).length;
  return {
    count: incidents.length,
    open: incidents.length - closed,
    closed,
    harmless: incidents.filter(({ isHarmless }) => isHarmless).length,
    bySeverity: Object.fromEntries(
      severities.map((severity) => [
        severity,
        incidents.filter((incident) => incident.severity === severity).length,
      ]),
    ) as Record<IncidentSeverity, number>,
    timeToDetect: summaryOf(durations.flatMap(({ toDetectMs }) => toDetectMs ?? [])),
    timeToRespond: summaryOf(durations.flatMap(({ toRespondMs }) => toRespondMs ?? [])),
    timeToResolve: summaryOf(durations.flatMap(({ toResolveMs }) => toResolveMs ?? [])),
  };
}

/** Of an even number of durations the median is the mean of the two in the middle, rounded down. */
function summaryOf(durations: readonly number[]): DurationSummary {
  const sorted = [...durations].sort((one, other) => one - other);
  const count = sorted.length;
  if (count === 0) return { count, medianMs: null, meanMs: null, maxMs: null };
  const [low = 0, high = 0] = [sorted[(count - 1) >> 1], sorted[count >> 1]];
  return {
    count,
    medianMs: Math.floor((low + high) / 2),
    meanMs: Math.floor(sorted.reduce((sum, each) => sum + each, 0) / count),
    maxMs: sorted.at(-1) ?? null,
  };
}
