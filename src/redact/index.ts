/**
 * Replaces secrets in text and streams. Exported as `nopeek/redact`.
 *
 * @module
 */
export {
  createRedactor,
  type Finding,
  type Redactor,
  type RedactorOptions,
  type StreamOptions,
} from "./redactor.ts";
