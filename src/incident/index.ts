/**
 * From an alert to a closed incident: a fold over the audit log, deadlines, metrics and reports.
 * Exported as `nopeek/incident`.
 *
 * @module
 */
export { addBusinessDays, type BusinessDays } from "./calendar.ts";
export { type Deadline, type DueOptions, deadlinesOf } from "./deadlines.ts";
export { foldIncidents } from "./fold.ts";
export type { Incident, IncidentRun, LeakedCredential, TimelineEntry } from "./incident.ts";
export { asMarkdown } from "./markdown.ts";
export { type DurationSummary, type IncidentMetrics, metricsOf } from "./metrics.ts";
export { missingFor, type Phase, type Progress, phases, type Step, steps } from "./phases.ts";
export { type IncidentReport, type ReportOptions, reportOf } from "./report.ts";
export { recordRotation, rotatedFor } from "./rotated.ts";
export { reportSchema } from "./schema.ts";
export { findScope, type IncidentScope, type LeakedValue, type ScopeOptions } from "./scope.ts";
export {
  type IncidentSeverity,
  type ServiceLevel,
  serviceLevels,
  severities,
} from "./service-levels.ts";
export {
  type ClosingStep,
  closeIncident,
  containIncident,
  findIncident,
  openIncident,
  progressOf,
  recoverIncident,
  reviewIncident,
} from "./work.ts";
