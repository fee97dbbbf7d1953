const newline = 0x0a;

/**
 * Tells line and column of places in a stream, in ascending order, while it is read. It keeps only
 * what is not decided yet.
 */
export class LineCounter {
  #line = 1;
  /** Offset of the first byte of the line. */
  #lineStart = 0;
  /** Everything before this offset is counted. */
  #at = 0;
  /** What is known from `#at` on: a rest of earlier chunks, and the chunk. */
  #rest: Uint8Array = new Uint8Array(0);
  #chunk: Uint8Array = new Uint8Array(0);

  /** Takes the next chunk, which may be overwritten after the next call of `keep`. */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
  }

  /** Line and column of an offset, from 1. */
  locate(offset: number): { readonly line: number; readonly column: number } {
    this.#countTo(offset);
    return { line: this.#line, column: Math.max(1, offset - this.#lineStart + 1) };
  }

  /** Nothing before this offset will be asked for: the chunk may go. */
  keep(from: number): void {
    this.#countTo(from);
    this.#rest = Buffer.concat([this.#rest, this.#chunk]);
    this.#chunk = new Uint8Array(0);
  }

  #countTo(offset: number): void {
    while (this.#at < offset) {
      if (this.#rest.length > 0) this.#rest = this.#count(this.#rest, offset);
      else if (this.#chunk.length > 0) this.#chunk = this.#count(this.#chunk, offset);
      else return;
    }
  }

  /** @returns What is left of the bytes from the offset on. */
  #count(bytes: Uint8Array, offset: number): Uint8Array {
    const length = Math.min(bytes.length, offset - this.#at);
    for (let from = 0; ; ) {
      const found = bytes.indexOf(newline, from);
      if (found === -1 || found >= length) break;
      this.#line++;
      this.#lineStart = this.#at + found + 1;
      from = found + 1;
    }
    this.#at += length;
    return bytes.subarray(length);
  }
}
