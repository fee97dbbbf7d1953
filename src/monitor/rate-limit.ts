/** Lets so many through in each span of time. */
export class RateLimit {
  readonly #most: number;
  readonly #spanMs: number;
  #from = Number.NEGATIVE_INFINITY;
  #taken = 0;

  constructor(most: number, spanMs: number) {
    this.#most = most;
    this.#spanMs = spanMs;
  }

  /** Whether one more may pass now. */
  take(): boolean {
    const now = performance.now();
    if (now - this.#from >= this.#spanMs) {
      this.#from = now;
      this.#taken = 0;
    }
    if (this.#taken >= this.#most) return false;
    this.#taken++;
    return true;
  }
}
