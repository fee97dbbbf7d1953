/**
 * The filter before the automaton: says quickly where no needle can be. It looks at one 4-byte word
 * (a gram) in every `stride` bytes, at word-aligned addresses, and never at what lies between.
 *
 * 1. Every occurrence of a needle covers sampled words, at offsets in the needle that are all equal
 *    modulo the stride. So each needle is entered under one gram for each residue.
 * 2. Of the grams with a residue, the one is chosen that is rare in logs and shared with few other
 *    needles: prefixes such as `ghp_` or `-----BEGIN` never lead to a look.
 * 3. The grams are in a Bloom filter of two bits in one word, so a sample costs one multiplication
 *    and one load. A hit is asked for again with the 8 bytes from the sample on, in a second filter.
 * 4. The offset of a chosen gram is at most `reach`: a needle that owns a sample began no more than
 *    `reach` bytes before it.
 *
 * The cost does not depend on the text until it holds grams of the needles, which only somebody can
 * write who knows parts of them.
 */
import { byteCost } from "./byte-cost.ts";

export interface GramFilter {
  /** 4, 8 or 16 bytes. */
  readonly stride: number;
  readonly reach: number;
  /** First filter: word by the high bits of the hash, two bits in it by lower ones. */
  readonly grams: Int32Array;
  readonly gramShift: number;
  /** Second filter: the 8 bytes from the sample on. */
  readonly pairs: Int32Array;
  readonly pairShift: number;
  /** The same for grams with fewer than 4 bytes of their needle behind them: the gram alone. */
  readonly lastGrams: Int32Array | null;
  /** How many needles hold a gram. */
  readonly shared: SharedGrams;
  readonly needleCount: number;
  /** More needles would make too many false hits. */
  readonly capacity: number;
}

/** Shorter needles cover no sampled word in some positions. */
export const minFilteredBytes = 7;
/** Grams are chosen at most this far into a needle, so that what is looked at again stays short. */
const maxOffset = 44;
/** Bits of a filter for each gram: below 1 in 50 samples is a false hit. */
const bitsPerGram = 24;

export const gramFactor = 0x9e3779b1 | 0;
export const pairFactor = 0x85ebca77 | 0;

/** Builds the filter. No needle may be shorter than `minFilteredBytes`. */
export function buildGramFilter(needles: readonly Uint8Array[]): GramFilter {
  const stride = strideFor(needles);
  const gramCount = needles.length * stride;
  const gramBits = bitsFor(gramCount / 32, 12, 19);
  const pairBits = bitsFor(gramCount, 15, 27);
  const empty: GramFilter = {
    stride,
    reach: 0,
    grams: new Int32Array(1 << gramBits),
    gramShift: 32 - gramBits,
    pairs: new Int32Array(1 << (pairBits - 5)),
    pairShift: 32 - pairBits,
    lastGrams: null,
    shared: new SharedGrams(needles.length),
    needleCount: 0,
    capacity: needles.length * 1.5 + 32,
  };
  return enter(empty, needles);
}

/**
 * Enters more needles into a filter: it may then be used for the old and the new ones.
 *
 * @returns null if they do not fit: build a new one.
 */
export function extendGramFilter(
  filter: GramFilter,
  needles: readonly Uint8Array[],
): GramFilter | null {
  const fits = filter.needleCount + needles.length <= filter.capacity;
  return fits && strideFor(needles) >= filter.stride ? enter(filter, needles) : null;
}

/** A needle of L bytes covers an aligned word at each phase of a stride of L - 3 at most. */
function strideFor(needles: readonly Uint8Array[]): number {
  const shortest = needles.reduce((least, { length }) => Math.min(least, length), 64);
  return shortest >= 19 ? 16 : shortest >= 11 ? 8 : 4;
}

function enter(filter: GramFilter, needles: readonly Uint8Array[]): GramFilter {
  const { stride, pairs, shared } = filter;
  let { lastGrams, reach } = filter;
  for (const needle of needles) shared.add(needle);
  const offsets = new Int32Array(stride);
  for (const needle of needles) {
    chooseOffsets(needle, offsets, shared);
    for (let residue = 0; residue < stride; residue++) {
      const offset = offsets[residue] as number;
      reach = Math.max(reach, offset);
      const isLast = offset + 8 > needle.length;
      if (isLast) lastGrams ??= new Int32Array(pairs.length);
      enterGram(filter, isLast ? lastGrams : null, needle, offset);
    }
  }
  const needleCount = filter.needleCount + needles.length;
  const { grams, gramShift, pairShift, capacity } = filter;
  // Always one literal, so that all filters are one kind of object.
  return {
    stride,
    reach,
    grams,
    gramShift,
    pairs,
    pairShift,
    lastGrams,
    shared,
    needleCount,
    capacity,
  };
}

/** @param lastGrams - For a gram with fewer than 4 bytes of its needle behind it; null for others. */
function enterGram(
  { grams, gramShift, pairs, pairShift }: GramFilter,
  lastGrams: Int32Array | null,
  needle: Uint8Array,
  offset: number,
): void {
  const gram = wordAt(needle, offset);
  const hash = Math.imul(gram, gramFactor);
  setBits(grams, hash >>> gramShift, (1 << (hash >>> 8)) | (1 << (hash >>> 3)));
  const ofAll =
    lastGrams === null ? hashOfPair(gram, wordAt(needle, offset + 4)) : Math.imul(gram, pairFactor);
  const bit = ofAll >>> pairShift;
  setBits(lastGrams ?? pairs, bit >>> 5, 1 << bit);
}

/** The number of address bits of a filter for this many grams. */
function bitsFor(gramCount: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.ceil(Math.log2(gramCount * bitsPerGram))));
}

function setBits(words: Int32Array, index: number, bits: number): void {
  words[index] = (words[index] as number) | bits;
}

export function hashOfPair(first: number, second: number): number {
  return Math.imul(first, pairFactor) ^ Math.imul(second, gramFactor);
}

/** By residue of the stride: the offset of the best gram. */
function chooseOffsets(needle: Uint8Array, offsets: Int32Array, shared: SharedGrams): void {
  const stride = offsets.length;
  const last = Math.min(needle.length - 4, Math.max(maxOffset, stride - 1));
  const least = new Float64Array(stride).fill(Number.POSITIVE_INFINITY);
  for (let offset = 0; offset <= last; offset++) {
    const residue = offset & (stride - 1);
    const cost = costOf(needle, offset) + shared.costOf(needle, offset);
    if (cost >= (least[residue] as number)) continue;
    least[residue] = cost;
    offsets[residue] = offset;
  }
}

/** How likely a gram occurs in text that has nothing to do with the needle. */
function costOf(needle: Uint8Array, offset: number): number {
  const a = needle[offset] as number;
  const b = needle[offset + 1] as number;
  const c = needle[offset + 2] as number;
  const d = needle[offset + 3] as number;
  let cost = offset * 0.05;
  cost += (byteCost[a] as number) + (byteCost[b] as number);
  cost += (byteCost[c] as number) + (byteCost[d] as number);
  if (a === b && b === c) cost += 20;
  // Without 4 more bytes the second filter knows less.
  if (offset + 8 > needle.length) cost += 8;
  return cost;
}

/** Counts, approximately, in how many needles a gram occurs. */
class SharedGrams {
  readonly #counts: Uint8Array;
  readonly #shift: number;

  constructor(needleCount: number) {
    const bits = Math.ceil(Math.log2(needleCount * maxOffset * 2 + 1));
    const bounded = Math.min(22, Math.max(12, bits));
    this.#counts = new Uint8Array(1 << bounded);
    this.#shift = 32 - bounded;
  }

  add(needle: Uint8Array): void {
    for (let offset = 0; offset <= maxOffset && offset + 4 <= needle.length; offset++) {
      const slot = this.#slotOf(needle, offset);
      const count = this.#counts[slot] as number;
      if (count < 0xff) this.#counts[slot] = count + 1;
    }
  }

  costOf(needle: Uint8Array, offset: number): number {
    const count = this.#counts[this.#slotOf(needle, offset)] as number;
    return count > 1 ? 5 * Math.log2(count) : 0;
  }

  #slotOf(needle: Uint8Array, offset: number): number {
    return Math.imul(wordAt(needle, offset), pairFactor) >>> this.#shift;
  }
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Four bytes as an `Int32Array` of this machine gives them. */
function wordAt(bytes: Uint8Array, offset: number): number {
  const a = bytes[offset] as number;
  const b = bytes[offset + 1] as number;
  const c = bytes[offset + 2] as number;
  const d = bytes[offset + 3] as number;
  return isLittleEndian
    ? a | (b << 8) | (c << 16) | (d << 24)
    : d | (c << 8) | (b << 16) | (a << 24);
}
