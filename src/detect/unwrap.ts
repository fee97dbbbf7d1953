/**
 * The unwrapped view of a stream: without terminal escape sequences, and without line breaks, the
 * indentation that follows them and a backslash before them. A value that a terminal, a colouring
 * `grep` or `base64` broke up is whole there.
 */
import {
  afterBreak,
  afterEscape,
  carriageReturn,
  endsBefore,
  escapeByte,
  following,
  gapBegins,
  inText,
  newline,
} from "./gaps.ts";
import { Joints, type Piece } from "./joints.ts";
import type { NeedleGrams } from "./needle-grams.ts";
import { NextOf } from "./next-of.ts";
import { Runs } from "./runs.ts";

const backslash = 0x5c;

/** A longer gap separates texts; this also bounds what a stream must hold back. */
const maxGap = 512;

export class Unwrapper {
  readonly #runs = new Runs();
  readonly #joints = new Joints(this.#runs);
  readonly #gapBegin = new NextOf(gapBegins);
  #mode = inText;
  #gap = 0;
  /** The last byte of the last chunk was a backslash: the next byte tells whether it is text. */
  #backslash: boolean = false;

  /** The number of bytes kept so far: the end of the view. */
  get length(): number {
    return this.#runs.length;
  }

  /**
   * Takes the next chunk, which begins at offset `base` of the stream.
   *
   * @param grams - What the needles are made of.
   * @param isLive - Something is under way at the end of the view.
   * @returns What of its view to look at; the bytes are valid until the next call.
   */
  push(chunk: Uint8Array, base: number, grams: NeedleGrams, isLive: boolean): readonly Piece[] {
    const end = chunk.length;
    this.#joints.begin(chunk, base, grams, isLive);
    this.#gapBegin.begin(chunk);
    // The run before, as far as it is in the chunk.
    let lastFrom = 0;
    let lastTo = 0;
    let i = 0;
    while (i < end) {
      if (this.#mode !== inText) {
        i = this.#skip(chunk, i);
        if (this.#mode !== inText) break;
        continue;
      }
      const byte = chunk[i] as number;
      if (this.#backslash) this.#decideBackslash(byte, base + i - 1);
      if (byte === newline || byte === carriageReturn || byte === escapeByte) {
        this.#mode = byte === escapeByte ? afterEscape : afterBreak;
        this.#gap++;
        i++;
        continue;
      }
      const isJoint = this.#beginRun(base + i);
      const to = this.#gapBegin.from(i + 1);
      this.#runs.grow(to - i);
      if (isJoint) {
        const areLong = lastTo - lastFrom >= 3 && to - i >= 3;
        if (!areLong || grams.mayJoin(chunk, lastTo, i)) this.#joints.add();
      }
      lastFrom = i;
      lastTo = to;
      i = to;
      if (endsInBackslash(chunk, to)) {
        this.#takeBackslash();
        lastTo--;
      }
    }
    return this.#joints.end();
  }

  /** The text ends: a backslash at its end, `stream` bytes into it, is text. */
  finish(stream: number, grams: NeedleGrams, isLive: boolean): readonly Piece[] {
    this.#joints.begin(noBytes, stream + 1, grams, isLive);
    if (this.#backslash) this.#decideBackslash(0, stream);
    return this.#joints.end();
  }

  /** More than a gap was left out since the last kept byte: nothing continues it any more. */
  get isCut(): boolean {
    return this.#gap > maxGap;
  }

  /** The offset in the stream of the byte at `view`. */
  toStream(view: number): number {
    return this.#runs.toStream(view);
  }

  /** Forgets how offsets before `view` are mapped. */
  forget(view: number): void {
    this.#runs.forget(view);
  }

  /** The next kept byte is at `stream`. @returns Whether something was left out before it. */
  #beginRun(stream: number): boolean {
    if (this.#gap === 0 && this.#runs.count > 0) return false;
    const isJoint = this.#gap <= maxGap;
    if (!isJoint) this.#joints.cut();
    this.#gap = 0;
    this.#runs.begin(stream);
    return isJoint;
  }

  /** Takes a backslash at the end of a run back, if a line break follows, or may follow. */
  #takeBackslash(): void {
    this.#runs.grow(-1);
    this.#backslash = true;
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

  /** Goes over what is left out. @returns Where text may begin again, or the end. */
  #skip(chunk: Uint8Array, from: number): number {
    for (let i = from; i < chunk.length; i++) {
      const isTooLong = this.#gap > maxGap && this.#mode !== afterBreak;
      const mode = isTooLong ? inText : following(this.#mode, chunk[i] as number);
      this.#mode = mode === endsBefore ? inText : mode;
      if (mode === endsBefore) return i;
      this.#gap++;
      if (mode === inText) return i + 1;
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
