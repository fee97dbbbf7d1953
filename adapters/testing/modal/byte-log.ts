/** Not more comes at once, as from a pipe of Linux. */
const maxPieceBytes = 64 * 1024;

/** Bytes that were written one after the other, which many readers can follow from any offset. */
export class ByteLog {
  /** Of {@link maxPieceBytes} at most. */
  readonly #pieces: Buffer[] = [];
  readonly #state: { closed: boolean } = { closed: false };
  readonly #waiting = new Set<() => void>();

  /** All bytes so far. */
  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length; at += maxPieceBytes) {
      this.#pieces.push(Buffer.from(piece.subarray(at, at + maxPieceBytes)));
    }
    this.#wake();
  }

  close(): void {
    this.#state.closed = true;
    this.#wake();
  }

  /**
   * The bytes from an offset on, as they come and in pieces of 64 KiB at most, until the log is closed
   * or the signal aborts.
   */
  async *from(offset: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    let next = 0;
    let skipped = offset;
    while (!signal.aborted) {
      const piece = this.#pieces[next];
      if (piece !== undefined) {
        next++;
        const rest = piece.subarray(skipped);
        skipped -= piece.length - rest.length;
        if (rest.length > 0) yield rest;
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
