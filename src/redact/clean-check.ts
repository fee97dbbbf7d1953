import { type Matcher, RuleScanner, type RuleSet } from "../detect/index.ts";

/** Longer text is looked at once more where it is clean, and its memory is not kept. */
const maxScratchBytes = 1024 * 1024;
const minScratchBytes = 4096;
/** UTF-8 needs at most three bytes for each of JavaScript's 16-bit units. */
const maxBytesPerUnit = 3;

/**
 * Says whether text is clean, at the price of writing it into a buffer and running the filters over
 * it: nothing is allocated, and nearly every line of a log is clean.
 */
export class CleanCheck {
  readonly #unwrap: boolean;
  readonly #rules: RuleScanner | null;
  #scratch = noBytes;
  #words = new Int32Array(0);
  #hits = 0;

  constructor(rules: RuleSet | null, unwrap: boolean) {
    this.#unwrap = unwrap;
    const listener = {
      hit: this.#onHit,
      drop: this.#onHit,
      bytesOf: (start: number, end: number) => this.#scratch.subarray(start, end),
    };
    this.#rules = rules === null ? null : new RuleScanner(rules, listener);
  }

  /** False if something was found, or if a line break or escape might hide something. */
  isClean(text: string, matcher: Matcher): boolean {
    if (text.length * maxBytesPerUnit > maxScratchBytes) return false;
    if (this.#unwrap && mayBeWrapped(text)) return false;
    if (text.length * maxBytesPerUnit > this.#scratch.length) this.#makeRoom(text.length);
    const length = this.#scratch.write(text);
    this.#hits = 0;
    if (!matcher.holdsNone(this.#words, length)) {
      matcher.scanText(this.#scratch, length, this.#onHit);
    }
    if (this.#hits === 0 && this.#rules !== null) {
      this.#rules.reset();
      this.#rules.push(this.#scratch, length, 0);
      this.#rules.end();
    }
    return this.#hits === 0;
  }

  #makeRoom(units: number): void {
    const bytes = Math.min(maxScratchBytes, Math.max(minScratchBytes, units * 4));
    this.#scratch = Buffer.allocUnsafeSlow(bytes);
    this.#words = new Int32Array(this.#scratch.buffer);
  }

  readonly #onHit = (): void => {
    this.#hits++;
  };
}

const noBytes = Buffer.alloc(0);

/** A line break with something behind it, or an escape sequence. */
function mayBeWrapped(text: string): boolean {
  const lineBreak = text.indexOf("\n");
  if (lineBreak !== -1 && lineBreak < text.length - 1) return true;
  const carriageReturn = text.indexOf("\r");
  if (carriageReturn !== -1 && carriageReturn < text.length - 1) {
    const isLineEnd = carriageReturn === text.length - 2 && text.endsWith("\n");
    if (!isLineEnd) return true;
  }
  return text.includes("\x1b");
}
