import { type Range, Ranges } from "./ranges.ts";

/** The parts of a stream to leave out: the rest of matches whose masks are written already. */
export class Dropped extends Ranges<Range> {
  constructor() {
    super((a, b) => ({ start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) }));
  }

  /** The earliest one that ends after the offset; those before it are forgotten. */
  firstAfter(offset: number): Range | undefined {
    let { first } = this;
    while (first !== undefined && first.end <= offset) {
      this.shift();
      first = this.first;
    }
    return first;
  }
}
