/**
 * All words of 4 bytes that stand in needles, as one bit each in a table of hashes. Text in which such
 * a word is not set is part of no needle; text whose words are all set is one rarely.
 */

/** Shorter needles are too likely by chance where text was put together. */
export const minUnwrappedBytes = 8;

/** So many bytes on each side of a joint tell whether a needle may go over it. */
export const joinedBytes = 3;

/** Bits for each byte of the needles: one in eight or more words of other text is not told apart. */
const bitsPerByte = 8;
const minTableBits = 12;
/** 16 MiB: more would cost more to look into than it saves. */
const maxTableBits = 27;
const hashFactor = 0x9e3779b1 | 0;

export class NeedleGrams {
  readonly #words: Int32Array;
  readonly #shift: number;
  /** Bytes of needles that may still be entered. */
  #room: number;

  /** A table with room for half as much again. */
  constructor(needles: readonly Uint8Array[]) {
    const bytes = needles.reduce((sum, { length }) => sum + length, 0);
    const wanted = Math.ceil(Math.log2(bytes * bitsPerByte + 1));
    const bits = Math.min(maxTableBits, Math.max(minTableBits, wanted));
    this.#words = new Int32Array(1 << (bits - 5));
    this.#shift = 32 - bits;
    this.#room = bytes * 1.5 + 4096;
    this.add(needles);
  }

  /** Enters more needles. @returns false if they are too many: make a new table. */
  add(needles: readonly Uint8Array[]): boolean {
    for (const { length } of needles) this.#room -= length;
    if (this.#room < 0) return false;
    for (const needle of needles) if (needle.length >= minUnwrappedBytes) this.#enter(needle);
    return true;
  }

  #enter(needle: Uint8Array): void {
    const words = this.#words;
    let gram = 0;
    for (let i = 0; i < needle.length; i++) {
      gram = (gram >>> 8) | ((needle[i] as number) << 24);
      if (i < 3) continue;
      const bit = Math.imul(gram, hashFactor) >>> this.#shift;
      words[bit >>> 5] = (words[bit >>> 5] as number) | (1 << bit);
    }
  }

  /** Whether four bytes, the first one lowest, may stand in a needle. */
  has(gram: number): boolean {
    const bit = Math.imul(gram, hashFactor) >>> this.#shift;
    return (((this.#words[bit >>> 5] as number) >>> bit) & 1) !== 0;
  }

  /** Whether `joinedBytes` before one place, with those at another one, may be part of a needle. */
  mayJoin(bytes: Uint8Array, end: number, start: number): boolean {
    const before =
      (bytes[end - 3] as number) |
      ((bytes[end - 2] as number) << 8) |
      ((bytes[end - 1] as number) << 16);
    const behind =
      (bytes[start] as number) |
      ((bytes[start + 1] as number) << 8) |
      ((bytes[start + 2] as number) << 16);
    return this.has(before | (behind << 24)) || this.has((before >>> 16) | (behind << 8));
  }
}
