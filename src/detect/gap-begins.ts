import { beginsGap } from "./gaps.ts";
import { Words } from "./words.ts";

/** Bytes that are looked at with one branch. */
const roundBytes = 32;

/** Finds the line breaks and escapes of a chunk, all at once: most text holds few. */
export class GapBegins {
  /** Their offsets in the chunk, in order; the first `count` are of this chunk. */
  offsets = new Int32Array(256);
  count = 0;
  readonly #words = new Words();

  find(chunk: Uint8Array): void {
    // Memory that is not written to costs nothing.
    if (this.offsets.length < chunk.length) this.offsets = new Int32Array(chunk.length);
    const { offsets } = this;
    const words = this.#words.of(chunk);
    const shift = chunk.byteOffset;
    const end = (shift + chunk.length) >> 2;
    let word = (shift + 3) >> 2;
    let count = findIn(chunk, 0, word * 4 - shift, offsets, 0);
    for (; word + 8 <= end; word += 8) {
      const a = belowBlank(words[word] as number);
      const b = belowBlank(words[word + 1] as number);
      const c = belowBlank(words[word + 2] as number);
      const d = belowBlank(words[word + 3] as number);
      const e = belowBlank(words[word + 4] as number);
      const f = belowBlank(words[word + 5] as number);
      const g = belowBlank(words[word + 6] as number);
      const h = belowBlank(words[word + 7] as number);
      if (((a | b | c | d | e | f | g | h) & 0x80808080) === 0) continue;
      const from = word * 4 - shift;
      // Byte k of word j is bit 8 k + j.
      const below =
        ((a >>> 7) & 0x01010101) |
        ((b >>> 6) & 0x02020202) |
        ((c >>> 5) & 0x04040404) |
        ((d >>> 4) & 0x08080808) |
        ((e >>> 3) & 0x10101010) |
        ((f >>> 2) & 0x20202020) |
        ((g >>> 1) & 0x40404040) |
        (h & 0x80808080);
      if ((below & (below - 1)) === 0) {
        const bit = 31 - Math.clz32(below);
        const i = from + ((bit & 7) << 2) + (bit >> 3);
        offsets[count] = i;
        count += beginsGap[chunk[i] as number] as number;
      } else {
        count = findIn(chunk, from, from + roundBytes, offsets, count);
      }
    }
    this.count = findIn(chunk, word * 4 - shift, chunk.length, offsets, count);
  }
}

/** Byte by byte. @returns How many offsets there are then. */
function findIn(
  chunk: Uint8Array,
  from: number,
  to: number,
  offsets: Int32Array,
  before: number,
): number {
  const end = Math.min(to, chunk.length);
  let count = before;
  for (let i = from; i < end; i++) if (beginsGap[chunk[i] as number] === 1) offsets[count++] = i;
  return count;
}

/**
 * Its highest bit of each byte tells of those below 0x20 in a word; and of some behind the lowest one,
 * since it borrows from them.
 */
function belowBlank(word: number): number {
  return (word - 0x20202020) & ~word;
}
