/** How bad an incident is, and how fast what must be done about it. */
import type { BusinessDays } from "./calendar.ts";
import type { Step } from "./phases.ts";

/** The worst first. */
export const severities = ["critical", "high", "medium", "low", "info"] as const;
export type IncidentSeverity = (typeof severities)[number];

/** The severity of an incident whose worst finding the monitor judged so. */
export const severityOfFinding: Readonly<
  Record<"critical" | "high" | "warning" | "review", IncidentSeverity>
> = { critical: "critical", high: "high", warning: "medium", review: "low" };

/** A time limit, in milliseconds or business days; `null`: none. */
export type Limit = { readonly withinMs: number } | BusinessDays | null;

/** What must be done within which time, counted from the detection. */
export interface ServiceLevel {
  readonly what: string;
  /** One limit for all, or by severity. */
  readonly limit: Limit | Readonly<Record<IncidentSeverity, Limit>>;
  /** The first of these steps ends the wait; what closes an incident ends every wait. */
  readonly metBy: readonly Step[];
}

const hoursMs = 3_600_000;
const daysMs = 24 * hoursMs;

/** Hours and days are stretches of time, the same in every time zone; business days are not. */
export const serviceLevels = {
  review: {
    what: "review of the alert",
    limit: { withinMs: 24 * hoursMs },
    metBy: ["reviewed"],
  },
  response: {
    what: "first response",
    limit: { withinMs: 48 * hoursMs },
    metBy: ["reviewed", "assessed", "contained", "scoped"],
  },
  assessment: { what: "assessment", limit: { businessDays: 5 }, metBy: ["assessed"] },
  fix: {
    what: "fix",
    limit: {
      critical: { withinMs: 48 * hoursMs },
      high: { withinMs: 7 * daysMs },
      medium: { withinMs: 28 * daysMs },
      low: null,
      info: null,
    },
    metBy: ["recovered"],
  },
} as const satisfies Readonly<Record<string, ServiceLevel>>;

/** The limit for an incident of this severity. */
export function limitFor(level: ServiceLevel, severity: IncidentSeverity): Limit {
  const { limit } = level;
  return limit !== null && "critical" in limit ? limit[severity] : limit;
}

/** The worst of several. */
export function worstOf(given: Iterable<IncidentSeverity>): IncidentSeverity | undefined {
  const known = new Set(given);
  return severities.find((severity) => known.has(severity));
}
