import { createRequire } from "node:module";
import type { Target } from "./winston-logger.ts";

/** The prototypes of the winston that this package sees: others are only slower to mask. */
interface BuiltIns {
  /** `_write` and `_writev` of the base class: they hand records to `log` and nowhere else. */
  readonly base: Target;
  /** Transports that read nothing of a record but its level and its line. */
  readonly lineOnly: readonly Target[];
}

let found: BuiltIns | null | undefined;

/** Whether records reach this target through `log` only. */
export function writesByLog(target: Target): boolean {
  const known = builtIns();
  if (known === null) return false;
  return target._write === known.base._write && target._writev === known.base._writev;
}

/** Whether the target looks at nothing of a record but its line, and hands it on to nobody. */
export function readsLineOnly(target: Target, log: unknown): boolean {
  const isKnown = builtIns()?.lineOnly.some((prototype) => prototype.log === log) ?? false;
  // It tells listeners of every record; a stream of objects gets the record itself.
  return (
    isKnown &&
    target.logv === undefined &&
    Reflect.get(target, "isObjectMode") !== true &&
    target.listenerCount?.("logged") === 0
  );
}

function builtIns(): BuiltIns | null {
  if (found !== undefined) return found;
  try {
    const winston = createRequire(import.meta.url)("winston");
    const { Console, File, Stream } = winston.transports;
    found = {
      base: winston.Transport.prototype,
      lineOnly: [Console.prototype, File.prototype, Stream.prototype],
    };
  } catch {
    // Another winston, or a bundled one: every target is treated as unknown.
    found = null;
  }
  return found;
}
