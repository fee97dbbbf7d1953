/** A part of the stream that is left out: the rest of a match whose mask is written already. */
interface DroppedRange {
  readonly start: number;
  readonly end: number;
}

/** The parts to leave out that are not passed yet: one nearly always, a few at most. */
export class Dropped {
  #ranges: DroppedRange[] = [];

  add(start: number, end: number): void {
    this.#ranges.push({ start, end });
  }

  /** The earliest range that ends after the offset; those before it are forgotten. */
  firstAfter(offset: number): DroppedRange | undefined {
    if (this.#ranges.length === 0) return undefined;
    this.#ranges = this.#ranges.filter(({ end }) => end > offset);
    return this.#ranges.toSorted((a, b) => a.start - b.start)[0];
  }
}
