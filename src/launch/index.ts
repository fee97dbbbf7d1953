/**
 * Runs a job with its secrets injected and its output redacted. Exported as `nopeek/launch`.
 *
 * @module
 */
export { allowedVariables, globPattern, isCredentialName } from "./environment.ts";
export {
  type EndedBy,
  type LaunchOptions,
  type LaunchResult,
  type Leak,
  launch,
} from "./launch.ts";
export { local } from "./local.ts";
export { type MountInput, mountVariables } from "./mounts.ts";
export type { CommandEnd, Job, JobSecret, RunningJob, Runtime } from "./runtime.ts";
export type { RedactionCount, Redactions } from "./tally.ts";
