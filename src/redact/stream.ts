import { Transform } from "node:stream";
import { Output } from "./output.ts";
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
  makeScanner: (output: Output) => Scanner,
): Transform {
  let timer: NodeJS.Timeout | undefined;
  const output = new Output();
  const pushDecided = () => {
    for (const bytes of output.take()) stream.push(bytes);
  };
  let scanner: Scanner | undefined;
  const prepared = () => {
    scanner ??= makeScanner(output);
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
