/**
 * Judges what is found in a run and acts: redact, alert, halt, rotate. Exported as `nopeek/monitor`.
 *
 * @module
 */
export { commandSink } from "./command-sink.ts";
export type { JudgedFinding, MonitorEvent, RotationOutcome } from "./events.ts";
export type {
  Action,
  MonitoredConfidence,
  MonitoredFinding,
  MonitoredStream,
  Severity,
} from "./finding.ts";
export { type Incident, summaryOf } from "./incident.ts";
export type { FindingCount } from "./ledger.ts";
export { createMonitor, type Monitor, type Watch, type WatchedRun } from "./monitor.ts";
export {
  type CommandAlert,
  checkMonitorOptions,
  checkMonitorSettings,
  type MonitorOptions,
  type MonitorSettings,
  type WebhookAlert,
} from "./options.ts";
export { type FindingRule, type LeakPolicy, leakPolicies, type Match } from "./policy.ts";
export {
  type Alert,
  AlertFailure,
  type AlertSink,
  type SinkCounts,
  type SinkTrouble,
} from "./sink.ts";
export { type WebhookOptions, webhookSink } from "./webhook-sink.ts";
