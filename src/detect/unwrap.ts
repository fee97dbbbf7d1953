/**
 * The unwrapped view of a stream: without terminal escape sequences, and without line breaks, the
 * indentation that follows them and a backslash before them. A value that a terminal, a colouring
 * `grep` or `base64` broke up is whole there.
 */

/** A run of the view that belongs together. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Offset of the first byte in the view. */
  readonly base: number;
  /** More than a gap was left out before it: not the same text as the piece before. */
  readonly cut: boolean;
}

/** What the bytes after the last one read belong to. */
const inText = 0;
const afterBreak = 1;
const afterEscape = 2;
const inControlSequence = 3;
/** Operating system command, device control string and their like: up to BEL or ESC \\. */
const inControlString = 4;
const beforeStringEnd = 5;
/** Intermediate bytes of an escape sequence, as in ESC ( B. */
const inEscapeSequence = 6;

const bell = 0x07;
const tab = 0x09;
const newline = 0x0a;
const carriageReturn = 0x0d;
const escapeByte = 0x1b;
const space = 0x20;
const backslash = 0x5c;

/** A longer gap separates texts; this also bounds what a stream must hold back. */
const maxGap = 512;

export class Unwrapper {
  /** Where runs of kept bytes begin, in the view and in the stream; the last run is open. */
  #viewStarts: number[] = [];
  #streamStarts: number[] = [];
  #mode = inText;
  #gap = 0;
  /** The last byte of the last chunk was a backslash: the next byte tells whether it is text. */
  #backslash: boolean = false;
  #length = 0;
  #scratch = new DataView(new ArrayBuffer(256));
  #used = 0;
  #pieces: Piece[] = [];
  #pieceStart = 0;
  #cut: boolean = false;

  /** The number of bytes kept so far: the end of the view. */
  get length(): number {
    return this.#length;
  }

  /**
   * Takes the next chunk, which begins at offset `base` of the stream.
   *
   * @returns What it keeps; the bytes are valid until the next call.
   */
  push(chunk: Uint8Array, base: number): readonly Piece[] {
    const end = chunk.length;
    // One byte more: a backslash of the last chunk may turn out to be text.
    if (this.#scratch.byteLength < end + 1)
      this.#scratch = new DataView(new ArrayBuffer(end + 4096));
    const bytes = new DataView(chunk.buffer, chunk.byteOffset, end);
    this.#pieces = [];
    this.#used = 0;
    this.#pieceStart = 0;
    this.#cut = false;
    let i = 0;
    while (i < end) {
      const byte = chunk[i] as number;
      if (this.#mode !== inText) {
        if (this.#skip(byte)) {
          i++;
          continue;
        }
      }
      if (this.#backslash) this.#decideBackslash(byte, base + i - 1);
      if (byte === newline || byte === carriageReturn || byte === escapeByte) {
        this.#mode = byte === escapeByte ? afterEscape : afterBreak;
        this.#gap++;
        i++;
        continue;
      }
      this.#beginRun(base + i);
      const from = this.#used;
      this.#used = copyText(bytes, i, this.#scratch, from);
      i += this.#used - from;
      this.#length += this.#used - from;
      this.#takeBackslash(i < end ? (chunk[i] as number) : newline);
    }
    this.#finishPiece();
    return this.#pieces;
  }

  /** The text ends: a backslash at its end, `stream` bytes into it, is text. */
  finish(stream: number): readonly Piece[] {
    this.#pieces = [];
    this.#used = 0;
    this.#pieceStart = 0;
    this.#cut = false;
    if (this.#backslash) this.#decideBackslash(0, stream);
    this.#finishPiece();
    return this.#pieces;
  }

  /** More than a gap was left out since the last kept byte: nothing continues it any more. */
  get isCut(): boolean {
    return this.#gap > maxGap;
  }

  /** The next kept byte is at `stream`. */
  #beginRun(stream: number): void {
    if (this.#gap === 0 && this.#viewStarts.length > 0) return;
    if (this.#gap > maxGap) {
      this.#finishPiece();
      this.#cut = true;
    }
    this.#gap = 0;
    this.#viewStarts.push(this.#length);
    this.#streamStarts.push(stream);
  }

  /** Takes a backslash at the end of a run back, if a line break follows, or may follow. */
  #takeBackslash(next: number): void {
    if (next !== newline && next !== carriageReturn) return;
    if (this.#scratch.getUint8(this.#used - 1) !== backslash) return;
    this.#used--;
    this.#length--;
    this.#backslash = true;
  }

  /** A backslash before a line break is left out; any other is text. */
  #decideBackslash(next: number, stream: number): void {
    this.#backslash = false;
    if (next === newline || next === carriageReturn) {
      this.#gap++;
      return;
    }
    this.#beginRun(stream);
    this.#scratch.setUint8(this.#used++, backslash);
    this.#length++;
  }

  #finishPiece(): void {
    if (this.#used === this.#pieceStart) return;
    const length = this.#used - this.#pieceStart;
    const bytes = new Uint8Array(this.#scratch.buffer, this.#pieceStart, length);
    this.#pieces.push({ bytes, base: this.#length - length, cut: this.#cut });
    this.#pieceStart = this.#used;
  }

  /** Consumes a byte outside text; false if the byte belongs to text again. */
  #skip(byte: number): boolean {
    const isTooLong = this.#gap > maxGap && this.#mode !== afterBreak;
    this.#mode = isTooLong ? inText : following(this.#mode, byte);
    if (this.#mode === endsBefore) {
      this.#mode = inText;
      return false;
    }
    this.#gap++;
    return true;
  }

  /** The offset in the stream of the byte at `view`. */
  toStream(view: number): number {
    const run = this.#runOf(view);
    if (run === -1) return view;
    return (this.#streamStarts[run] as number) + (view - (this.#viewStarts[run] as number));
  }

  /** The last run that begins at or before `view`, or the first one. */
  #runOf(view: number): number {
    let low = 0;
    let high = this.#viewStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#viewStarts[middle] as number) <= view) low = middle;
      else high = middle - 1;
    }
    return high;
  }

  /** Forgets how offsets before `view` are mapped. */
  forget(view: number): void {
    const past = this.#runOf(view);
    if (past <= 0) return;
    this.#viewStarts = this.#viewStarts.slice(past);
    this.#streamStarts = this.#streamStarts.slice(past);
  }
}

/**
 * Copies bytes up to the next line break or escape, four at a time where none is below a blank.
 *
 * @returns Where the copy ends in `target`.
 */
function copyText(source: DataView, from: number, target: DataView, to: number): number {
  const end = source.byteLength;
  let i = from;
  let o = to;
  while (i < end) {
    while (i + 4 <= end) {
      const word = source.getInt32(i, true);
      // A byte below 0x20 borrows from its highest bit.
      if (((word - 0x20202020) & ~word & 0x80808080) !== 0) break;
      target.setInt32(o, word, true);
      i += 4;
      o += 4;
    }
    for (let k = 0; k < 4 && i < end; k++) {
      const byte = source.getUint8(i);
      if (byte === newline || byte === carriageReturn || byte === escapeByte) return o;
      target.setUint8(o++, byte);
      i++;
    }
  }
  return o;
}

/** What follows ESC and begins a control string (ECMA-48): P, X, ], ^ and _. */
const controlStrings: ReadonlySet<number> = new Set([0x50, 0x58, 0x5d, 0x5e, 0x5f]);

/** The byte is text and ends what was skipped. */
const endsBefore = -1;

/** The mode after one more byte of something that is left out. */
function following(mode: number, byte: number): number {
  switch (mode) {
    case afterBreak:
      return byte === newline || byte === carriageReturn || byte === space || byte === tab
        ? afterBreak
        : endsBefore;
    case afterEscape:
      if (byte === 0x5b) return inControlSequence;
      if (controlStrings.has(byte)) return inControlString;
      return byte >= 0x20 && byte <= 0x2f ? inEscapeSequence : inText;
    case inEscapeSequence:
      return byte >= 0x20 && byte <= 0x2f ? inEscapeSequence : inText;
    case inControlSequence:
      if (byte >= 0x40 && byte <= 0x7e) return inText;
      return byte >= 0x20 && byte <= 0x3f ? inControlSequence : endsBefore;
    case inControlString:
      if (byte === escapeByte) return beforeStringEnd;
      return byte === bell ? inText : inControlString;
    default:
      return inText;
  }
}
