import { Transform } from "node:stream";
import type { Scanner } from "./scanner.ts";

/** A pause this long shows a little of what is held back. */
const pauseMs = 25;

/**
 * A Transform around a scanner: backpressure in both directions comes from the stream, a timer of
 * its own tells the scanner of pauses.
 */
export function createStream(
  hold: "pause" | "strict",
  makeScanner: (write: (bytes: Uint8Array) => void) => Scanner,
): Transform {
  let timer: NodeJS.Timeout | undefined;
  const stream = new Transform({
    decodeStrings: true,
    transform(chunk: Buffer, _encoding, done) {
      clearTimeout(timer);
      try {
        scanner.push(chunk);
      } catch (error) {
        done(error as Error);
        return;
      }
      if (hold === "pause" && scanner.pending > 0) {
        timer = setTimeout(() => scanner.pause(), pauseMs);
      }
      done();
    },
    flush(done) {
      clearTimeout(timer);
      scanner.end();
      done();
    },
    destroy(error, done) {
      clearTimeout(timer);
      done(error);
    },
  });
  const scanner = makeScanner((bytes) => void stream.push(bytes));
  return stream;
}
