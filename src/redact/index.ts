/**
 * Replaces secrets in text and streams. Exported as `nopeek/redact`.
 *
 * @module
 */

export { fingerprint } from "../secrets/index.ts";
export type { Chunks, Finder } from "./chunks.ts";
export type { Finding } from "./finding.ts";
export type { ObjectLimits } from "./masker.ts";
export type { FindOptions, Redactor, RedactorOptions, StreamOptions } from "./options.ts";
export { createRedactor } from "./redactor.ts";
