import type { Output } from "./output.ts";

/**
 * The last bytes of a stream, from offset `start` to `end`: those that may still become part of a
 * match. A buffer that grows, so that single bytes can be appended cheaply.
 */
export class HeldBytes {
  #buffer = Buffer.allocUnsafe(256);
  #from = 0;
  #to = 0;
  /** Stream offset of the first held byte. */
  start = 0;

  get end(): number {
    return this.start + (this.#to - this.#from);
  }

  append(bytes: Uint8Array): void {
    const needed = this.#to - this.#from + bytes.length;
    if (this.#to + bytes.length > this.#buffer.length) {
      const target =
        needed > this.#buffer.length / 2 ? Buffer.allocUnsafe(needed * 2) : this.#buffer;
      this.#buffer.copy(target, 0, this.#from, this.#to);
      this.#buffer = target;
      this.#to -= this.#from;
      this.#from = 0;
    }
    this.#buffer.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** Drops what is before the stream offset. */
  dropBefore(offset: number): void {
    const count = Math.min(offset, this.end) - this.start;
    if (count <= 0) return;
    this.#from += count;
    this.start += count;
    if (this.#from === this.#to) {
      this.#from = 0;
      this.#to = 0;
      // Not kept after one long partial match.
      if (this.#buffer.length > 65_536) this.#buffer = Buffer.allocUnsafe(256);
    }
  }

  /** The byte at a stream offset, if it is held. */
  byteAt(offset: number): number | undefined {
    return offset < this.start || offset >= this.end
      ? undefined
      : this.#buffer[this.#from + offset - this.start];
  }

  /** Writes the bytes between two stream offsets. */
  writeTo(output: Output, from: number, to: number): void {
    output.copy(this.#buffer, this.#from + from - this.start, this.#from + to - this.start);
  }

  /** A copy of the bytes between two stream offsets. */
  copy(from: number, to: number): Buffer {
    return Buffer.from(
      this.#buffer.subarray(this.#from + from - this.start, this.#from + to - this.start),
    );
  }
}
