/**
 * Replaces secrets in text and streams. Exported as `nopeek/redact`.
 *
 * @module
 */
export type { Finding } from "./finding.ts";
export {
  createRedactor,
  type Redactor,
  type RedactorOptions,
  type StreamOptions,
} from "./redactor.ts";
