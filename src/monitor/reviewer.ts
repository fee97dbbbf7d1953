import { reviewRules } from "./review-rules.ts";

/** Something to review in a stream; `text` stands there and must not be passed on. */
export interface ReviewHit {
  readonly rule: string;
  readonly text: string;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
/** Longer lines are looked at in pieces of this size, which overlap. */
const maxLineBytes = 4096;
const overlapBytes = 384;
/** A job that prints nothing but such lines is not slowed down by them: redaction sees all, this a part. */
const maxLinesPerSecond = 5_000;

/**
 * Looks for what should be reviewed in one stream of output that is redacted already. It keeps the
 * line that is not ended yet, at most 4 KiB of it, and looks closer only at lines with an anchor.
 */
export class Reviewer {
  readonly #onHit: (hit: ReviewHit) => void;
  readonly #line = Buffer.allocUnsafe(maxLineBytes);
  #length = 0;
  #second = 0;
  #linesLeft = maxLinesPerSecond;
  /** Lines that came too fast to be looked at. */
  skipped = 0;

  constructor(onHit: (hit: ReviewHit) => void) {
    this.#onHit = onHit;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let from = 0;
    if (this.#length > 0) {
      from = nextBreak(bytes, 0);
      this.#append(bytes.subarray(0, from));
      if (from === bytes.length) return;
      this.end();
    }
    const last = lastBreak(bytes, bytes.length) + 1;
    if (from < last) this.#lookAtLines(bytes.subarray(from, last));
    this.#append(bytes.subarray(Math.max(from, last)));
  }

  /** Looks at the line that was not ended. */
  end(): void {
    this.#lookIfAnchored(this.#line.subarray(0, this.#length));
    this.#length = 0;
  }

  #append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(maxLineBytes - this.#length, bytes.length - at);
      bytes.copy(this.#line, this.#length, at, at + count);
      this.#length += count;
      at += count;
      if (this.#length < maxLineBytes) continue;
      this.#lookIfAnchored(this.#line);
      this.#line.copyWithin(0, maxLineBytes - overlapBytes);
      this.#length = overlapBytes;
    }
  }

  /** Whole lines: from anchor to anchor, without a look at the lines between. */
  #lookAtLines(lines: Buffer): void {
    if (!mayHit(lines)) return;
    for (let at = nextAnchor(lines, 0); at !== -1; ) {
      const to = nextBreak(lines, at);
      const from = lastBreak(lines, at) + 1;
      if (to - from <= maxLineBytes) this.#lookAt(lines.subarray(from, to));
      else this.#lookAtPieces(lines.subarray(from, to));
      at = nextAnchor(lines, to);
    }
  }

  #lookAtPieces(line: Buffer): void {
    for (let at = 0; at < line.length; at += maxLineBytes - overlapBytes) {
      this.#lookIfAnchored(line.subarray(at, at + maxLineBytes));
    }
  }

  #lookIfAnchored(line: Buffer): void {
    if (mayHit(line)) this.#lookAt(line);
  }

  #lookAt(bytes: Buffer): void {
    if (!this.#mayLook()) {
      this.skipped++;
      return;
    }
    const line = bytes.toString("latin1");
    for (const { id, find } of reviewRules) {
      const place = find(line);
      if (place !== null) this.#onHit({ rule: id, text: line.slice(place.start, place.end) });
    }
  }

  #mayLook(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#linesLeft = maxLinesPerSecond;
    }
    return this.#linesLeft-- > 0;
  }
}

/** Bytes that every hit of a rule has, and that are rare: it is jumped from one to the next. */
const open = 0x28;
const slash = 0x2f;
const backslash = 0x5c;
const percent = 0x25;
const dot = 0x2e;
const anchors = new Uint8Array(256);
for (const byte of [open, slash, backslash, percent]) anchors[byte] = 1;
/** Last letters of the calls that start a shell: system, popen, getoutput, exec, call. */
const callEnds = new Uint8Array(256);
for (const byte of Buffer.from("mntcl")) callEnds[byte] = 1;

/** The same as text: most output has none of it, and the runtime's own search is the fastest. */
const anchorTexts = [..."mntcl"].map((letter) => `${letter}(`).concat("..", "%2");

function mayHit(bytes: Buffer): boolean {
  return anchorTexts.some((text) => bytes.includes(text, 0, "latin1"));
}

/** The next place where a rule may find something: `t(`, `../`, `..\`, `..%`, `%2`. */
function nextAnchor(bytes: Uint8Array, from: number): number {
  const end = bytes.length;
  for (let i = from; ; i++) {
    while (i < end && anchors[bytes[i] as number] === 0) i++;
    if (i >= end) return -1;
    const byte = bytes[i];
    if (i > 0 && byte === open && callEnds[bytes[i - 1] as number] === 1) return i;
    if (i > 1 && byte !== open && bytes[i - 1] === dot && bytes[i - 2] === dot) return i;
    if (byte === percent && bytes[i + 1] === 0x32) return i;
  }
}

function isBreak(byte: number | undefined): boolean {
  return byte === newline || byte === carriageReturn;
}

/** The first line break from `from` on, or the end. */
function nextBreak(bytes: Uint8Array, from: number): number {
  let i = from;
  while (i < bytes.length && !isBreak(bytes[i])) i++;
  return i;
}

/** The last line break before `before`, or -1. */
function lastBreak(bytes: Uint8Array, before: number): number {
  let i = before - 1;
  while (i >= 0 && !isBreak(bytes[i])) i--;
  return i;
}
