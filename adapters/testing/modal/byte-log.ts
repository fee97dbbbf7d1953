/** Bytes that were written one after the other, which many readers can follow from any offset. */
export class ByteLog {
  #pieces: Buffer[] = [];
  #size = 0;
  readonly #state: { closed: boolean } = { closed: false };
  readonly #waiting = new Set<() => void>();

  get size(): number {
    return this.#size;
  }

  /** All bytes so far. */
  bytes(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(Buffer.from(piece));
    this.#size += piece.length;
    this.#wake();
  }

  close(): void {
    this.#state.closed = true;
    this.#wake();
  }

  /** The bytes from an offset on, as they come, until the log is closed or the signal aborts. */
  async *from(offset: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    let at = offset;
    while (!signal.aborted) {
      if (at < this.#size) {
        const piece = Buffer.from(this.bytes().subarray(at));
        at += piece.length;
        yield piece;
      } else if (this.#state.closed) {
        return;
      } else {
        await this.#change(signal);
      }
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  #wake(): void {
    for (const done of [...this.#waiting]) done();
  }
}
