/**
 * Redaction inside the container: a Python program that runs as the sandbox's command around the
 * user's command, and what the launcher needs to start it and to read what it reports.
 *
 * @module
 */
export { newShimKey, shimKeyVariable } from "./key.ts";
export { createRecordFilter } from "./record-filter.ts";
export type { ShimRecord } from "./records.ts";
export { noShimExitCode, type WrapOptions, wrapCommand } from "./wrap-command.ts";
