import { Transform } from "node:stream";
import type { Scanner } from "./scanner.ts";

/** A pause this long shows a little of what is held back. */
const pauseMs = 25;
/** A job that ends sooner needs no rules. */
const prepareAfterMs = 10;

/**
 * A Transform around a scanner: backpressure in both directions comes from the stream, a timer of
 * its own tells the scanner of pauses.
 */
export function createStream(
  hold: "pause" | "strict",
  makeScanner: (write: (bytes: Uint8Array) => void) => Scanner,
): Transform {
  let timer: NodeJS.Timeout | undefined;
  let decided: Uint8Array[] = [];
  const pushDecided = () => {
    for (const bytes of inWholeLines(decided)) stream.push(bytes);
    decided = [];
  };
  let scanner: Scanner | undefined;
  const prepared = () => {
    scanner ??= makeScanner((bytes) => void decided.push(bytes));
    return scanner;
  };
  // Rules take tens of milliseconds to compile: while who writes to this stream starts up.
  const preparing = setTimeout(prepared, prepareAfterMs).unref();
  const stream = new Transform({
    decodeStrings: true,
    transform(chunk: Buffer, _encoding, done) {
      clearTimeout(timer);
      const scanner = prepared();
      try {
        scanner.push(chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      pushDecided();
      if (hold === "pause" && (scanner.pending > 0 || scanner.isUntold)) {
        timer = setTimeout(() => {
          scanner.pause();
          pushDecided();
        }, pauseMs);
      }
      done();
    },
    flush(done) {
      clearTimeout(preparing);
      clearTimeout(timer);
      scanner?.end();
      pushDecided();
      done();
    },
    destroy(error, done) {
      clearTimeout(preparing);
      clearTimeout(timer);
      done(error);
    },
  });
  return stream;
}

/** Copying fewer bytes costs less than a write of their own. */
const largeBytes = 8192;
const newline = 0x0a;

/**
 * Puts parts together, so that masks and text of a line are written together, but copies of large
 * parts only the lines that another part belongs to.
 */
function inWholeLines(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (parts.length < 2) return parts;
  const whole: Uint8Array[] = [];
  let line: Uint8Array[] = [];
  const endLine = () => {
    if (line.length > 0) whole.push(Buffer.concat(line));
    line = [];
  };
  for (const [index, part] of parts.entries()) {
    if (part.length < largeBytes) {
      line.push(part);
      continue;
    }
    const from = line.length === 0 ? 0 : part.indexOf(newline) + 1;
    const to = index === parts.length - 1 ? part.length : part.lastIndexOf(newline) + 1;
    if (from > 0) line.push(part.subarray(0, from));
    endLine();
    if (from < to) whole.push(part.subarray(from, to));
    if (to < part.length) line.push(part.subarray(to));
  }
  endLine();
  return whole;
}
