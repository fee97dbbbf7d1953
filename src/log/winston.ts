/**
 * Masks secrets in what a winston logger writes. Exported as `nopeek/log/winston`.
 *
 * @module
 */
import type { Redactor } from "../redact/index.ts";
import { ownRedactor } from "./own-redactor.ts";
import { handsOnNothing, logsLineOnly, writesByLog } from "./winston-built-in.ts";
import {
  asWinstonLogger,
  type Info,
  type Log,
  levelSymbol,
  maskInfo,
  maskInfoLine,
  type Target,
  type WinstonLogger,
} from "./winston-logger.ts";

/** One of several records that a stream hands over together. */
interface Entry {
  readonly chunk: unknown;
  readonly encoding: unknown;
  readonly callback: unknown;
}

/** Loggers and transports that go through a redactor already. */
const maskedBy = new WeakMap<object, Set<Redactor>>();

/**
 * Masks secrets in every record of a winston logger, and of its children: at each transport, after
 * the transport's own format, for those that ship objects at any depth and in symbol properties,
 * for transports added later, for handlers of exceptions and rejections.
 *
 * @param redactor - Without it, every secret of the process is masked, also those yet to come.
 * @returns The same logger.
 * @throws SecretError `LOGGER_UNSUPPORTED` for what is no logger of winston 3.
 *
 * @example
 * const logger = redactWinston(winston.createLogger({ transports: [new winston.transports.Console()] }));
 * logger.info("ready", { token: token.reveal() }); // {"level":"info","token":"[REDACTED:HF_TOKEN]",...}
 */
export function redactWinston<L extends object>(logger: L, redactor: Redactor = ownRedactor()): L {
  const known = asWinstonLogger(logger);
  if (!isFirst(logger, redactor)) return logger;
  const handlers = [known.exceptions, known.rejections].flatMap((handler) => [
    ...(handler?.handlers?.keys() ?? []),
  ]);
  for (const target of [...known.transports, ...handlers]) maskTarget(target, redactor);
  maskPipes(known, redactor);
  maskRecords(known, redactor);
  return logger;
}

/**
 * A format for loggers that are yet to be made; put it last, after `json()` and the like. Transports
 * with a format of their own make the line anew after it: `redactWinston` masks those too.
 */
export function redactFormat(redactor: Redactor = ownRedactor()): {
  transform<I>(info: I): I;
} {
  return { transform: <I>(info: I) => maskInfo(info, redactor) as I };
}

/** Whatever records are piped to later. */
function maskPipes(logger: WinstonLogger, redactor: Redactor): void {
  const { pipe } = logger;
  replace(logger, "pipe", (target: Target, ...rest: unknown[]) => {
    maskTarget(target, redactor);
    return Reflect.apply(pipe, logger, [target, ...rest]);
  });
}

/**
 * Records as they leave the logger. Where each is only handed to transports that mask what they
 * log, it is left to them: they see it last. Otherwise it is masked here.
 */
function maskRecords(logger: WinstonLogger, redactor: Redactor): void {
  const { push, _transform: transform } = logger;
  replace(logger, "push", (info: Info | null, encoding?: string) => {
    const isLeft = info === null || leavesToTransports(logger);
    return push.call(logger, isLeft ? info : (maskInfo(info, redactor) as Info), encoding);
  });
  replace(logger, "_transform", (info: Info, encoding: unknown, callback: unknown) => {
    const shown = isPrinted(logger, info) ? (maskInfo(info, redactor) as Info) : info;
    return transform.call(logger, shown, encoding, callback);
  });
}

/** Winston prints records that it has no transport for, and levels that it does not know. */
function isPrinted(logger: WinstonLogger, info: Info): boolean {
  const level = info[levelSymbol] ?? info["level"];
  return !Object.hasOwn(logger.levels, String(level)) || logger.transports.length === 0;
}

function leavesToTransports(logger: WinstonLogger): boolean {
  const { transports } = logger;
  // Each pipe listens for data; anybody else gets the record as it is.
  return (
    logger.listenerCount("data") === transports.length &&
    logger.listenerCount("readable") === 0 &&
    transports.every(writesByLog)
  );
}

/** Masks what a transport is told to log, and the transport inside a wrapper. */
function maskTarget(target: Target, redactor: Redactor): void {
  if (target.transport !== undefined) maskTarget(target.transport, redactor);
  const { log, logv } = target;
  if (typeof log !== "function" || !isFirst(target, redactor)) return;
  // The old way, with a level and a text before the record, is told by the number of parameters.
  replace(
    target,
    "log",
    log.length > 2 ? maskedOldLog(target, log, redactor) : maskedLog(target, log, redactor),
  );
  if (typeof logv !== "function") return;
  replace(target, "logv", (batch: readonly Entry[], callback: unknown) => {
    // Nothing else of an entry: each is linked to the next one as it was.
    const records = batch.map(({ chunk, encoding, callback: done }) => ({
      chunk: maskInfo(chunk, redactor),
      encoding,
      callback: done,
    }));
    return Reflect.apply(logv, target, [records, callback]);
  });
}

function maskedLog(target: Target, log: Log, redactor: Redactor): Log {
  const isLineOnly = logsLineOnly(log);
  return (info, callback) => {
    const mask = isLineOnly && handsOnNothing(target) ? maskInfoLine : maskInfo;
    return log.call(target, mask(info, redactor), callback);
  };
}

function maskedOldLog(target: Target, log: Log, redactor: Redactor): Log {
  return (...args) => {
    const masked = args.map((value) =>
      typeof value === "function" ? value : redactor.redactObject(value),
    );
    return log.apply(target, masked);
  };
}

function isFirst(owner: object, redactor: Redactor): boolean {
  const redactors = maskedBy.get(owner) ?? new Set();
  if (redactors.has(redactor)) return false;
  maskedBy.set(owner, redactors.add(redactor));
  return true;
}

function replace(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: true, configurable: true });
}
