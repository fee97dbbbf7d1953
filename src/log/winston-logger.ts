import type { Redactor } from "../redact/index.ts";
import { SecretError } from "../secrets/index.ts";
import { maskLine } from "./json-line.ts";

/** A record on its way through winston: properties, and symbols that winston adds. */
export type Info = Record<PropertyKey, unknown>;
type Log = (...args: unknown[]) => unknown;

/** What records are piped to: transports, wrappers around them, any stream of objects. */
export interface Target {
  log?: Log;
  logv?: Log;
  format?: unknown;
  /** The transport inside a wrapper of winston's. */
  transport?: Target;
  _write?: unknown;
  _writev?: unknown;
  listenerCount?(event: string): number;
}

/** What is used of a logger. */
export interface WinstonLogger {
  readonly transports: readonly Target[];
  readonly levels: Readonly<Record<string, unknown>>;
  readonly exceptions?: { readonly handlers?: ReadonlyMap<Target, unknown> };
  readonly rejections?: { readonly handlers?: ReadonlyMap<Target, unknown> };
  _transform(info: Info, encoding: unknown, callback: unknown): void;
  push(info: Info | null, encoding?: unknown): boolean;
  pipe(target: Target, options?: unknown): unknown;
  listenerCount(event: string): number;
}

/** Symbols that winston's parts share. */
export const levelSymbol = Symbol.for("level");
export const messageSymbol = Symbol.for("message");

/**
 * The logger, if it is one of winston 3.
 *
 * @throws SecretError `LOGGER_UNSUPPORTED`.
 */
export function asWinstonLogger(logger: object): WinstonLogger {
  const known = logger as Partial<WinstonLogger>;
  const isLogger = ["_transform", "push", "pipe"].every(
    (name) => typeof Reflect.get(logger, name) === "function",
  );
  if (isLogger && Array.isArray(known.transports)) return known as WinstonLogger;
  throw new SecretError(
    "LOGGER_UNSUPPORTED",
    "redactWinston takes a logger that winston 3 made with createLogger()",
  );
}

/** A record with nothing but masks in it; the record itself if it is clean plain data. */
export function maskInfo(info: unknown, redactor: Redactor): unknown {
  const masked = redactor.redactObject(info);
  // Winston writes properties into its records: never into somebody's text.
  if (typeof masked !== "object" || masked === null) return { message: masked };
  const text: unknown = Reflect.get(masked, messageSymbol);
  const line = typeof text === "string" ? maskLine(text, redactor) : text;
  return line === text ? masked : withLine(masked, line);
}

/** The same for a sink that reads nothing but the finished line. */
export function maskInfoLine(info: unknown, redactor: Redactor): unknown {
  if (typeof info !== "object" || info === null) return maskInfo(info, redactor);
  const text: unknown = Reflect.get(info, messageSymbol);
  if (typeof text !== "string") return maskInfo(info, redactor);
  return maskLine(text, redactor) === text ? info : maskInfo(info, redactor);
}

function withLine(info: object, line: unknown): object {
  const copy: object = Object.create(
    Object.getPrototypeOf(info),
    Object.getOwnPropertyDescriptors(info),
  );
  Object.defineProperty(copy, messageSymbol, {
    value: line,
    enumerable: true,
    writable: true,
    configurable: true,
  });
  return copy;
}
