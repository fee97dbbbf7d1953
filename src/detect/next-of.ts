/** Where the last place was nearer, bytes are looked at one by one: a call costs as much as so many. */
const nearBytes = 24;

/**
 * Where the next of a few bytes stands. It remembers the next place of each, so that text without some
 * of them is looked through for those once.
 */
export class NextOf {
  readonly #wanted: readonly number[];
  readonly #isWanted = new Uint8Array(256);
  readonly #next: Float64Array;
  #bytes: Buffer = noBytes;
  #isNear: boolean = true;

  constructor(wanted: readonly number[]) {
    this.#wanted = wanted;
    this.#next = new Float64Array(wanted.length);
    for (const byte of wanted) this.#isWanted[byte] = 1;
  }

  /** Begins with other bytes. */
  begin(bytes: Uint8Array): void {
    this.#bytes = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#next.fill(-1);
  }

  /** The first place from `from` on, or the end. Places are asked for in order. */
  from(from: number): number {
    const place = this.#isNear ? this.#nearFrom(from) : this.#farFrom(from);
    this.#isNear = place - from < nearBytes;
    return place;
  }

  #nearFrom(from: number): number {
    const bytes = this.#bytes;
    const far = Math.min(from + nearBytes, bytes.length);
    for (let i = from; i < far; i++) if (this.#isWanted[bytes[i] as number] === 1) return i;
    return far === bytes.length ? far : this.#farFrom(far);
  }

  #farFrom(from: number): number {
    let nearest = this.#bytes.length;
    for (let w = 0; w < this.#wanted.length; w++) {
      let next = this.#next[w] as number;
      if (next < from) {
        const found = this.#bytes.indexOf(this.#wanted[w] as number, from);
        next = found === -1 ? this.#bytes.length : found;
        this.#next[w] = next;
      }
      if (next < nearest) nearest = next;
    }
    return nearest;
  }
}

const noBytes = Buffer.alloc(0);
