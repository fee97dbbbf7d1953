import { createRequire } from "node:module";
import type { Target } from "./winston-logger.ts";

/** The prototypes of the winston that this package sees: others are only slower to mask. */
interface BuiltIns {
  /** `_write` and `_writev` of the base class: they hand records to `log` and nowhere else. */
  readonly base: Target;
  /** `log` of transports that read nothing of a record but its level and its line. */
  readonly lineOnly: ReadonlySet<unknown>;
}

let found: BuiltIns | null | undefined;

/** Whether records reach this target through `log` only. */
export function writesByLog(target: Target): boolean {
  const known = builtIns();
  if (known === null) return false;
  return target._write === known.base._write && target._writev === known.base._writev;
}

/** Whether this `log` looks at nothing of a record but its level and its line, as far as it is told so. */
export function logsLineOnly(log: unknown): boolean {
  return builtIns()?.lineOnly.has(log) ?? false;
}

/** Whether a target with such a `log` hands the record on to nobody now. */
export function handsOnNothing(target: Target): boolean {
  // It tells listeners of every record; a stream of objects gets the record itself.
  return (
    target.logv === undefined &&
    target.isObjectMode !== true &&
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
      lineOnly: new Set([Console, File, Stream].map(({ prototype }) => prototype.log)),
    };
  } catch {
    // Another winston, or a bundled one: every target is treated as unknown.
    found = null;
  }
  return found;
}
