import {
  agrees,
  type Confidence,
  type KnownBits,
  type Matcher,
  type MatchState,
  minUnwrappedBytes,
  type Needle,
  type Piece,
  type Rule,
  RuleScanner,
  type RuleSet,
  Unwrapper,
} from "../detect/index.ts";
import { Dropped } from "./dropped.ts";
import { HeldBytes } from "./held-bytes.ts";
import { type Masked, MaskList, maskTextOf } from "./mask-list.ts";
import { Reports } from "./reports.ts";

/** Where a scanner gets its matcher from; `version` changes when secrets were added. */
export interface MatcherSource {
  readonly version: number;
  readonly matcher: Matcher;
}

export interface ScannerOptions {
  /** Takes what may be written, in order: parts of the chunk, or copies of what was held. */
  readonly write: (bytes: Uint8Array) => void;
  /** Told of every mask that is written. */
  readonly onMask: (masked: Masked) => void;
  /** Told of what is only reported, in order; of one detector's matches that overlap, of one. */
  readonly onReport?: ((reported: Masked) => void) | undefined;
  /** Told of what is left out without a mask: the rest of a match that was masked already. */
  readonly onSkip?: ((start: number, end: number) => void) | undefined;
  /** Told of every form of a value as soon as its last byte is read. */
  readonly onMatch?: ((needle: Needle, start: number) => void) | undefined;
  /** Also look at the unwrapped view: values cut by line breaks or colours. */
  readonly unwrap: boolean;
  /** Also look for formats. */
  readonly rules: RuleSet | null;
}

/** The most that a pause may show of a partial match. */
const maxShownAtPause = 4;

/**
 * Redacts one stream of bytes, however it is cut into chunks:
 *
 * 1. Find all matches, in the stream and in its unwrapped view.
 * 2. Everything before the earliest partial match is decided: write it, matches masked.
 * 3. Hold the rest back. The next chunk decides it, or the end, and a pause shows a little of it.
 *
 * The output is the same for every chunking, but for what a pause shows.
 */
export class Scanner {
  readonly #source: MatcherSource;
  readonly #options: ScannerOptions;
  readonly #masks = new MaskList();
  readonly #reports = new Reports();
  readonly #held = new HeldBytes();
  readonly #rules: RuleScanner | null;
  readonly #dropped = new Dropped();
  #version = -1;
  #matcher: Matcher;
  #state: MatchState;
  #view = new Unwrapper();
  #viewState: MatchState;
  /** Offset after the last byte that was read. */
  #read = 0;
  /** Matches of base64 at the end of the chunk, whose last character may follow. */
  #trailing: { readonly known: KnownBits; readonly taken: number }[] = [];
  /** What is read now; it begins at `#read`. */
  #chunk: Uint8Array = noBytes;
  /** Offset after the last byte that was written or masked. */
  #written = 0;
  /** Before this, bytes are held only for matches that are reported: they are written, and no mask. */
  #live = 0;

  constructor(source: MatcherSource, options: ScannerOptions) {
    this.#source = source;
    this.#options = options;
    this.#matcher = source.matcher;
    this.#version = source.version;
    this.#state = this.#matcher.start();
    this.#viewState = this.#matcher.start();
    this.#rules =
      options.rules === null ? null : new RuleScanner(options.rules, this.#ruleListener);
  }

  /** How many bytes are held back. */
  get pending(): number {
    return this.#read - this.#written;
  }

  /** Whether something is found that was not told yet. */
  get isUntold(): boolean {
    return !this.#reports.isEmpty;
  }

  push(chunk: Uint8Array): void {
    this.#refresh();
    const base = this.#read;
    if (chunk.length === 0) return;
    this.#chunk = chunk;
    const trailing = this.#trailing;
    this.#trailing = [];
    for (const { known, taken } of trailing) this.#dropAfter(base, known, taken);
    this.#scan(chunk, base);
    this.#rules?.push(chunk, chunk.length, base);
    const live = this.#liveStart(base + chunk.length);
    this.#chunk = noBytes;
    this.#read = base + chunk.length;
    this.#settle(live, chunk, base);
    const undecided = this.#rules?.undecided ?? Number.POSITIVE_INFINITY;
    this.#keep(live, undecided, chunk, base);
    this.#report(undecided);
  }

  /** Shows as much of a partial match as a pause may show; its rest will still be masked. */
  pause(): void {
    this.#refresh();
    const view = this.#view;
    const start = this.#matchStart(this.#read);
    const most = maxShownAtPause - (this.#belongsBefore(start) ? 1 : 0);
    let limit =
      this.#read - this.#matcher.pending(this.#state) + this.#matcher.showable(this.#state, most);
    const viewStart = view.length - this.#matcher.pending(this.#viewState);
    const viewLimit = viewStart + this.#matcher.showable(this.#viewState, most);
    if (viewLimit < view.length) limit = Math.min(limit, view.toStream(viewLimit));
    if (this.#rules !== null) limit = Math.min(limit, this.#rules.showable(most));
    const first = this.#masks.first;
    if (first !== undefined) limit = Math.min(limit, first.start);
    this.#writeRaw(limit, noBytes, this.#read);
    this.#report(Number.POSITIVE_INFINITY);
  }

  /** Decides everything that is held: what is no match by now is none. */
  end(): void {
    this.#refresh();
    this.#rules?.end();
    if (this.#options.unwrap) {
      this.#scanView(this.#view.finish(this.#read - 1, this.#matcher.grams, this.#isViewLive));
    }
    this.#settle(this.#read, noBytes, this.#read);
    this.#report(Number.POSITIVE_INFINITY);
    this.#state.fill(0);
    this.#viewState.fill(0);
    this.#held.dropBefore(this.#read);
  }

  /** After secrets were added, what is held is looked at again. */
  #refresh(): void {
    if (this.#version === this.#source.version) return;
    this.#version = this.#source.version;
    this.#matcher = this.#source.matcher;
    this.#state = this.#matcher.start();
    this.#viewState = this.#matcher.start();
    const { end } = this.#held;
    const start = Math.max(this.#held.start, this.#live);
    if (end <= start) return;
    this.#view = new Unwrapper();
    this.#scan(this.#held.copy(start, end), start);
  }

  #scan(chunk: Uint8Array, base: number): void {
    const matcher = this.#matcher;
    matcher.scan(chunk, this.#state, base, this.#addMatch);
    if (!this.#options.unwrap) return;
    this.#scanView(this.#view.push(chunk, base, matcher.grams, this.#isViewLive));
    if (this.#view.isCut) this.#viewState.fill(0);
  }

  get #isViewLive(): boolean {
    return this.#matcher.pending(this.#viewState) > 0;
  }

  readonly #addMatch = (start: number, end: number, needle: Needle): void => {
    this.#masks.add({ start, end, match: needle });
    this.#options.onMatch?.(needle, start);
    if (needle.before !== undefined) this.#dropBefore(start, needle.before);
    if (needle.after !== undefined) this.#dropAfter(end, needle.after, 0);
  };

  /** The character before base64 of a value belongs to it if it can hold the value's first bits. */
  #dropBefore(start: number, known: KnownBits): void {
    const byte = this.#byteAt(start - 1);
    if (byte !== undefined && agrees(byte, known))
      this.#dropped.add({ start: start - 1, end: start });
  }

  /** So does the character behind it, and the padding: `taken` counts them. */
  #dropAfter(end: number, known: KnownBits, taken: number): void {
    for (let count = taken; count < maxTrailing; count++) {
      const byte = this.#byteAt(end + count - taken);
      if (byte === undefined) {
        this.#trailing.push({ known, taken: count });
        return;
      }
      const belongs = count === 0 ? agrees(byte, known) : byte === padding;
      if (!belongs) return;
      const at = end + count - taken;
      this.#dropped.add({ start: at, end: at + 1 });
    }
  }

  /** The byte at an offset, if it is held or in the chunk. */
  #byteAt(offset: number): number | undefined {
    if (offset >= this.#read) return this.#chunk[offset - this.#read];
    return this.#held.byteAt(offset);
  }

  #scanView(pieces: readonly Piece[]): void {
    for (const { bytes, base, cut } of pieces) {
      if (cut) this.#viewState.fill(0);
      this.#matcher.scan(bytes, this.#viewState, base, this.#addUnwrapped);
    }
  }

  /** A match of the view counts where it crosses a gap; the others are matches of the stream. */
  readonly #addUnwrapped = (start: number, end: number, needle: Needle): void => {
    if (end - start < minUnwrappedBytes) return;
    const from = this.#view.toStream(start);
    const to = this.#view.toStream(end - 1) + 1;
    if (to - from !== end - start) this.#addMatch(from, to, needle);
  };

  readonly #ruleListener = {
    hit: (start: number, end: number, rule: Rule, confidence: Confidence, bytes: Buffer) => {
      const match = { rule, confidence, bytes };
      if (rule.does === "report") this.#reports.add({ start, end, match });
      else this.#masks.add({ start, end, match });
    },
    drop: (start: number, end: number) => this.#dropped.add({ start, end }),
    bytesOf: (start: number, end: number) => this.#bytesOf(start, end),
  };

  /** A copy of bytes that are held or in the chunk. */
  #bytesOf(start: number, end: number): Buffer {
    const base = this.#read;
    if (start >= base) return Buffer.from(this.#chunk.subarray(start - base, end - base));
    const held = this.#held.copy(start, Math.min(end, base));
    const read = this.#chunk.subarray(Math.max(0, start - base), Math.max(0, end - base));
    return Buffer.concat([held, read]);
  }

  /** Offset of the first byte that may still become part of a match. */
  #liveStart(read: number): number {
    const start = this.#matchStart(read);
    return this.#belongsBefore(start) ? start - 1 : start;
  }

  /** Whether the byte before an offset would belong to a match that begins there. */
  #belongsBefore(start: number): boolean {
    return this.#matcher.beside[this.#byteAt(start - 1) ?? -1] === 1;
  }

  #matchStart(read: number): number {
    const rules = this.#rules?.live ?? read;
    const start = Math.min(rules, read - this.#matcher.pending(this.#state));
    const pending = this.#matcher.pending(this.#viewState);
    const inView = pending === 0 ? start : this.#view.toStream(this.#view.length - pending);
    return Math.min(start, inView);
  }

  /** Writes what is decided: all masks that end by `limit`, and the bytes up to the next one. */
  #settle(limit: number, chunk: Uint8Array, base: number): void {
    for (;;) {
      const first = this.#masks.first;
      if (first === undefined || first.start >= limit) break;
      this.#writeRaw(first.start, chunk, base);
      if (first.end > limit) return;
      this.#options.write(Buffer.from(maskTextOf(first.match)));
      this.#options.onMask(first);
      this.#written = Math.max(this.#written, first.end);
      this.#masks.shift();
    }
    this.#writeRaw(limit, chunk, base);
  }

  /** Writes the bytes from the last written one to `to`; they are held, or in the chunk at `base`. */
  #writeRaw(to: number, chunk: Uint8Array, base: number): void {
    while (to > this.#written) {
      const dropped = this.#dropped.firstAfter(this.#written);
      if (dropped !== undefined && dropped.start <= this.#written) {
        const end = Math.min(to, dropped.end);
        this.#options.onSkip?.(this.#written, end);
        this.#written = end;
        continue;
      }
      const next = Math.min(to, dropped?.start ?? to);
      if (this.#written < base) {
        this.#options.write(this.#held.copy(this.#written, Math.min(next, base)));
      }
      const from = Math.max(this.#written, base);
      if (next > from) this.#options.write(chunk.subarray(from - base, next - base));
      this.#written = next;
    }
  }

  /** Tells of what begins before a place. */
  #report(limit: number): void {
    if (this.#reports.isEmpty) return;
    for (const reported of this.#reports.take(limit)) this.#options.onReport?.(reported);
  }

  /** Keeps what is not written yet, and the whole of what may become a match or a report. */
  #keep(live: number, undecided: number, chunk: Uint8Array, base: number): void {
    this.#live = Math.min(this.#written, live);
    const from = Math.min(this.#live, undecided);
    this.#held.dropBefore(from);
    if (this.#held.end === this.#held.start) this.#held.start = Math.max(from, base);
    this.#held.append(chunk.subarray(this.#held.end - base));
    this.#view.forget(this.#view.length - this.#matcher.pending(this.#viewState));
  }
}

/** A character with some of the value's bits, and padding. */
const maxTrailing = 3;
const padding = 0x3d;
const noBytes = new Uint8Array(0);
