/**
 * All words of 4 bytes that stand in needles, as one bit each in a table of hashes. Text in which such
 * a word is not set is part of no needle; text whose words are all set is one rarely.
 */

/** Shorter needles are too likely by chance where text was put together. */
export const minUnwrappedBytes = 8;

/** So many bytes on each side of a joint tell whether a needle may go over it. */
export const joinedBytes = 5;

/**
 * At most one bit in so many is set: so rarely is a word of other text not told apart. Fewer would take
 * more memory, and what does not stay near the processor costs more to look into than it saves.
 */
const minBitsPerWord = 12;
const minTableBits = 12;
const maxTableBits = 27;
const hashFactor = 0x9e3779b1 | 0;

export class NeedleGrams {
  #words = new Int32Array(0);
  #shift = 0;
  /** How many bits are set. */
  #count = 0;
  #mostSet = 0;

  constructor(needles: readonly Uint8Array[]) {
    const bytes = needles.reduce((sum, { length }) => sum + length, 0);
    // Forms of a value have most words in common: how many there are shows when they are entered.
    let bits = Math.min(maxTableBits, Math.max(minTableBits, Math.ceil(Math.log2(bytes + 1))));
    for (this.#clear(bits); !this.add(needles); this.#clear(bits)) bits++;
  }

  /** Enters more needles. @returns false if they are too many: make a new table. */
  add(needles: readonly Uint8Array[]): boolean {
    for (const needle of needles) {
      if (needle.length >= minUnwrappedBytes) this.#enter(needle);
      if (this.#count > this.#mostSet) return false;
    }
    return true;
  }

  #clear(bits: number): void {
    this.#words = new Int32Array(1 << (bits - 5));
    this.#shift = 32 - bits;
    this.#count = 0;
    this.#mostSet = bits < maxTableBits ? 2 ** bits / minBitsPerWord : Number.POSITIVE_INFINITY;
  }

  #enter(needle: Uint8Array): void {
    const words = this.#words;
    let gram = 0;
    for (let i = 0; i < needle.length; i++) {
      gram = (gram >>> 8) | ((needle[i] as number) << 24);
      if (i < 3) continue;
      const bit = Math.imul(gram, hashFactor) >>> this.#shift;
      const word = words[bit >>> 5] as number;
      const set = 1 << bit;
      if ((word & set) !== 0) continue;
      words[bit >>> 5] = word | set;
      this.#count++;
    }
  }

  /** Whether four bytes, the first one lowest, may stand in a needle. */
  has(gram: number): boolean {
    const bit = Math.imul(gram, hashFactor) >>> this.#shift;
    return (((this.#words[bit >>> 5] as number) >>> bit) & 1) !== 0;
  }

  /**
   * Whether a needle may go over a joint, by `joinedBytes` on each side of it. Of its 8 bytes or more,
   * three or more stand on both sides, or at most two behind the joint, or at most two before it: in
   * each case three words stand in the needle.
   *
   * @param end - Where the bytes before the joint end.
   * @param start - Where those behind it begin.
   */
  mayJoin(bytes: Uint8Array, end: number, start: number): boolean {
    const before = wordAt(bytes, end - 4);
    const behind = wordAt(bytes, start);
    const isLastBefore = this.has((before >>> 8) | (behind << 24));
    const isFirstBehind = this.has((before >>> 24) | (behind << 8));
    if (isLastBefore) {
      if (isFirstBehind && this.has((before >>> 16) | (behind << 16))) return true;
      if (this.has(before) && this.has(wordAt(bytes, end - 5))) return true;
    }
    return isFirstBehind && this.has(behind) && this.has(wordAt(bytes, start + 1));
  }
}

/** Four bytes, the first one lowest. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
