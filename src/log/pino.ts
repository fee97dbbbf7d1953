/**
 * Masks secrets in what a pino logger writes. Exported as `nopeek/log/pino`.
 *
 * @module
 */
import type { Redactor } from "../redact/index.ts";
import { maskLine } from "./json-line.ts";
import { ownRedactor } from "./own-redactor.ts";
import {
  asPinoLogger,
  type Destination,
  destinationOf,
  hookLines,
  maskBindings,
  maskMetadata,
  type StreamWrite,
} from "./pino-logger.ts";

/**
 * Masks secrets in every line of a pino logger (9.6 or later) and of its children, also those that
 * exist already: message, bindings, errors, whatever serializers and formatters make. It is done
 * before the line reaches the destination, so transports in worker threads get masked lines, and
 * destinations that ask for metadata masked objects.
 *
 * @param redactor - Without it, every secret of the process is masked, also those yet to come.
 * @returns The same logger.
 * @throws SecretError `LOGGER_UNSUPPORTED` for what is no pino logger, or too old.
 *
 * @example
 * const logger = redactPino(pino());
 * logger.info({ token: token.reveal() }, "ready"); // {...,"token":"[REDACTED:HF_TOKEN]",...}
 */
export function redactPino<L extends object>(logger: L, redactor: Redactor = ownRedactor()): L {
  const known = asPinoLogger(logger);
  const destination = destinationOf(known);
  if (destination !== null) maskMetadata(destination, redactor);
  if (hookLines(known, redactor)) maskBindings(known, redactor);
  return logger;
}

/**
 * The hook for loggers that are yet to be made: `pino({ hooks: { streamWrite: redactLine() } })`.
 *
 * @param redactor - Without it, every secret of the process is masked, also those yet to come.
 */
export function redactLine(redactor: Redactor = ownRedactor()): StreamWrite {
  return (line) => maskLine(line, redactor);
}

/**
 * Masks the lines, and the metadata, that are given to a destination, whichever loggers share it.
 *
 * @param redactor - Without it, every secret of the process is masked, also those yet to come.
 * @returns The same destination.
 *
 * @example
 * const logger = pino(redactDestination(pino.destination("train.log")));
 */
export function redactDestination<D extends { write(line: string): unknown }>(
  destination: D,
  redactor: Redactor = ownRedactor(),
): D {
  const target: Destination = destination;
  const { write } = target;
  Object.defineProperty(target, "write", {
    value(this: unknown, line: unknown, ...rest: unknown[]) {
      const masked = typeof line === "string" ? maskLine(line, redactor) : line;
      return Reflect.apply(write, this, [masked, ...rest]);
    },
    writable: true,
    configurable: true,
  });
  maskMetadata(target, redactor);
  return destination;
}
