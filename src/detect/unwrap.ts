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

/** Bytes that may begin something that is left out. */
const special = new Uint8Array(256);
for (const byte of [newline, carriageReturn, escapeByte, backslash]) special[byte] = 1;

export class Unwrapper {
  /** Where runs of kept bytes begin, in the view and in the stream; the last run is open. */
  #runs: { readonly view: number; readonly stream: number }[] = [];
  #mode = inText;
  #gap = 0;
  /** The last chunk ended with a backslash: the next byte tells whether it is text. */
  #backslash: boolean = false;
  #length = 0;
  #scratch = Buffer.allocUnsafe(0);
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
    if (this.#scratch.length < end + 1) this.#scratch = Buffer.allocUnsafe(end + 1);
    this.#pieces = [];
    this.#used = 0;
    this.#pieceStart = 0;
    this.#cut = false;
    let i = 0;
    while (i < end) {
      const byte = chunk[i] as number;
      if (this.#mode !== inText && this.#skip(byte)) {
        i++;
        continue;
      }
      const isBreak = byte === newline || byte === carriageReturn;
      if (this.#backslash) {
        this.#backslash = false;
        if (isBreak) this.#gap++;
        else this.#keep(oneBackslash, 0, 1, base + i - 1);
      }
      if (isBreak || byte === escapeByte) {
        this.#mode = isBreak ? afterBreak : afterEscape;
        this.#gap++;
        i++;
        continue;
      }
      const from = i;
      if (byte === backslash) i++;
      else while (i < end && special[chunk[i] as number] === 0) i++;
      if (byte !== backslash) this.#keep(chunk, from, i, base + from);
      else this.#backslash = true;
    }
    this.#finishPiece();
    return this.#pieces;
  }

  /** More than a gap was left out since the last kept byte: nothing continues it any more. */
  get isCut(): boolean {
    return this.#gap > maxGap;
  }

  /** Takes bytes of the chunk over into the view; `stream` is the offset of the first. */
  #keep(chunk: Uint8Array, from: number, to: number, stream: number): void {
    if (this.#gap > 0 || this.#runs.length === 0) {
      if (this.#gap > maxGap) {
        this.#finishPiece();
        this.#cut = true;
      }
      this.#gap = 0;
      this.#runs.push({ view: this.#length, stream });
    }
    this.#scratch.set(chunk.subarray(from, to), this.#used);
    this.#used += to - from;
    this.#length += to - from;
  }

  #finishPiece(): void {
    if (this.#used === this.#pieceStart) return;
    const bytes = this.#scratch.subarray(this.#pieceStart, this.#used);
    this.#pieces.push({ bytes, base: this.#length - bytes.length, cut: this.#cut });
    this.#pieceStart = this.#used;
  }

  /** Consumes a byte outside text; false if the byte belongs to text again. */
  #skip(byte: number): boolean {
    this.#mode =
      this.#gap > maxGap && this.#mode !== afterBreak ? inText : following(this.#mode, byte);
    if (this.#mode === endsBefore) {
      this.#mode = inText;
      return false;
    }
    this.#gap++;
    return true;
  }

  /** The offset in the stream of the byte at `view`. */
  toStream(view: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#runs[middle]?.view ?? 0) <= view) low = middle;
      else high = middle - 1;
    }
    const run = this.#runs[low];
    return run === undefined ? view : run.stream + (view - run.view);
  }

  /** Forgets how offsets before `view` are mapped. */
  forget(view: number): void {
    let past = 0;
    while (past + 1 < this.#runs.length && (this.#runs[past + 1]?.view ?? 0) <= view) past++;
    if (past > 0) this.#runs.splice(0, past);
  }
}

const oneBackslash = Uint8Array.of(backslash);

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
