/**
 * Runs a job with its secrets injected and its output redacted. Exported as `nopeek/launch`.
 *
 * @module
 */
export type { Code, CodeInput } from "./code.ts";
export { allowedVariables, globPattern, neverPassed } from "./environment.ts";
export { launch } from "./launch.ts";
export {
  type JobResult,
  type LaunchManyOptions,
  launchMany,
  type ManyJob,
  type Progress,
} from "./launch-many.ts";
export { isLauncherAlive, launcherId } from "./launcher.ts";
export { local } from "./local.ts";
export { type MountInput, mountVariables } from "./mounts.ts";
export type { EndedBy, LaunchOptions, LaunchResult, Leak } from "./options.ts";
export type {
  CommandEnd,
  ContainerFinding,
  Job,
  JobSecret,
  RunningJob,
  Runtime,
} from "./runtime.ts";
export type { RedactionCount, Redactions } from "./tally.ts";
