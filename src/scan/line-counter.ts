const newline = 0x0a;

/** A place that was counted to. */
interface Mark {
  /** Offset in the stream. */
  readonly at: number;
  readonly line: number;
  /** Offset of the first byte of the line. */
  readonly lineStart: number;
}

/** Tells line and column of places in a stream while it is read; it keeps what is not decided yet. */
export class LineCounter {
  /** Where what is kept begins. */
  #kept: Mark = { at: 0, line: 1, lineStart: 0 };
  /** The last place that was asked for: places come nearly in order. */
  #last: Mark = this.#kept;
  /** What is known from `#kept` on: a rest of earlier chunks, and the chunk. */
  #rest: Buffer = Buffer.alloc(0);
  #chunk: Buffer = Buffer.alloc(0);

  /** Takes the next chunk, which may be overwritten after the next call of `keep`. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
  }

  /** Line and column of an offset that is kept, from 1. */
  locate(offset: number): { readonly line: number; readonly column: number } {
    const from = offset < this.#last.at ? this.#kept : this.#last;
    this.#last = this.#countTo(offset, from);
    return { line: this.#last.line, column: Math.max(1, offset - this.#last.lineStart + 1) };
  }

  /** Nothing before this offset will be asked for: the chunk may go. */
  keep(from: number): void {
    const mark = this.#countTo(from, from < this.#last.at ? this.#kept : this.#last);
    const all = mark.at - this.#kept.at;
    const ofRest = Math.min(all, this.#rest.length);
    // A copy, since the chunk is used again.
    this.#rest = Buffer.concat([this.#rest.subarray(ofRest), this.#chunk.subarray(all - ofRest)]);
    this.#chunk = this.#chunk.subarray(0, 0);
    this.#kept = mark;
    this.#last = mark;
  }

  #countTo(offset: number, { at, line, lineStart }: Mark): Mark {
    const chunkAt = this.#kept.at + this.#rest.length;
    const end = Math.min(offset, chunkAt + this.#chunk.length);
    for (const [bytes, base] of [
      [this.#rest, this.#kept.at],
      [this.#chunk, chunkAt],
    ] as const) {
      const to = Math.min(end, base + bytes.length);
      for (let from = at; from < to; from++) {
        const found = bytes.indexOf(newline, from - base);
        if (found === -1 || base + found >= to) break;
        line++;
        from = base + found;
        lineStart = from + 1;
      }
      at = Math.max(at, to);
    }
    return { at, line, lineStart };
  }
}
