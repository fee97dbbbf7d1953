import { isMainThread } from "node:worker_threads";
import type { Redactor } from "../redact/index.ts";
import { maskFatalErrors, maskWarnings } from "./fatal-errors.ts";
import { ownRedactor } from "./own-redactor.ts";
import { atProcessEnd } from "./process-end.ts";
import { StreamGuard } from "./stream-guard.ts";

/**
 * Masks secrets in all that this process writes to its standard output and error: through `write`,
 * `end`, pipes, the console, of worker threads too, in every encoding and cut over any number of
 * writes; also in warnings, uncaught errors and unhandled rejections.
 *
 * What goes past the streams is not seen: `fs.writeSync(1, ...)`, `process._rawDebug`, native crash
 * reports, child processes that inherit the streams. `nopeek run` covers those.
 *
 * @param redactor - Without it, every secret of the process is masked, also those yet to come.
 * @returns Dispose it to write what is held and to restore the streams.
 *
 * @example
 * using masked = redactStdio();
 * process.stdout.write(`${token.reveal()}\n`); // [REDACTED:HF_TOKEN]
 */
export function redactStdio(redactor: Redactor = ownRedactor()): Disposable {
  const guards = [process.stdout, process.stderr].map(
    (stream) => new StreamGuard(stream, redactor),
  );
  const parts: readonly Disposable[] = [
    maskWarnings(redactor),
    // An error of a worker is one of the main thread, which prints it.
    ...(isMainThread ? [maskFatalErrors(redactor, (text) => void process.stderr.write(text))] : []),
    atProcessEnd(() => {
      for (const guard of guards) guard.flushForExit();
    }),
    ...guards,
  ];
  return {
    [Symbol.dispose]: () => {
      for (const part of parts) part[Symbol.dispose]();
    },
  };
}
