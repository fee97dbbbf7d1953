/**
 * Which parts of the unwrapped view to look at. A match of the view counts only if it goes over a
 * joint, where something was left out: all others are matches of the stream. So only the text around
 * joints is looked at, and only if it is made of words of needles:
 *
 * 1. A match over joint `j` (the view's offset of the first byte behind it) has k >= 1 bytes before
 *    it, m >= 1 behind it, and k + m >= 8. All its words of 4 bytes are words of a needle. If k >= 3,
 *    the word at j - 3 is one of them; if m >= 3, the word at j - 1. One of both holds.
 * 2. So it does not begin before the words of needles do, going back from j - 3, or before j - 2 if
 *    there is none. It does not end behind them, going on from j - 1, or behind j + 2. What lies
 *    between is a window. If it has fewer than 8 bytes, no match goes over this joint. Far from the
 *    joint one word in four is asked for: a window may then be some bytes longer than it must be.
 * 3. What may still become a match at the end of the chunk begins a needle: its words are a needle's
 *    too. The last window goes back from the end in the same way, at least 3 bytes. So the state of
 *    the automata behind it is what it would be behind the whole view; and if something is under way
 *    there, the next chunk begins with a joint.
 *
 * Windows that touch go on where the last one ended. So nothing is looked at twice, and the time is
 * linear in the text whatever it is.
 */
import { minUnwrappedBytes, NeedleGrams } from "./needle-grams.ts";
import type { Runs } from "./runs.ts";

/** A part of the view to look at. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Offset of the first byte in the view. */
  readonly base: number;
  /** It does not follow the piece before. */
  readonly cut: boolean;
}

const backslash = 0x5c;
const carriedBytes = 3;
/** So far from a joint every word is asked for; beyond, one in four is enough to know where to stop. */
const nearBytes = 12;
/** Before all offsets. */
const nowhere = -16;

export class Joints {
  readonly #runs: Runs;
  /** The last bytes of the view before the chunk. */
  readonly #carried = new Uint8Array(carriedBytes);
  #pieces: Piece[] = [];
  /** The bytes of the pieces. */
  #scratch = new Uint8Array(256);
  #used = 0;
  // The chunk that is under way; its bytes are in the runs from `#first` on.
  #chunk: Uint8Array = noBytes;
  #grams = noGrams;
  #base = 0;
  /** Something is under way at `#start`. */
  #isLive: boolean = false;
  #start = 0;
  /** Runs whose first byte is behind a joint to look at. */
  #joints: number[] = [];
  /** Where the last window ended. */
  #done = 0;
  /** What is behind `#done` does not continue what is before. */
  #isCut: boolean = false;
  /** The run that was read last: where it begins and ends in the view, and how it stands in the chunk. */
  #run = 0;
  #runStart = 0;
  #runEnd = 0;
  #runShift = 0;
  /** The four bytes that were read last, and their offset in the view. */
  #gram = 0;
  #gramView = nowhere;

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  /**
   * Begins a chunk: what is added to the runs from now on stands in it.
   *
   * @param isLive - Something is under way at the end of the view before it.
   */
  begin(chunk: Uint8Array, base: number, grams: NeedleGrams, isLive: boolean): void {
    this.#chunk = chunk;
    this.#base = base;
    this.#grams = grams;
    this.#isLive = isLive;
    this.#start = this.#runs.length;
    this.#run = Math.max(0, this.#runs.count - 1);
    this.#runEnd = 0;
    this.#gramView = nowhere;
    this.#done = this.#start;
    this.#isCut = false;
    this.#pieces = [];
    this.#used = 0;
  }

  /** The last run begins behind a joint where `NeedleGrams.mayJoin`, or one of two runs is too short to tell. */
  add(): void {
    this.#joints.push(this.#runs.count - 1);
  }

  /** So much is left out that what follows continues nothing. */
  cut(): void {
    this.#look();
    this.#gramView = nowhere;
    this.#done = this.#runs.length;
    this.#isCut = true;
    this.#isLive = false;
  }

  /** Ends the chunk. @returns The windows; their bytes are valid until the next chunk. */
  end(): readonly Piece[] {
    this.#look();
    this.#lookAtEnd();
    this.#carry();
    this.#chunk = noBytes;
    return this.#pieces;
  }

  /** Steps 1 and 2, for all joints since the chunk began or was cut. */
  #look(): void {
    const start = this.#done;
    if (this.#isLive) this.#lookAt(start);
    for (const run of this.#joints) {
      const joint = this.#runs.startOf(run);
      if (joint > start) this.#lookAt(joint);
    }
    this.#joints = [];
  }

  #lookAt(joint: number): void {
    // The last window went over it, and ended behind what this one would.
    if (joint + 3 <= this.#done) return;
    const isBefore = this.#isGram(joint - 3);
    const isBehind = this.#isGram(joint - 1);
    if (!isBefore && !isBehind) return;
    const from = isBefore ? this.#goBack(joint - 3) : joint - 2;
    const to = isBehind ? this.#goOn(joint - 1) : joint + 2;
    if (from > this.#done && to - from < minUnwrappedBytes) return;
    this.#take(from, Math.min(to, this.#runs.length));
  }

  /** Step 3. */
  #lookAtEnd(): void {
    const { length } = this.#runs;
    const from = this.#isGram(length - 4) ? this.#goBack(length - 4) : length - 3;
    this.#take(from, length);
  }

  /** Where the words of needles begin, at the earliest, that go on to the one at `view`. */
  #goBack(view: number): number {
    let at = view;
    while (at > this.#done && at > view - nearBytes && this.#isGram(at - 1)) at--;
    if (at > view - nearBytes) return at;
    while (at > this.#done && this.#isGram(at - 4)) at -= 4;
    return at - 3;
  }

  /** Where the words of needles end, at the latest, that begin with the one at `view`. */
  #goOn(view: number): number {
    const { length } = this.#runs;
    let end = view + 4;
    while (end < length && end < view + nearBytes && this.#isGram(end - 3)) end++;
    if (end < view + nearBytes) return end;
    while (end < length && this.#isGram(end)) end += 4;
    return end + 3;
  }

  /** Adds a window, but for what is in the last one. */
  #take(from: number, to: number): void {
    const isCut = this.#isCut || from > this.#done;
    const base = from > this.#done ? from : this.#done;
    const length = Math.max(0, to - base);
    if (this.#used + length > this.#scratch.length) this.#grow(length);
    const bytes = this.#scratch.subarray(this.#used, this.#used + length);
    for (let i = 0; i < length; i++) bytes[i] = this.#byteAt(base + i);
    this.#used += length;
    this.#pieces.push({ bytes, base, cut: isCut });
    this.#done = base + length;
    this.#isCut = false;
  }

  /** The pieces there are keep the old memory. */
  #grow(length: number): void {
    this.#scratch = new Uint8Array(Math.max(length, this.#scratch.length * 2));
    this.#used = 0;
  }

  /** Keeps the last bytes of the view for the next chunk. */
  #carry(): void {
    const { length } = this.#runs;
    const last = this.#gramAt(length - 4);
    for (let i = 0; i < carriedBytes; i++) this.#carried[i] = last >>> (8 * (i + 1));
  }

  #isGram(view: number): boolean {
    return this.#grams.has(this.#gramAt(view));
  }

  /** Four bytes of the view, the first one lowest; what is not there is 0. Mostly near the last ones. */
  #gramAt(view: number): number {
    let gram = this.#gram;
    let at = this.#gramView;
    if (view > at + 3 || view < at - 3) at = view - 4;
    for (; at < view; at++) gram = (gram >>> 8) | (this.#byteAt(at + 4) << 24);
    for (; at > view; at--) gram = (gram << 8) | this.#byteAt(at - 1);
    this.#gram = gram;
    this.#gramView = view;
    return gram;
  }

  /** A byte of the view. */
  #byteAt(view: number): number {
    if (view < this.#runStart || view >= this.#runEnd) {
      if (view < this.#start) return this.#carried[view - this.#start + carriedBytes] ?? 0;
      if (view >= this.#runs.length) return 0;
      this.#seek(view);
    }
    const at = view + this.#runShift;
    // Of the chunk before only a backslash is left that turned out to be text.
    return at < 0 ? backslash : (this.#chunk[at] as number);
  }

  /** Goes to the run of a byte of the chunk: nearly always the same one, or the next. */
  #seek(view: number): void {
    const runs = this.#runs;
    while (view < runs.startOf(this.#run)) this.#run--;
    while (view >= runs.endOf(this.#run)) this.#run++;
    this.#runStart = Math.max(this.#start, runs.startOf(this.#run));
    this.#runEnd = runs.endOf(this.#run);
    this.#runShift = runs.shiftOf(this.#run) - this.#base;
  }
}

const noBytes = new Uint8Array(0);
const noGrams = new NeedleGrams([]);
