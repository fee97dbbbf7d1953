/**
 * The unwrapped view of a stream: without terminal escape sequences, and without line breaks, the
 * indentation that follows them and a backslash before them. A value that a terminal, a colouring
 * `grep` or `base64` broke up is whole there.
 */
import { GapBegins } from "./gap-begins.ts";
import {
  afterBreak,
  afterEscape,
  beginsGap,
  carriageReturn,
  endsBefore,
  escapeByte,
  following,
  inText,
  newline,
} from "./gaps.ts";
import { Joints, type Piece } from "./joints.ts";
import { joinedBytes, type NeedleGrams } from "./needle-grams.ts";
import { Runs } from "./runs.ts";

const backslash = 0x5c;

/** A longer gap separates texts; this also bounds what a stream must hold back. */
const maxGap = 512;

export class Unwrapper {
  readonly #runs = new Runs();
  readonly #joints = new Joints(this.#runs);
  readonly #gapBegins = new GapBegins();
  #mode = inText;
  #gap = 0;
  /** The last byte of the last chunk was a backslash: the next byte tells whether it is text. */
  #backslash: boolean = false;

  /** The number of bytes kept so far: the end of the view. */
  get length(): number {
    return this.#runs.length;
  }

  /** More than a gap was left out since the last kept byte: nothing continues it any more. */
  get isCut(): boolean {
    return this.#gap > maxGap;
  }

  /**
   * Takes the next chunk, which is not empty and begins at offset `base` of the stream.
   *
   * @param grams - What the needles are made of.
   * @param isLive - Something is under way at the end of the view.
   * @returns What of its view to look at; the bytes are valid until the next call.
   */
  push(chunk: Uint8Array, base: number, grams: NeedleGrams, isLive: boolean): readonly Piece[] {
    const end = chunk.length;
    this.#joints.begin(chunk, base, grams, isLive);
    this.#gapBegins.find(chunk);
    const { offsets, count } = this.#gapBegins;
    if (this.#backslash) this.#decideBackslash(chunk[0] as number, base - 1);
    // The run before, as far as it is in the chunk.
    let lastFrom = 0;
    let lastTo = 0;
    let next = 0;
    for (let from = this.#skip(chunk, 0); from < end; ) {
      while (next < count && (offsets[next] as number) < from) next++;
      const textEnd = next < count ? (offsets[next] as number) : end;
      const to = endsInBackslash(chunk, textEnd) ? textEnd - 1 : textEnd;
      if (this.#beginRun(base + from)) {
        const areLong = lastTo - lastFrom >= joinedBytes && to - from >= joinedBytes;
        if (!areLong || grams.mayJoin(chunk, lastTo, from)) this.#joints.add();
      }
      this.#runs.grow(to - from);
      if (to < textEnd) {
        if (textEnd < end) this.#gap++;
        else this.#backslash = true;
      }
      lastFrom = from;
      lastTo = to;
      from = this.#skip(chunk, textEnd);
    }
    return this.#joints.end();
  }

  /** The text ends: a backslash at its end, `stream` bytes into it, is text. */
  finish(stream: number, grams: NeedleGrams, isLive: boolean): readonly Piece[] {
    this.#joints.begin(noBytes, stream + 1, grams, isLive);
    if (this.#backslash) this.#decideBackslash(0, stream);
    return this.#joints.end();
  }

  /** The offset in the stream of the byte at `view`. */
  toStream(view: number): number {
    return this.#runs.toStream(view);
  }

  /** Forgets how offsets before `view` are mapped. */
  forget(view: number): void {
    this.#runs.forget(view);
  }

  /** A backslash before a line break is left out; any other is text. */
  #decideBackslash(next: number, stream: number): void {
    this.#backslash = false;
    if (next === newline || next === carriageReturn) {
      this.#gap++;
      return;
    }
    if (this.#beginRun(stream)) this.#joints.add();
    this.#runs.grow(1);
  }

  /** The next kept byte is at `stream`. @returns Whether it is behind a joint. */
  #beginRun(stream: number): boolean {
    if (this.#gap === 0 && this.#runs.count > 0) return false;
    const isJoint = this.#gap <= maxGap;
    if (!isJoint) this.#joints.cut();
    this.#gap = 0;
    this.#runs.begin(stream);
    return isJoint;
  }

  /** Goes over what is left out. @returns Where text begins, or the end. */
  #skip(chunk: Uint8Array, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      let mode = endsBefore;
      if (this.#mode !== inText) {
        const isTooLong = this.#gap > maxGap && this.#mode !== afterBreak;
        mode = isTooLong ? inText : following(this.#mode, byte);
      }
      if (mode === endsBefore) {
        this.#mode = inText;
        if (beginsGap[byte] === 0) return i;
        mode = byte === escapeByte ? afterEscape : afterBreak;
      }
      this.#mode = mode;
      this.#gap++;
    }
    return chunk.length;
  }
}

/** Whether the text up to `to` ends in a backslash that a line break follows, or may follow. */
function endsInBackslash(chunk: Uint8Array, to: number): boolean {
  if (chunk[to - 1] !== backslash) return false;
  const next = chunk[to] ?? newline;
  return next === newline || next === carriageReturn;
}

const noBytes = new Uint8Array(0);
