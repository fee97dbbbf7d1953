/** The part of a chunk that is known to be one run. */
interface Extent {
  from: number;
  to: number;
}

/**
 * Where long runs of a class lie in a chunk. `password=password=...` begins an attempt every nine bytes,
 * each of which takes hundreds: what one has read, the next one need not read again.
 */
export class LongRuns {
  /** By the table of the class: the run that was read last. */
  readonly #known = new Map<Uint8Array, Extent>();

  /** Begins a new chunk. */
  forget(): void {
    if (this.#known.size > 0) this.#known.clear();
  }

  /** Where a run ends that goes on at `from`: at `stop` at the latest. */
  endOf(table: Uint8Array, bytes: Uint8Array, from: number, stop: number): number {
    let known = this.#known.get(table);
    if (known === undefined) {
      known = { from, to: from };
      this.#known.set(table, known);
    } else if (from < known.from || from > known.to) {
      known.from = from;
      known.to = from;
    }
    let end = known.to;
    while (end < stop && table[bytes[end] as number] === 1) end++;
    known.to = Math.max(known.to, end);
    return Math.min(end, stop);
  }
}
