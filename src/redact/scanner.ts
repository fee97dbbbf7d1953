import {
  type Matcher,
  type MatchState,
  type Needle,
  type RuleMatch,
  RuleScanner,
  type RuleSet,
} from "../detect/index.ts";
import { Dropped } from "./dropped.ts";
import { Edges } from "./edges.ts";
import { HeldBytes } from "./held-bytes.ts";
import { isOverlong, MaskBytes, type Masked, MaskList, maskUpTo } from "./mask-list.ts";
import type { Output } from "./output.ts";
import { Reports } from "./reports.ts";
import { UnwrappedLane } from "./unwrapped-lane.ts";

/** Where a scanner gets its matcher from; `version` changes when secrets were added. */
export interface MatcherSource {
  readonly version: number;
  readonly matcher: Matcher;
}

export interface ScannerOptions {
  /** Takes what may be written, in order; null where nobody wants it. */
  readonly output: Output | null;
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
  readonly #maskBytes = new MaskBytes();
  readonly #reports = new Reports();
  readonly #held = new HeldBytes();
  readonly #rules: RuleScanner | null;
  readonly #dropped = new Dropped();
  readonly #edges = new Edges(
    (offset) => this.#byteAt(offset),
    (start, end) => this.#dropped.add({ start, end }),
  );
  #version = -1;
  #matcher: Matcher;
  #state: MatchState;
  readonly #unwrapped: UnwrappedLane | null;
  /** Offset after the last byte that was read. */
  #read = 0;
  /** What is read now; it begins at `#read`. */
  #chunk: Buffer = noBytes;
  /** Offset after the last byte that was written or masked. */
  #written = 0;
  /** Offset after the last mask that a pause has shown. */
  #masked = 0;
  /** Before this, bytes are held only for matches that are reported: they are written, and no mask. */
  #live = 0;

  constructor(source: MatcherSource, options: ScannerOptions) {
    this.#source = source;
    this.#options = options;
    this.#matcher = source.matcher;
    this.#version = source.version;
    this.#state = this.#matcher.start();
    this.#unwrapped = options.unwrap ? new UnwrappedLane(this.#matcher, this.#addMatch) : null;
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

  push(bytes: Uint8Array): void {
    this.#refresh();
    const base = this.#read;
    if (bytes.length === 0) return;
    const chunk = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#chunk = chunk;
    this.#edges.goOn(base);
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

  /**
   * Shows as much of a partial match as a pause may show, and the masks of whole ones up to there. Of
   * what such a mask may still become a part, the rest will be masked.
   */
  pause(): void {
    this.#refresh();
    const start = this.#matchStart(this.#read);
    const most = maxShownAtPause - (this.#belongsBefore(start) ? 1 : 0);
    const inStream = this.#read - this.#matcher.pending(this.#state);
    // No value goes on behind masks up to here, at most a format does.
    const decided = Math.min(inStream, this.#unwrapped?.live ?? inStream);
    let limit = inStream + this.#matcher.showable(this.#state, most);
    if (this.#unwrapped !== null) limit = Math.min(limit, this.#unwrapped.showable(most));
    if (this.#rules !== null) limit = Math.min(limit, this.#rules.showable(most));
    for (;;) {
      const { first } = this.#masks;
      if (first === undefined || first.start > limit || first.end > decided) break;
      this.#writeRaw(first.start, noBytes, this.#read);
      this.#writeMask(first, first.end);
      this.#masked = this.#written;
    }
    this.#writeRaw(Math.min(limit, this.#masks.first?.start ?? limit), noBytes, this.#read);
    this.#report(Number.POSITIVE_INFINITY);
  }

  /** Decides everything that is held: what is no match by now is none. */
  end(): void {
    this.#refresh();
    this.#rules?.end();
    this.#unwrapped?.end(this.#read);
    this.#settle(this.#read, noBytes, this.#read);
    this.#report(Number.POSITIVE_INFINITY);
    this.#state.fill(0);
    this.#unwrapped?.restart();
    this.#edges.end();
    this.#held.dropBefore(this.#read);
  }

  /** After secrets were added, what is held is looked at again. */
  #refresh(): void {
    if (this.#version === this.#source.version) return;
    this.#version = this.#source.version;
    this.#matcher = this.#source.matcher;
    this.#state = this.#matcher.start();
    this.#unwrapped?.use(this.#matcher);
    const { end } = this.#held;
    const start = Math.max(this.#held.start, this.#live);
    if (end <= start) return;
    this.#unwrapped?.restart();
    this.#scan(this.#held.copy(start, end), start);
  }

  #scan(chunk: Uint8Array, base: number): void {
    this.#matcher.scan(chunk, this.#state, base, this.#addMatch);
    this.#unwrapped?.push(chunk, base);
  }

  readonly #addMatch = (start: number, end: number, needle: Needle): void => {
    this.#masks.add({ start, end, match: needle });
    this.#options.onMatch?.(needle, start);
    this.#edges.of(start, end, needle);
  };

  /** The byte at an offset, if it is held or in the chunk. */
  #byteAt(offset: number): number | undefined {
    if (offset >= this.#read) return this.#chunk[offset - this.#read];
    return this.#held.byteAt(offset);
  }

  readonly #ruleListener = {
    hit: (start: number, end: number, match: RuleMatch) => {
      if (match.rule.isMasked) this.#masks.add({ start, end, match });
      else this.#reports.add({ start, end, match });
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
    const inStream = read - this.#matcher.pending(this.#state);
    return Math.min(rules, inStream, this.#unwrapped?.live ?? read);
  }

  /** Writes what is decided: all masks that end by `limit`, and the bytes up to the next one. */
  #settle(limit: number, chunk: Buffer, base: number): void {
    for (;;) {
      const first = this.#masks.first;
      if (first === undefined || first.start >= limit) break;
      this.#writeRaw(first.start, chunk, base);
      if (first.end > limit) {
        if (isOverlong(first.start, limit)) this.#writeMask(first, limit);
        return;
      }
      this.#writeMask(first, first.end);
    }
    this.#writeRaw(limit, chunk, base);
  }

  /**
   * Writes the first mask, unless one that a pause has shown stands for all of it.
   *
   * @param to - Its end; or, of an overlong one, the end of what is decided.
   */
  #writeMask(first: Masked, to: number): void {
    if (to === first.end) this.#masks.shift();
    else this.#masks.replaceFirst({ ...first, isWritten: true });
    if (to <= this.#masked) return;
    if (first.isWritten === true) this.#options.onSkip?.(this.#written, to);
    else {
      const masked = maskUpTo(first, to);
      const mask = this.#maskBytes.of(masked);
      this.#options.output?.copy(mask, 0, mask.length);
      this.#options.onMask(masked);
    }
    this.#written = Math.max(this.#written, to);
  }

  /** Writes the bytes from the last written one to `to`; they are held, or in the chunk at `base`. */
  #writeRaw(to: number, chunk: Buffer, base: number): void {
    const { output } = this.#options;
    while (to > this.#written) {
      const dropped = this.#dropped.firstAfter(this.#written);
      if (dropped !== undefined && dropped.start <= this.#written) {
        const end = Math.min(to, dropped.end);
        this.#options.onSkip?.(this.#written, end);
        this.#written = end;
        continue;
      }
      const next = Math.min(to, dropped?.start ?? to);
      if (output !== null) {
        if (this.#written < base) this.#held.writeTo(output, this.#written, Math.min(next, base));
        const from = Math.max(this.#written, base) - base;
        if (next - base > from) output.pass(chunk, from, next - base);
      }
      this.#written = next;
    }
  }

  /** Tells of what begins before a place. */
  #report(limit: number): void {
    if (this.#reports.isEmpty) return;
    for (const reported of this.#reports.take(limit)) this.#options.onReport?.(reported);
  }

  /** Keeps what is not written yet, and the whole of what may become a match or a report. */
  #keep(live: number, undecided: number, chunk: Buffer, base: number): void {
    this.#live = Math.min(this.#written, live);
    const from = Math.min(this.#live, undecided);
    this.#held.dropBefore(from);
    if (this.#held.end === this.#held.start) this.#held.start = Math.max(from, base);
    const kept = this.#held.end - base;
    if (kept < chunk.length) this.#held.append(chunk.subarray(kept));
    this.#unwrapped?.forget();
  }
}

const noBytes = Buffer.alloc(0);
