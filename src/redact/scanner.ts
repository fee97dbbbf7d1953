import { type Matcher, type Needle, Unwrapper } from "../detect/index.ts";
import { HeldBytes } from "./held-bytes.ts";
import { type Masked, MaskList } from "./mask-list.ts";

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
  /** Told of every match as soon as its last byte is read. */
  readonly onMatch?: ((masked: Masked) => void) | undefined;
  /** Also look at the unwrapped view: values cut by line breaks or colours. */
  readonly unwrap: boolean;
}

/** Matches in the unwrapped view are too likely by chance below this length. */
const minUnwrappedBytes = 8;
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
  readonly #held = new HeldBytes();
  #version = -1;
  #matcher: Matcher;
  #state = 0;
  #view = new Unwrapper();
  #viewState = 0;
  /** Offset after the last byte that was read. */
  #read = 0;
  /** Offset after the last byte that was written or masked. */
  #written = 0;

  constructor(source: MatcherSource, options: ScannerOptions) {
    this.#source = source;
    this.#options = options;
    this.#matcher = source.matcher;
    this.#version = source.version;
  }

  /** How many bytes are held back. */
  get pending(): number {
    return this.#read - this.#written;
  }

  push(chunk: Uint8Array): void {
    this.#refresh();
    const base = this.#read;
    this.#scan(chunk, base);
    this.#read = base + chunk.length;
    this.#settle(this.#liveStart(), chunk, base);
    this.#keep(chunk, base);
  }

  /** Shows as much of a partial match as a pause may show; its rest will still be masked. */
  pause(): void {
    this.#refresh();
    const { most, view } = { most: maxShownAtPause, view: this.#view };
    let limit =
      this.#read - this.#matcher.pending(this.#state) + this.#matcher.showable(this.#state, most);
    const viewStart = view.length - this.#matcher.pending(this.#viewState);
    const viewLimit = viewStart + this.#matcher.showable(this.#viewState, most);
    if (viewLimit < view.length) limit = Math.min(limit, view.toStream(viewLimit));
    const first = this.#masks.first;
    if (first !== undefined) limit = Math.min(limit, first.start);
    this.#writeRaw(limit, noBytes, this.#read);
  }

  /** Decides everything that is held: what is no match by now is none. */
  end(): void {
    this.#refresh();
    this.#settle(this.#read, noBytes, this.#read);
    this.#state = 0;
    this.#viewState = 0;
    this.#held.dropBefore(this.#read);
  }

  /** After secrets were added, what is held is looked at again. */
  #refresh(): void {
    if (this.#version === this.#source.version) return;
    this.#version = this.#source.version;
    this.#matcher = this.#source.matcher;
    this.#state = 0;
    this.#viewState = 0;
    const { start, end } = this.#held;
    if (end === start) return;
    this.#view = new Unwrapper();
    this.#scan(this.#held.copy(start, end), start);
  }

  #scan(chunk: Uint8Array, base: number): void {
    const matcher = this.#matcher;
    this.#state = matcher.scan(chunk, this.#state, base, this.#add);
    if (!this.#options.unwrap) return;
    for (const { bytes, base: viewBase, cut } of this.#view.push(chunk, base)) {
      if (cut) this.#viewState = 0;
      this.#viewState = matcher.scan(bytes, this.#viewState, viewBase, this.#addUnwrapped);
    }
    if (this.#view.isCut) this.#viewState = 0;
  }

  /** A match of the view counts where it crosses a gap; the others are matches of the stream. */
  readonly #addUnwrapped = (start: number, end: number, needle: Needle): void => {
    if (end - start < minUnwrappedBytes) return;
    const from = this.#view.toStream(start);
    const to = this.#view.toStream(end - 1) + 1;
    if (to - from !== end - start) this.#add(from, to, needle);
  };

  readonly #add = (start: number, end: number, needle: Needle): void => {
    this.#masks.add(start, end, needle);
    this.#options.onMatch?.({ start, end, needle });
  };

  /** Offset of the first byte that may still become part of a match. */
  #liveStart(): number {
    const start = this.#read - this.#matcher.pending(this.#state);
    if (this.#viewState === 0) return start;
    const view = this.#view.length - this.#matcher.pending(this.#viewState);
    return Math.min(start, this.#view.toStream(view));
  }

  /** Writes what is decided: all masks that end by `limit`, and the bytes up to the next one. */
  #settle(limit: number, chunk: Uint8Array, base: number): void {
    for (;;) {
      const first = this.#masks.first;
      if (first === undefined || first.start >= limit) break;
      this.#writeRaw(first.start, chunk, base);
      if (first.end > limit) return;
      this.#options.write(Buffer.from(first.needle.secret.mask));
      this.#options.onMask(first);
      this.#written = Math.max(this.#written, first.end);
      this.#masks.shift();
    }
    this.#writeRaw(limit, chunk, base);
  }

  /** Writes the bytes from the last written one to `to`; they are held, or in the chunk at `base`. */
  #writeRaw(to: number, chunk: Uint8Array, base: number): void {
    if (to <= this.#written) return;
    if (this.#written < base) {
      this.#options.write(this.#held.copy(this.#written, Math.min(to, base)));
      this.#written = Math.min(to, base);
    }
    if (to > base) {
      this.#options.write(chunk.subarray(this.#written - base, to - base));
      this.#written = to;
    }
  }

  /** Keeps what is not written yet, and the whole of what may become a match. */
  #keep(chunk: Uint8Array, base: number): void {
    const from = Math.min(this.#written, this.#liveStart());
    this.#held.dropBefore(from);
    if (this.#held.end === this.#held.start) this.#held.start = Math.max(from, base);
    this.#held.append(chunk.subarray(this.#held.end - base));
    this.#view.forget(this.#view.length - this.#matcher.pending(this.#viewState));
  }
}

const noBytes = new Uint8Array(0);
