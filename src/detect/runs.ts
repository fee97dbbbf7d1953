/**
 * Where the bytes of the unwrapped view stand in the stream: runs of bytes that follow each other in
 * both. The last run is open.
 */
export class Runs {
  /** Where each begins, in the view and in the stream. */
  #views = new Float64Array(16);
  #streams = new Float64Array(16);
  #count = 0;
  #length = 0;

  /** The number of bytes of the view so far. */
  get length(): number {
    return this.#length;
  }

  get count(): number {
    return this.#count;
  }

  /** The next byte of the view is at `stream`. */
  begin(stream: number): void {
    if (this.#count === this.#views.length) this.#grow();
    this.#views[this.#count] = this.#length;
    this.#streams[this.#count] = stream;
    this.#count++;
  }

  /** So many bytes more belong to the open run; or fewer. */
  grow(count: number): void {
    this.#length += count;
  }

  /** Where a run begins in the view. */
  startOf(run: number): number {
    return this.#views[run] as number;
  }

  /** Where a run ends in the view. */
  endOf(run: number): number {
    return run + 1 < this.#count ? (this.#views[run + 1] as number) : this.#length;
  }

  /** What to add to an offset in the view, within a run, for the offset in the stream. */
  shiftOf(run: number): number {
    return (this.#streams[run] as number) - (this.#views[run] as number);
  }

  /** The offset in the stream of the byte at `view`. */
  toStream(view: number): number {
    const run = this.runOf(view);
    return run === -1 ? view : view + this.shiftOf(run);
  }

  /** The last run that begins at or before `view`, or the first one; -1 if there is none. */
  runOf(view: number): number {
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#views[middle] as number) <= view) low = middle;
      else high = middle - 1;
    }
    return high;
  }

  /** Forgets how offsets before `view` are mapped. */
  forget(view: number): void {
    const past = this.runOf(view);
    if (past <= 0) return;
    this.#views.copyWithin(0, past, this.#count);
    this.#streams.copyWithin(0, past, this.#count);
    this.#count -= past;
  }

  #grow(): void {
    const [views, streams] = [this.#views, this.#streams];
    this.#views = new Float64Array(this.#count * 2);
    this.#streams = new Float64Array(this.#count * 2);
    this.#views.set(views);
    this.#streams.set(streams);
  }
}
