import { addBusinessDays } from "./calendar.ts";
import type { Incident } from "./incident.ts";
import { type Limit, limitFor, type ServiceLevel, serviceLevels } from "./service-levels.ts";

/** Something that must be done about an incident, and until when. */
export interface Deadline {
  readonly incidentId: string;
  readonly level: keyof typeof serviceLevels;
  readonly what: string;
  readonly dueAtMs: number;
  /** The time is over. At the very moment it is not yet. */
  readonly isOverdue: boolean;
}

export interface DueOptions {
  /** In milliseconds since 1970 (default: now). */
  readonly nowMs?: number | undefined;
  /** Where business days are counted (default: `UTC`). */
  readonly timeZone?: string | undefined;
}

/**
 * What is still to be done about these incidents, the most urgent first.
 *
 * @throws SecretError `CONFIG_INVALID` for a time zone that is none.
 *
 * @example
 * const overdue = deadlinesOf(incidents).filter(({ isOverdue }) => isOverdue);
 */
export function deadlinesOf(
  incidents: readonly Incident[],
  { nowMs = Date.now(), timeZone = "UTC" }: DueOptions = {},
): Deadline[] {
  const deadlines: Deadline[] = [];
  for (const incident of incidents) {
    for (const [level, service] of Object.entries(serviceLevels)) {
      const fromMs = waitsSince(incident, level as Deadline["level"], service);
      if (fromMs === undefined) continue;
      const dueAtMs = endOf(fromMs, limitFor(service, incident.severity), timeZone);
      if (dueAtMs === undefined) continue;
      deadlines.push({
        incidentId: incident.id,
        level: level as Deadline["level"],
        what: service.what,
        dueAtMs,
        isOverdue: nowMs > dueAtMs,
      });
    }
  }
  return deadlines.sort(
    (one, other) => one.dueAtMs - other.dueAtMs || (one.incidentId < other.incidentId ? -1 : 1),
  );
}

/** Undefined for what was done. What was found after a review, or after the end, waits for another. */
function waitsSince(
  incident: Incident,
  level: Deadline["level"],
  { metBy }: ServiceLevel,
): number | undefined {
  if (level === "review") return incident.toReviewSinceMs;
  const { steps, detectedAtMs } = incident;
  if (steps.closed !== undefined || incident.isHarmless) return undefined;
  return metBy.some((step) => steps[step] !== undefined) ? undefined : detectedAtMs;
}

function endOf(fromMs: number, limit: Limit, timeZone: string): number | undefined {
  if (limit === null) return undefined;
  if ("withinMs" in limit) return fromMs + limit.withinMs;
  return addBusinessDays(fromMs, limit.businessDays, timeZone);
}
