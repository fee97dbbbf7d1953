import { byteClass, lowerCase } from "./byte-class.ts";
import type { CompiledBefore, Keyword, TextsBefore } from "./compile.ts";
import { mayEndEscape } from "./keyword-filter.ts";
import type { RuleSet } from "./rule-set.ts";

const maxColourChars = 12;
/** Bytes before a keyword that tell whether it is the end of an escape: a colour with `[` and `m`. */
const escapeBytes = maxColourChars + 2;

/**
 * What stands before a place in a stream: in the chunk that is under way, or at the end of what came
 * before it, of which it keeps as much as may matter to a keyword. Places are offsets in the chunk;
 * those before it are negative.
 */
export class Edge {
  /** The last bytes before the chunk, and behind them room for as much as completes a keyword. */
  readonly bytes: Buffer;
  readonly words: Int32Array;
  /** How many bytes before the chunk there are. */
  length = 0;
  readonly #capacity: number;
  #chunk: Buffer = noBytes;
  #chunkLength = 0;
  /** Bytes of the chunk that are known to be of a class. */
  readonly #lastBefore = { table: noBytes as Uint8Array, from: 0, to: 0 };

  constructor({ longestBefore, longestAfter, filter: { longest } }: RuleSet) {
    const contextBytes = Math.max(escapeBytes, longestAfter);
    this.#capacity = contextBytes + longestBefore + longest;
    const memory = new ArrayBuffer((this.#capacity + longest + 7) & ~3);
    this.bytes = Buffer.from(memory);
    this.words = new Int32Array(memory);
  }

  /** Begins a new stream. */
  reset(): void {
    this.length = 0;
  }

  /** Takes the first `length` bytes of the next chunk. */
  begin(chunk: Buffer, length: number): void {
    this.#chunk = chunk;
    this.#chunkLength = length;
    this.#lastBefore.to = -1;
  }

  /**
   * Puts up to `count` bytes of the chunk behind those before it.
   *
   * @returns How many bytes there are then.
   */
  extend(count: number): number {
    const more = Math.min(this.#chunkLength, count);
    this.bytes.set(this.#chunk.subarray(0, more), this.length);
    return this.length + more;
  }

  /** How much of the match stands before its keyword. */
  countBefore({ table, max }: CompiledBefore, at: number): number {
    const last = this.#lastBefore;
    const least = Math.max(0, at - max);
    let from = at;
    while (from > least && table[this.#chunk[from - 1] as number] === 1) {
      from--;
      // Keywords that follow each other closely have most of it in common.
      if (from === last.to && table === last.table) from = Math.max(least, last.from);
    }
    last.table = table;
    last.from = from;
    last.to = at;
    let count = at - from;
    if (from > 0) return count;
    // Before the stream there is nothing.
    const most = Math.min(max, at + this.length);
    while (count < most && table[this.byteAt(at - count - 1)] === 1) count++;
    return count;
  }

  textBefore(at: number, count: number): string {
    let text = "";
    for (let back = count; back > 0; back--) text += String.fromCharCode(this.byteAt(at - back));
    return text;
  }

  /** Whether what stands before a keyword lets it be one. */
  isFree({ notAfter, unlessAfter, onlyAfter }: Keyword, at: number): boolean {
    if (unlessAfter !== null && this.#followsOne(unlessAfter, at)) return false;
    if (onlyAfter !== null) {
      const end = isSeparator(this.byteAt(at - 1)) ? at - 1 : at;
      if (!this.#followsOne(onlyAfter, end)) return false;
    }
    if (notAfter === null) return true;
    const last = this.byteAt(at - 1);
    if (notAfter[last] === 0) return true;
    return mayEndEscape(last) && endsEscape((back) => this.byteAt(at - back));
  }

  #followsOne(texts: TextsBefore, at: number): boolean {
    const candidates = texts[lowerCase(this.byteAt(at - 1))] as readonly Uint8Array[];
    for (let i = 0; i < candidates.length; i++) {
      if (this.#standsBefore(candidates[i] as Uint8Array, at)) return true;
    }
    return false;
  }

  #standsBefore(text: Uint8Array, at: number): boolean {
    for (let i = 0; i < text.length; i++) {
      if (lowerCase(this.byteAt(at - text.length + i)) !== text[i]) return false;
    }
    return true;
  }

  /** A byte of the chunk, or of what was before it. */
  byteAt(at: number): number {
    if (at >= 0) return this.#chunk[at] as number;
    return this.bytes[this.length + at] ?? newline;
  }

  /** Keeps the end of the chunk, and lets go of the rest. */
  keep(): void {
    const fromChunk = Math.min(this.#chunkLength, this.#capacity);
    const kept = Math.min(this.length, this.#capacity - fromChunk);
    this.bytes.copyWithin(0, this.length - kept, this.length);
    this.bytes.set(this.#chunk.subarray(this.#chunkLength - fromChunk, this.#chunkLength), kept);
    this.length = kept + fromChunk;
    this.#chunk = noBytes;
    this.#chunkLength = 0;
  }
}

const noBytes = Buffer.alloc(0);
const newline = 0x0a;

/** `_`, `-`, `.` or a space, between the words of a name. */
function isSeparator(byte: number): boolean {
  return byte === 0x5f || byte === 0x2d || byte === 0x2e || byte === 0x20;
}

/**
 * Whether an escape ends before a place: `\n`, `\r`, `\t`, `%3D`, `\u003d`, or a terminal colour. What
 * follows begins a word then, whatever the last character of the escape is.
 */
function endsEscape(byteBefore: (back: number) => number): boolean {
  const last = byteBefore(1);
  if (last === letterM) return endsColour(byteBefore);
  if (byteBefore(2) === backslash) return lineEscapes[last] === 1;
  if (!areHex(byteBefore, 2)) return false;
  if (byteBefore(3) === percent) return true;
  return byteBefore(6) === backslash && byteBefore(5) === letterU && areHex(byteBefore, 4);
}

/** `[0;31m` and the like. */
function endsColour(byteBefore: (back: number) => number): boolean {
  const most = 2 + maxColourChars;
  let back = 2;
  while (back < most && colourChars[byteBefore(back)] === 1) back++;
  return byteBefore(back) === bracket;
}

/** Whether the last bytes are hexadecimal digits. */
function areHex(byteBefore: (back: number) => number, count: number): boolean {
  for (let back = 1; back <= count; back++) if (hexDigits[byteBefore(back)] === 0) return false;
  return true;
}

const backslash = 0x5c;
const percent = 0x25;
const bracket = 0x5b;
const letterM = 0x6d;
const letterU = 0x75;
const lineEscapes = byteClass("nrt");
const colourChars = byteClass("0-9;");
const hexDigits = byteClass("0-9A-Fa-f");
