/** The memory of chunks as words of 4 bytes; chunks often share their memory. */
export class Words {
  #words = new Int32Array(0);

  /** All the memory that a chunk stands in, from its begin. */
  of({ buffer }: Uint8Array): Int32Array {
    const length = buffer.byteLength >> 2;
    if (this.#words.buffer !== buffer || this.#words.length !== length) {
      this.#words = new Int32Array(buffer as ArrayBuffer, 0, length);
    }
    return this.#words;
  }
}
