import { invalidEvent } from "./fields.ts";

/** A time in a record has 24 characters: the years 0 to 9999. */
const firstMs = Date.parse("0000-01-01T00:00:00.000Z");
const lastMs = Date.parse("9999-12-31T23:59:59.999Z");

/** The times of a log, by a clock that may be the caller's own. */
export class Clock {
  readonly #now: () => number;
  #lastMs = Number.NaN;
  #last = "";

  /** @param now - Gives milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Now, in milliseconds since 1970; NaN if the clock fails. */
  get nowMs(): number {
    try {
      return this.#now();
    } catch {
      return Number.NaN;
    }
  }

  /** The same for what the log says of itself: where its clock gives no time, the machine's does. */
  get ownMs(): number {
    const ms = this.nowMs;
    return isTime(ms) ? ms : Date.now();
  }

  /**
   * A time as records have it: `2026-11-22T02:04:48.123Z`.
   *
   * @throws SecretError `AUDIT_EVENT_INVALID` for what a record cannot hold.
   */
  textOf(atMs: number): string {
    if (atMs === this.#lastMs) return this.#last;
    if (!isTime(atMs)) throw invalidEvent("its time is none between the years 0 and 9999");
    this.#last = new Date(atMs).toISOString();
    this.#lastMs = atMs;
    return this.#last;
  }
}

function isTime(ms: unknown): boolean {
  return typeof ms === "number" && ms >= firstMs && ms <= lastMs;
}
