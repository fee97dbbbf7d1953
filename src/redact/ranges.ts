/** A part of a stream; the end is exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * Parts of a stream in order, overlapping ones united.
 *
 * A gap stands where the last one was added. Finders each come in order, so that the gap moves along
 * with them, and a chunk of many parts takes time linear in their number.
 */
export class Ranges<T extends Range> {
  readonly #unite: (a: T, b: T) => T;
  /** Those before the gap, from `#head` on. */
  #before: T[] = [];
  #head = 0;
  /** Those behind the gap, the next one last. */
  readonly #behind: T[] = [];

  constructor(unite: (a: T, b: T) => T) {
    this.#unite = unite;
  }

  get first(): T | undefined {
    return this.#head < this.#before.length ? this.#before[this.#head] : this.#behind.at(-1);
  }

  add(range: T): void {
    let added = range;
    while (this.#behind.length > 0) {
      const next = this.#behind[this.#behind.length - 1] as T;
      if (next.start >= added.end) break;
      this.#before.push(next);
      this.#behind.pop();
    }
    for (let at = this.#before.length - 1; at >= this.#head; at--) {
      const last = this.#before[at] as T;
      if (last.end <= added.start) break;
      this.#before.pop();
      if (last.start >= added.end) this.#behind.push(last);
      else added = this.#unite(last, added);
    }
    this.#before.push(added);
  }

  /** Puts a part in the place of the first one, which it equals in extent. */
  replaceFirst(range: T): void {
    if (this.#head < this.#before.length) this.#before[this.#head] = range;
    else this.#behind[this.#behind.length - 1] = range;
  }

  shift(): void {
    if (this.#head === this.#before.length) {
      this.#behind.pop();
      return;
    }
    this.#head++;
    // Moves what is left only when as much was taken: each one is moved once.
    if (this.#head * 2 >= this.#before.length) {
      this.#before = this.#before.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Takes out those that begin before `limit`. */
  takeBefore(limit: number): readonly T[] {
    const taken: T[] = [];
    for (let first = this.first; first !== undefined && first.start < limit; first = this.first) {
      taken.push(first);
      this.shift();
    }
    return taken;
  }
}
