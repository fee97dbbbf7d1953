import {
  type Matcher,
  type MatchState,
  minUnwrappedBytes,
  type Needle,
  type OnMatch,
  type Piece,
  Unwrapper,
} from "../detect/index.ts";

/** Looks for values that line breaks or terminal colours cut, in the unwrapped view of a stream. */
export class UnwrappedLane {
  readonly #onMatch: OnMatch;
  #matcher: Matcher;
  #state: MatchState;
  #view = new Unwrapper();

  /** @param onMatch - Told of matches that something cuts, with their offsets in the stream. */
  constructor(matcher: Matcher, onMatch: OnMatch) {
    this.#matcher = matcher;
    this.#state = matcher.start();
    this.#onMatch = onMatch;
  }

  /** Goes on with another matcher: nothing is under way. */
  use(matcher: Matcher): void {
    this.#matcher = matcher;
    this.#state = matcher.start();
  }

  /** Forgets the view and what is under way: what is read next follows nothing. */
  restart(): void {
    this.#view = new Unwrapper();
    this.#state.fill(0);
  }

  push(chunk: Uint8Array, base: number): void {
    this.#scan(this.#view.push(chunk, base, this.#matcher.grams, this.#pending > 0));
    if (this.#view.isCut) this.#state.fill(0);
  }

  /** Nothing follows the last byte that was read, which ends at `read`. */
  end(read: number): void {
    this.#scan(this.#view.finish(read - 1, this.#matcher.grams, this.#pending > 0));
  }

  /** Offset in the stream of the first byte that may still become part of a match; or Infinity. */
  get live(): number {
    const pending = this.#pending;
    return pending === 0
      ? Number.POSITIVE_INFINITY
      : this.#view.toStream(this.#view.length - pending);
  }

  /** Up to here a pause may show what is under way, `most` bytes of it at most; or Infinity. */
  showable(most: number): number {
    const { length } = this.#view;
    const limit = length - this.#pending + this.#matcher.showable(this.#state, most);
    return limit < length ? this.#view.toStream(limit) : Number.POSITIVE_INFINITY;
  }

  /** Keeps of the view what is under way. */
  forget(): void {
    this.#view.forget(this.#view.length - this.#pending);
  }

  get #pending(): number {
    return this.#matcher.pending(this.#state);
  }

  #scan(pieces: readonly Piece[]): void {
    for (const { bytes, base, cut } of pieces) {
      if (cut) this.#state.fill(0);
      this.#matcher.scan(bytes, this.#state, base, this.#addMatch);
    }
  }

  /** A match counts where it goes over a gap; the others are matches of the stream. */
  readonly #addMatch = (start: number, end: number, needle: Needle): void => {
    if (end - start < minUnwrappedBytes) return;
    const from = this.#view.toStream(start);
    const to = this.#view.toStream(end - 1) + 1;
    if (to - from !== end - start) this.#onMatch(from, to, needle);
  };
}
