import type { Redactor } from "../redact/index.ts";
import { SecretError } from "../secrets/index.ts";
import { maskLine } from "./json-line.ts";

/** A record on its way through winston: properties, and symbols that winston adds. */
export type Info = Record<PropertyKey, unknown>;
export type Log = (...args: unknown[]) => unknown;

/** What records are piped to: transports, wrappers around them, any stream of objects. */
export interface Target {
  log?: Log;
  logv?: Log;
  format?: unknown;
  /** The transport inside a wrapper of winston's. */
  transport?: Target;
  _write?: unknown;
  _writev?: unknown;
  /** Of the transport for streams: whether the stream takes records themselves. */
  isObjectMode?: unknown;
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
const messageSymbol = Symbol.for("message");

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
  const line = lineOf(info);
  if (line === null) return masked;
  const maskedLine = maskLine(line, redactor);
  if (maskedLine === Reflect.get(masked, messageSymbol)) return masked;
  const copy = masked === info ? Object.assign({}, info) : masked;
  Object.defineProperty(copy, messageSymbol, {
    value: maskedLine,
    enumerable: true,
    writable: true,
    configurable: true,
  });
  return copy;
}

/**
 * The same for a sink that reads nothing but the level and the finished line. It gets these alone:
 * what was read here once, and masked, is what it reads, whatever the record answers the next time.
 */
export function maskInfoLine(info: unknown, redactor: Redactor): unknown {
  const { [levelSymbol]: level, [messageSymbol]: line } = Object(info) as Info;
  if (typeof line !== "string") return maskInfo(info, redactor);
  return { [levelSymbol]: level, [messageSymbol]: maskLine(line, redactor) };
}

/** What the last format made of a record. */
function lineOf(info: unknown): string | null {
  if (typeof info !== "object" || info === null) return null;
  const line = Reflect.getOwnPropertyDescriptor(info, messageSymbol)?.value;
  return typeof line === "string" ? line : null;
}
