import type { Redactor } from "../redact/index.ts";
import { SecretError } from "../secrets/index.ts";
import { maskLine } from "./json-line.ts";

/** Turns a line of JSON into the line that is written. */
export type StreamWrite = (line: string) => string;

/** A destination; pino sets the `last...` properties of one that asks for them. */
export interface Destination {
  write(line: string): unknown;
  lastObj?: unknown;
  lastMsg?: unknown;
}

/** What is used of a logger. Loggers inherit from their parents. */
export interface PinoLogger {
  readonly version?: unknown;
  bindings(): Record<string, unknown>;
  [key: symbol]: unknown;
}

/** Symbols of pino that are the same in every copy of it. */
const hooksSymbol = Symbol.for("pino.hooks");
const metadataSymbol = Symbol.for("pino.metadata");

/** The first version that calls `hooks.streamWrite`; older ones ignore it without a word. */
const oldest = [9, 6] as const;

/**
 * The logger, if it is one whose lines can be masked.
 *
 * @throws SecretError `LOGGER_UNSUPPORTED`.
 */
export function asPinoLogger(logger: object): PinoLogger {
  const { [hooksSymbol]: hooks, version } = logger as PinoLogger;
  if (typeof hooks !== "object" || hooks === null || typeof version !== "string") {
    throw new SecretError("LOGGER_UNSUPPORTED", "redactPino takes a logger that pino() made");
  }
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new SecretError(
      "LOGGER_UNSUPPORTED",
      `this pino is too old to be masked; install pino ${oldest.join(".")} or later`,
    );
  }
  return logger as PinoLogger;
}

/** Where the logger writes; the symbol is private to its copy of pino. */
export function destinationOf(logger: PinoLogger): Destination | null {
  for (let at: object | null = logger; at !== null; at = Object.getPrototypeOf(at)) {
    for (const symbol of Object.getOwnPropertySymbols(at)) {
      if (symbol.description === "pino.stream") return Reflect.get(logger, symbol) as Destination;
    }
  }
  return null;
}

/** Which redactors a set of hooks, or a destination, goes through already. */
const maskedBy = new WeakMap<object, Set<Redactor>>();

/**
 * Puts the hook behind one that the user has set. Children that exist inherit it.
 *
 * @returns Whether it was not there yet.
 */
export function hookLines(logger: PinoLogger, redactor: Redactor): boolean {
  const hooks = logger[hooksSymbol] as { streamWrite?: StreamWrite };
  const redactors = maskedBy.get(hooks);
  if (redactors?.has(redactor)) return false;
  const { streamWrite } = hooks;
  const mask: StreamWrite = (line) => maskLine(line, redactor);
  // A new object: pino gives one and the same to all loggers that have no hooks of their own.
  const masked = {
    ...hooks,
    streamWrite: streamWrite === undefined ? mask : (line: string) => mask(streamWrite(line)),
  };
  maskedBy.set(masked, new Set([...(redactors ?? []), redactor]));
  logger[hooksSymbol] = masked;
  return true;
}

/** Masks what `bindings()` gives: destinations that take metadata can ask their logger for them. */
export function maskBindings(logger: PinoLogger, redactor: Redactor): void {
  const { bindings } = logger;
  Object.defineProperty(logger, "bindings", {
    value(this: PinoLogger) {
      return redactor.redactObject(bindings.call(this));
    },
    writable: true,
    configurable: true,
  });
}

/**
 * Masks the objects that pino hands to a destination which asks for them, when they are read. Pino
 * sets them before it writes the line.
 */
export function maskMetadata(destination: Destination, redactor: Redactor): void {
  if (Reflect.get(destination, metadataSymbol) !== true) return;
  const known = maskedBy.get(destination);
  if (known !== undefined) {
    known.add(redactor);
    return;
  }
  const redactors = new Set([redactor]);
  for (const name of ["lastObj", "lastMsg"] as const) {
    let value: unknown = destination[name];
    let isMasked = false;
    const isDefined = Reflect.defineProperty(destination, name, {
      get() {
        if (!isMasked) for (const each of redactors) value = each.redactObject(value);
        isMasked = true;
        return value;
      },
      set(next: unknown) {
        value = next;
        isMasked = false;
      },
      enumerable: true,
      configurable: true,
    });
    if (isDefined) continue;
    throw new SecretError(
      "LOGGER_UNSUPPORTED",
      "a destination that asks for metadata cannot be masked: its properties are fixed",
    );
  }
  maskedBy.set(destination, redactors);
}
