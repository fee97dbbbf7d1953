/**
 * Replaces secrets in text and streams. Exported as `nopeek/redact`.
 *
 * @module
 */

export { fingerprint } from "../secrets/index.ts";
export type { Chunks } from "./chunks.ts";
export type { Finding } from "./finding.ts";
export type { ObjectLimits } from "./masker.ts";
export {
  createRedactor,
  type FindOptions,
  type Redactor,
  type RedactorOptions,
  type StreamOptions,
} from "./redactor.ts";
