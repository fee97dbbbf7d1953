import type { Writable } from "node:stream";
import type { Redactor } from "../redact/index.ts";
import { ownRedactor } from "./own-redactor.ts";

/** Where the global console keeps its streams; it asks for them at every call. */
interface ConsoleStreams {
  _stdout: Writable;
  _stderr: Writable;
}

/**
 * Masks secrets in what the global console prints, whoever took its methods before. Each call is a
 * text of its own. `redactStdio` does this too, and more; this leaves `process.stdout` alone.
 *
 * @param redactor - Without it, every secret of the process is masked, also those yet to come.
 * @returns Dispose it to restore the console.
 *
 * @example
 * using masked = redactConsole();
 * console.log({ token: token.reveal() }); // { token: '[REDACTED:HF_TOKEN]' }
 */
export function redactConsole(redactor: Redactor = ownRedactor()): Disposable {
  const streams = console as unknown as ConsoleStreams;
  const { _stdout: stdout, _stderr: stderr } = streams;
  const [out, err] = [maskedView(stdout, redactor), maskedView(stderr, redactor)];
  streams._stdout = out;
  streams._stderr = err;
  return {
    [Symbol.dispose]: () => {
      // Somebody else's replacement stays.
      if (streams._stdout === out) streams._stdout = stdout;
      if (streams._stderr === err) streams._stderr = stderr;
    },
  };
}

/** The stream as the console sees it: the same in all but what is written. */
function maskedView(stream: Writable, redactor: Redactor): Writable {
  const view: Writable = Object.create(stream);
  const write = (chunk: unknown, encoding: BufferEncoding, callback: () => void): boolean => {
    const masked = typeof chunk === "string" ? redactor.redact(chunk) : chunk;
    return stream.write(masked, encoding, callback);
  };
  // These change the stream itself, not the view.
  const own = ["on", "once", "off", "addListener", "removeListener", "emit"] as const;
  const methods = own.map((name) => [name, stream[name].bind(stream)] as const);
  for (const [name, value] of [["write", write] as const, ...methods]) {
    Object.defineProperty(view, name, { value, writable: true, configurable: true });
  }
  return view;
}
