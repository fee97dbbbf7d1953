import { inspect } from "node:util";
import type { Redactor } from "../redact/index.ts";

/**
 * Prints errors that end the process masked. Node prints them past every stream, so where nobody
 * listens, they are printed here first, and the process ends as it would have: with code 1, after
 * its `exit` event. Listeners of others and their decisions stay.
 */
export function maskFatalErrors(redactor: Redactor, print: (text: string) => void): Disposable {
  const end = (thrown: unknown): void => {
    // A monitor of somebody else has found a listener meanwhile: it decides.
    if (process.listenerCount("uncaughtException") > 0) return;
    print(`${describe(thrown, redactor)}\n\nNode.js ${process.version}\n`);
    process.exit(1);
  };
  const monitor = (): void => {
    if (process.listenerCount("uncaughtException") > 0) return;
    if (process.hasUncaughtExceptionCaptureCallback()) return;
    process.once("uncaughtException", end);
  };
  process.on("uncaughtExceptionMonitor", monitor);
  return {
    [Symbol.dispose]: () => void process.off("uncaughtExceptionMonitor", monitor),
  };
}

/** Masks warnings before Node prints them, past the streams as well. */
export function maskWarnings(redactor: Redactor): Disposable {
  const mask = (warning: Error): void => {
    for (const part of ["name", "message", "stack", "code", "detail"] as const) {
      const text: unknown = Reflect.get(warning, part);
      if (typeof text !== "string") continue;
      const masked = redactor.redact(text);
      if (masked !== text) Reflect.set(warning, part, masked);
    }
    if (warning.toString !== Error.prototype.toString) {
      Reflect.set(warning, "toString", Error.prototype.toString);
    }
  };
  process.prependListener("warning", mask);
  return { [Symbol.dispose]: () => void process.off("warning", mask) };
}

function describe(thrown: unknown, redactor: Redactor): string {
  const shown =
    thrown instanceof Error
      ? inspect(redactor.redactError(thrown))
      : `Uncaught ${inspect(redactor.redactObject(thrown))}`;
  return redactor.redact(shown);
}
