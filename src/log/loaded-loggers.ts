import { subscribe, unsubscribe } from "node:diagnostics_channel";
import Module from "node:module";
import type { Redactor } from "../redact/index.ts";
import { redactDestination } from "./pino.ts";
import { destinationOf, type PinoLogger } from "./pino-logger.ts";
import { redactWinston } from "./winston.ts";

/** Pino (9.10 and later) tells of every line that it is about to make. */
const pinoChannel = "tracing:pino_asJson:start";

/** Masks the destination of every pino logger when it writes its first line. */
export function watchPino(redactor: Redactor): Disposable {
  const loggers = new WeakSet<object>();
  const destinations = new WeakSet<object>();
  const onLine = (message: unknown): void => {
    const { instance } = message as { instance: PinoLogger };
    if (loggers.has(instance)) return;
    loggers.add(instance);
    const destination = destinationOf(instance);
    if (destination === null || destinations.has(destination)) return;
    destinations.add(destination);
    // The standard streams are masked already.
    if (destination === process.stdout || destination === process.stderr) return;
    try {
      redactDestination(destination, redactor);
    } catch {
      process.emitWarning("nopeek: a destination of pino cannot be masked: its methods are fixed");
    }
  };
  subscribe(pinoChannel, onLine);
  return { [Symbol.dispose]: () => void unsubscribe(pinoChannel, onLine) };
}

interface LoggerClass {
  readonly prototype: { _transform(...args: unknown[]): void };
}
type Load = (request: string, ...rest: unknown[]) => unknown;
const loader = Module as unknown as { _load: Load; _cache: Record<string, { exports: unknown }> };

/** Masks every winston logger at its first record: winston is loaded already, or will be. */
export function watchWinston(redactor: Redactor): Disposable {
  const classes = new WeakSet<object>();
  const loggers = new WeakSet<object>();
  const follow = (exported: unknown): void => {
    if (!isLoggerClass(exported) || classes.has(exported)) return;
    classes.add(exported);
    const { prototype } = exported;
    const transform = prototype._transform;
    prototype._transform = function (this: LoggerClass["prototype"], ...args) {
      if (loggers.has(this)) return Reflect.apply(transform, this, args);
      loggers.add(this);
      redactWinston(this, redactor);
      // It has a method of its own by now, which comes back here.
      return this._transform(...args);
    };
  };
  for (const { exports } of Object.values(loader._cache)) follow(exports);
  const load = loader._load;
  const watching: Load = function (this: unknown, request, ...rest) {
    const exported = Reflect.apply(load, this, [request, ...rest]);
    if (typeof request === "string" && request.endsWith("logger")) follow(exported);
    return exported;
  };
  loader._load = watching;
  return {
    [Symbol.dispose]: () => {
      if (loader._load === watching) loader._load = load;
    },
  };
}

/** By its members: there may be several copies of winston, and none is imported here. */
function isLoggerClass(exported: unknown): exported is LoggerClass {
  if (typeof exported !== "function" || exported.name !== "Logger") return false;
  const members: object = exported.prototype;
  return ["_transform", "configure", "getHighestLogLevel", "startTimer"].every((name) =>
    Object.hasOwn(members, name),
  );
}
