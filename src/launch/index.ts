/**
 * Runs a job with its secrets injected and its output redacted. Exported as `nopeek/launch`.
 *
 * @module
 */
export { allowedVariables, globPattern } from "./environment.ts";
export { launch } from "./launch.ts";
export { local } from "./local.ts";
export { type MountInput, mountVariables } from "./mounts.ts";
export type { EndedBy, LaunchOptions, LaunchResult, Leak } from "./options.ts";
export type { CommandEnd, Job, JobSecret, RunningJob, Runtime } from "./runtime.ts";
export type { RedactionCount, Redactions } from "./tally.ts";
