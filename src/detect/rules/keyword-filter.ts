/**
 * Finds where keywords may stand, at two table look-ups for four bytes of text.
 *
 * 1. A keyword of three bytes or more covers a pair of bytes at an even address wherever it stands:
 *    one that begins at an even or one at an odd offset. It is entered under the rarest of each.
 * 2. The text is read in pairs at even addresses only. A pair of no keyword leads on.
 * 3. Otherwise the byte before and the byte behind must fit one of the pair's keywords too.
 */
import { pairCost } from "../byte-cost.ts";
import { addBytes, byteClass, casesOf } from "./byte-class.ts";
import { type Keyword, standsAt } from "./compile.ts";
import { hasPair } from "./look-ahead.ts";

/** Takes a keyword and the place where it begins. */
export type OnKeyword = (keyword: Keyword, at: number) => void;

export interface KeywordFilter {
  /** By pair: 1 if some keyword has it. Small, to stay near the processor. */
  readonly pairs: Uint8Array;
  /** By pair: the number of its entry. */
  readonly numbers: Uint16Array;
  /** By number: the keywords, and where in them the pair stands. */
  readonly entries: ReadonlyArray<readonly KeywordPair[]>;
  /** By entry and byte: 1 if the byte may stand before the pair, or behind it. */
  readonly before: Uint8Array;
  readonly behind: Uint8Array;
  readonly longest: number;
}

interface KeywordPair {
  readonly keyword: Keyword;
  readonly offset: number;
}

export function buildKeywordFilter(keywords: readonly Keyword[]): KeywordFilter {
  const pairs = new Uint8Array(65_536);
  const numbers = new Uint16Array(65_536);
  const entries: KeywordPair[][] = [[]];
  for (const keyword of keywords) {
    for (const parity of [0, 1]) {
      const offset = rarestPair(keyword, parity);
      for (const pair of casesOfPair(keyword, offset)) {
        if (pairs[pair] === 0) numbers[pair] = entries.push([]) - 1;
        pairs[pair] = 1;
        entries[numbers[pair] as number]?.push({ keyword, offset });
      }
    }
  }
  const before = new Uint8Array(entries.length * 256);
  const behind = new Uint8Array(entries.length * 256);
  for (const [number, entry] of entries.entries()) {
    for (const { keyword, offset } of entry) {
      allow(before, number, keyword, offset - 1);
      allow(behind, number, keyword, offset + 2);
    }
  }
  const longest = keywords.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
  return { pairs, numbers, entries, before, behind, longest };
}

/** The offset of the pair that is rarest in logs, among the even or the odd ones. */
function rarestPair({ bytes, ignoreCase }: Keyword, parity: number): number {
  let best = parity;
  let least = Number.POSITIVE_INFINITY;
  for (let offset = parity; offset + 2 <= bytes.length; offset += 2) {
    const [first, second] = [bytes[offset] as number, bytes[offset + 1] as number];
    const seconds = ignoreCase ? casesOf(second) : [second];
    let cost = 0;
    for (const a of ignoreCase ? casesOf(first) : [first]) {
      for (const b of seconds) cost += pairCost(a, b);
    }
    if (cost < least) {
      least = cost;
      best = offset;
    }
  }
  return best;
}

function casesOfPair({ bytes, ignoreCase }: Keyword, offset: number): number[] {
  const [first = [], second = []] = [bytes[offset] as number, bytes[offset + 1] as number].map(
    (byte) => (ignoreCase ? casesOf(byte) : [byte]),
  );
  return first.flatMap((a) => second.map((b) => pairOf(a, b)));
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Two bytes as half of a word of this machine. */
function pairOf(first: number, second: number): number {
  return isLittleEndian ? first | (second << 8) : (first << 8) | second;
}

/** Lets the byte of a keyword at `index` pass; beside the keyword, every byte. */
function allow(
  table: Uint8Array,
  entry: number,
  { bytes, ignoreCase, notAfter, before, mayFollow }: Keyword,
  index: number,
): void {
  const row = table.subarray(entry * 256, entry * 256 + 256);
  if (index >= 0 && index < bytes.length) {
    const byte = bytes[index] as number;
    for (const one of ignoreCase ? casesOf(byte) : [byte]) row[one] = 1;
  } else if (index < 0 && notAfter !== null && before === null) {
    // Escapes end in these: what is before them decides.
    for (let byte = 0; byte < 256; byte++)
      if (notAfter[byte] === 0 || mayEndEscape(byte)) row[byte] = 1;
  } else if (index === bytes.length) {
    addBytes(row, mayFollow);
  } else {
    row.fill(1);
  }
}

/** 1 for the last bytes of `\n`, `\r`, `\t`, `%3D` and colours. */
const escapeEnds = byteClass("nrtm0-9A-Fa-f");

export function mayEndEscape(byte: number): boolean {
  return escapeEnds[byte] === 1;
}

/** Where in a word its low and its high half stand. */
const [lowAt, highAt] = isLittleEndian ? [0, 2] : [2, 0];
/** Words that are looked at together. */
const stride = 4;

/**
 * Calls `onKeyword` for every keyword that stands between `from` and `length`.
 *
 * @param words - The memory of the bytes as words.
 */
export function findKeywords(
  filter: KeywordFilter,
  bytes: Uint8Array,
  words: Int32Array,
  from: number,
  length: number,
  onKeyword: OnKeyword,
): void {
  const { pairs } = filter;
  const shift = bytes.byteOffset;
  const end = Math.min(words.length, (shift + length) >> 2);
  const first = (shift + from) >> 2;
  const rounds = Math.max(0, Math.floor((end - first) / stride));
  const rest = first + rounds * stride;
  lookAtRounds(filter, bytes, words, first, rest, from, length, onKeyword);
  for (let i = rest; i < end; i++) {
    const word = words[i] as number;
    const at = i * 4 - shift;
    if (pairs[word & 0xffff] !== 0) lookAt(filter, bytes, at + lowAt, from, length, onKeyword);
    if (pairs[word >>> 16] !== 0) lookAt(filter, bytes, at + highAt, from, length, onKeyword);
  }
  // What is left is less than a word.
  for (let at = Math.max(end * 4 - shift, -shift); at + 2 <= length; at += 2) {
    if (at < 0) continue;
    const pair = pairOf(bytes[at] as number, bytes[at + 1] as number);
    if (pairs[pair] !== 0) lookAt(filter, bytes, at, from, length, onKeyword);
  }
}

/**
 * The words from `first` to `end`, `stride` at a time. A function of its own: V8 optimises a loop while
 * it runs, and would leave that code again and again where it knows nothing of what follows the loop.
 */
function lookAtRounds(
  filter: KeywordFilter,
  bytes: Uint8Array,
  words: Int32Array,
  first: number,
  end: number,
  from: number,
  length: number,
  onKeyword: OnKeyword,
): void {
  const { pairs } = filter;
  const shift = bytes.byteOffset;
  for (let i = first; i < end; i += stride) {
    const a = words[i] as number;
    const b = words[i + 1] as number;
    const c = words[i + 2] as number;
    const d = words[i + 3] as number;
    // One bit for each half of a word.
    let hits =
      (pairs[a & 0xffff] as number) |
      ((pairs[a >>> 16] as number) << 1) |
      ((pairs[b & 0xffff] as number) << 2) |
      ((pairs[b >>> 16] as number) << 3) |
      ((pairs[c & 0xffff] as number) << 4) |
      ((pairs[c >>> 16] as number) << 5) |
      ((pairs[d & 0xffff] as number) << 6) |
      ((pairs[d >>> 16] as number) << 7);
    for (; hits !== 0; hits &= hits - 1) {
      const half = 31 - Math.clz32(hits & -hits);
      const at = (i + (half >> 1)) * 4 - shift + ((half & 1) === 0 ? lowAt : highAt);
      lookAt(filter, bytes, at, from, length, onKeyword);
    }
  }
}

/** Looks at a pair of some keyword, which may lie outside `from` and `length`. */
function lookAt(
  { numbers, entries, before, behind }: KeywordFilter,
  bytes: Uint8Array,
  at: number,
  from: number,
  length: number,
  onKeyword: OnKeyword,
): void {
  if (at < from || at + 2 > length) return;
  const number = numbers[pairOf(bytes[at] as number, bytes[at + 1] as number)] as number;
  const row = number << 8;
  if (at + 2 < length && behind[row | (bytes[at + 2] as number)] === 0) return;
  if (at > from && before[row | (bytes[at - 1] as number)] === 0) return;
  const entry = entries[number] as readonly KeywordPair[];
  for (let k = 0; k < entry.length; k++) {
    const { keyword, offset } = entry[k] as KeywordPair;
    const start = at - offset;
    const end = start + keyword.bytes.length;
    // Nearly all words such as `token` end here: nothing of the format follows.
    const { mayFollow, mayFollowBoth } = keyword;
    if (end < length && mayFollow[bytes[end] as number] === 0) continue;
    if (mayFollowBoth !== null && end + 1 < length) {
      if (!hasPair(mayFollowBoth, bytes[end] as number, bytes[end + 1] as number)) continue;
    }
    if (start < from || !standsAt(keyword, bytes, start, length)) continue;
    onKeyword(keyword, start);
  }
}
