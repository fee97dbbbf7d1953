import { Words } from "../words.ts";
import {
  type Attempt,
  advance,
  beginAttempt,
  complete,
  type FoundKeyword,
  maxUndecidedBytes,
  overlong,
  Reading,
  spareAttempt,
  waiting,
} from "./attempt.ts";
import { lowerCase } from "./byte-class.ts";
import type { Keyword, Shape } from "./compile.ts";
import { Edge } from "./edge.ts";
import { Judgements } from "./judgements.ts";
import { findKeywords } from "./keyword-filter.ts";
import type { OnSecret, Place } from "./prefix-automaton.ts";
import type { FoundRule, RuleMatch } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";

/** What a scan of rules tells; offsets are of the stream, ends exclusive. */
export interface RuleListener {
  /** A match: `start` to `end` is to be masked. */
  hit(start: number, end: number, match: RuleMatch): void;
  /** What follows an overlong match and belongs to it: left out without a mask of its own. */
  drop(start: number, end: number): void;
  /** The bytes between two offsets: from `held` on, or in the chunk. */
  bytesOf(start: number, end: number): Buffer;
}

/**
 * Looks for rules in one stream, however it is cut into chunks. What a match is depends on the text
 * alone:
 *
 * 1. Go on with the attempts that the last chunk left waiting.
 * 2. Find keywords over the edge of the chunk, then in the chunk. Each begins attempts of its own, one
 *    for each shape, that know nothing of each other. Up to the secret part all of them are read at once.
 * 3. An attempt that took `maxUndecidedBytes` counts as a match; what it still takes is dropped.
 */
export class RuleScanner {
  readonly #set: RuleSet;
  readonly #listener: RuleListener;
  #waiting: Attempt[] = [];
  #spare: Attempt | undefined;
  readonly #keyword: FoundKeyword = { start: 0, end: 0, before: "" };
  readonly #edge: Edge;
  readonly #words = new Words();
  readonly #reading = new Reading();
  // The chunk that is under way.
  #bytes: Buffer = noBytes;
  #length = 0;
  #base = 0;
  readonly #judgements = new Judgements();
  /** Earliest keyword that the end of the chunk cut and that belongs to a mask. */
  #cutKeyword = Number.POSITIVE_INFINITY;

  constructor(set: RuleSet, listener: RuleListener) {
    this.#set = set;
    this.#listener = listener;
    this.#edge = new Edge(set);
  }

  /** Begins a new stream. */
  reset(): void {
    this.#waiting = [];
    this.#forgetChunk();
    this.#edge.reset();
    this.#cutKeyword = Number.POSITIVE_INFINITY;
  }

  /** Takes the first `length` bytes of the next chunk, which begins at offset `base`. */
  push(bytes: Uint8Array, length: number, base: number): void {
    if (length === 0) return;
    if (this.#set.singles.length > 0) this.#findSingles(bytes, length, base);
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, length);
    this.#length = length;
    this.#base = base;
    this.#edge.begin(this.#bytes, length);
    if (this.#waiting.length > 0) this.#goOn(false);
    this.#lookOverEdge();
    const { filter } = this.#set;
    findKeywords(filter, bytes, this.#words.of(bytes), 0, length, this.#begin);
    this.#cutKeyword = this.#findCutKeyword();
    this.#edge.keep();
    // Keeps no chunk alive and no secret.
    this.#bytes = noBytes;
    this.#forgetChunk();
  }

  #forgetChunk(): void {
    this.#judgements.forget();
    this.#reading.longRuns.forget();
  }

  /** Decides what waits: nothing follows. */
  end(): void {
    this.#bytes = noBytes;
    this.#base += this.#length;
    this.#length = 0;
    if (this.#waiting.length > 0) this.#goOn(true);
    this.reset();
  }

  /** From here on bytes may still be masked; Infinity if none may. */
  get live(): number {
    let live = this.#cutKeyword;
    for (const { from, before, isOpen, shape } of this.#waiting) {
      if (from === -1 || isOpen || !shape.rule.isMasked) continue;
      live = Math.min(live, from - before.length);
    }
    return live;
  }

  /**
   * From here on bytes may still be part of a match that is only told. They may be written, and must
   * be kept. Infinity if no rule is one that only tells.
   */
  get undecided(): number {
    if (!this.#set.reports) return Number.POSITIVE_INFINITY;
    const read = this.#base + this.#length;
    let undecided = Math.max(0, read - this.#set.filter.longest - this.#set.longestBefore);
    for (const { from, before, isOpen, shape } of this.#waiting) {
      if (from === -1 || isOpen || shape.rule.isMasked) continue;
      undecided = Math.min(undecided, from - before.length);
    }
    return undecided;
  }

  /**
   * Up to here a pause may show what is not decided: keywords, which are no secret, numbers, and of a
   * value at most `most` bytes and a quarter of the shortest one. Infinity if everything.
   */
  showable(most: number): number {
    let limit = Number.POSITIVE_INFINITY;
    for (const { from, isOpen, keywordEnd, shape } of this.#waiting) {
      if (from === -1 || isOpen || !shape.rule.isMasked) continue;
      if (shape.isWhole) {
        limit = Math.min(limit, keywordEnd);
        continue;
      }
      const read = this.#base + this.#length;
      const shown = this.#listener.bytesOf(from, read).toString("latin1");
      const isNumber = /^[\d.]*$/.test(shown);
      if (!isNumber) limit = Math.min(limit, from + Math.min(most, shape.minSecretBytes >> 2));
    }
    return limit;
  }

  /** Characters that are matches wherever they stand. */
  #findSingles(bytes: Uint8Array, length: number, base: number): void {
    for (const { rule, confidence, table } of this.#set.singles) {
      for (let i = 0; i < length; i++) {
        if (table[bytes[i] as number] === 0) continue;
        const text = String.fromCharCode(bytes[i] as number);
        this.#listener.hit(base + i, base + i + 1, { rule, confidence, text });
      }
    }
  }

  /** Step 1. */
  #goOn(isEnd: boolean): void {
    const attempts = this.#waiting;
    this.#waiting = [];
    for (const attempt of attempts) this.#try(attempt, 0, isEnd);
  }

  /** Step 2, over the edge: keywords that began before the chunk and end in it. */
  #lookOverEdge(): void {
    const { filter, keywordBytes } = this.#set;
    const edge = this.#edge;
    if (edge.length === 0 || keywordBytes[edge.byteAt(-1)] === 0) return;
    const length = edge.extend(filter.longest - 1);
    const from = Math.max(0, edge.length - filter.longest + 1);
    findKeywords(filter, edge.bytes, edge.words, from, length, this.#beginOverEdge);
  }

  readonly #beginOverEdge = (keyword: Keyword, at: number): void => {
    const start = at - this.#edge.length;
    if (start < 0 && start + keyword.bytes.length > 0) this.#begin(keyword, start);
  };

  /** Step 2: `at` is a place in the chunk, or before it if negative. */
  readonly #begin = (keyword: Keyword, at: number): void => {
    const { shapes, prefixes, bytes, before } = keyword;
    const count = before === null ? 0 : this.#edge.countBefore(before, at);
    if (count < (before?.min ?? 0) || !this.#edge.isFree(keyword, at - count)) return;
    const from = at + bytes.length;
    this.#keyword.start = this.#base + at;
    this.#keyword.end = this.#base + from;
    this.#keyword.before = this.#edge.textBefore(at, count);
    for (let i = 0; i < shapes.length; i++) this.#tryAt(shapes[i] as Shape, 0, 0, from);
    if (prefixes === null) return;
    const limit = Math.min(this.#length, at + maxUndecidedBytes);
    const places = prefixes.read(this.#bytes, from, limit, this.#reading, this.#onSecret);
    const { position } = this.#reading;
    for (let i = 0; i < places.length; i++) {
      const { shape, step, count } = places[i] as Place;
      this.#tryAt(shape, step, count, position);
    }
  };

  readonly #onSecret: OnSecret = (shape, at) => this.#tryAt(shape, shape.stepsBefore, 0, at);

  #tryAt(shape: Shape, step: number, count: number, from: number): void {
    this.#spare ??= spareAttempt(shape);
    beginAttempt(this.#spare, this.#keyword, shape, step, count);
    this.#try(this.#spare, from, false);
  }

  /** Goes on with an attempt, from a place in the chunk. */
  #try(attempt: Attempt, from: number, isEnd: boolean): void {
    let outcome = advance(
      attempt,
      this.#bytes,
      from,
      this.#length,
      this.#base,
      isEnd,
      this.#reading,
    );
    if (attempt.isOpen) this.#drop(from, attempt.shape.rule);
    else if (outcome === complete) this.#report(attempt, attempt.to);
    else if (outcome === overlong) {
      const to = attempt.start + maxUndecidedBytes;
      if (attempt.from === -1 || !this.#report(attempt, to)) return;
      attempt.isOpen = true;
      const next = to - this.#base;
      outcome = advance(attempt, this.#bytes, next, this.#length, this.#base, isEnd, this.#reading);
      this.#drop(next, attempt.shape.rule);
    }
    if (outcome === waiting) this.#waiting.push(attempt === this.#spare ? { ...attempt } : attempt);
  }

  /** @returns Whether the match passes the checks of its rule. */
  #report({ from, before, shape }: Attempt, to: number): boolean {
    if (to === from) return false;
    // With something before its keyword, a match is more than what stands between its ends.
    const at = before === "" ? from - this.#base : -1;
    let match = this.#judgements.find(shape, this.#bytes, at, to - this.#base);
    if (match === undefined) {
      const text = before + this.#textOf(from, to);
      match = this.#judgements.judge(shape, text, at, to - this.#base);
    }
    if (match === null) return false;
    this.#listener.hit(from - before.length, to, match);
    return true;
  }

  #textOf(from: number, to: number): string {
    const start = from - this.#base;
    if (start < 0) return this.#listener.bytesOf(from, to).toString("latin1");
    return this.#bytes.toString("latin1", start, to - this.#base);
  }

  /** Step 3. */
  #drop(from: number, { isMasked }: FoundRule): void {
    const { position } = this.#reading;
    if (position > from && isMasked) this.#listener.drop(this.#base + from, this.#base + position);
  }

  /** Where a keyword begins that the chunk cuts and that would be part of a mask. */
  #findCutKeyword(): number {
    const { keywordBytes, secretKeywords, filter } = this.#set;
    let from = this.#length;
    const first = Math.max(from - filter.longest + 1, -this.#edge.length);
    while (from > first && keywordBytes[this.#edge.byteAt(from - 1)] === 1) from--;
    for (; from < this.#length; from++) {
      for (const keyword of secretKeywords[this.#edge.byteAt(from)] ?? []) {
        if (!this.#isCutAt(keyword, from)) continue;
        const { before } = keyword;
        const count = before === null ? 0 : this.#edge.countBefore(before, from);
        if (count < (before?.min ?? 0) || !this.#edge.isFree(keyword, from - count)) continue;
        return this.#base + from - count;
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  #isCutAt({ bytes, ignoreCase }: Keyword, from: number): boolean {
    const count = this.#length - from;
    if (count >= bytes.length) return false;
    for (let i = 0; i < count; i++) {
      const byte = this.#edge.byteAt(from + i);
      if (byte !== bytes[i] && !(ignoreCase && lowerCase(byte) === bytes[i])) return false;
    }
    return true;
  }
}

const noBytes = Buffer.alloc(0);
