import { buffer } from "node:stream/consumers";
import type { Redactor } from "nopeek/redact";

/** The output for an input that is written in pieces, cut at offsets or between all bytes. */
export async function inPieces(
  redactor: Redactor,
  input: Buffer,
  cuts: readonly number[] | "bytes",
): Promise<Buffer> {
  const stream = redactor.stream();
  const output = buffer(stream);
  const all = cuts === "bytes" ? Array.from(input.keys()) : [...cuts].sort((a, b) => a - b);
  let from = 0;
  for (const cut of all) {
    const to = Math.min(input.length, cut);
    // A memory of its own, at any alignment.
    const memory = Buffer.alloc(to - from + 3);
    const piece = memory.subarray(cut % 4, (cut % 4) + to - from);
    input.copy(piece, 0, from, to);
    stream.write(piece);
    from = Math.max(from, to);
  }
  stream.end(input.subarray(from));
  return output;
}
