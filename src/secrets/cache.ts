import { SecretError, type SecretErrorCode } from "./errors.ts";
import type { ReadOutcome, StoredValue } from "./provider.ts";
import type { Reader } from "./reader.ts";
import type { Reference } from "./reference.ts";

/** How long values are kept, in milliseconds. */
export interface CacheOptions {
  /** A value this old is read anew (default: 300,000), plus or minus a tenth so that fleets spread. */
  readonly ttlMs?: number | undefined;
  /** For this long after that it is given once more while it is read anew (default: 60,000). */
  readonly refreshMs?: number | undefined;
  /** Up to this age it is given, with a warning, while the store cannot be reached (default: 900,000). */
  readonly staleIfErrorMs?: number | undefined;
  /** How long "does not exist" is believed (default: 2,000). */
  readonly missingMs?: number | undefined;
}

const defaults = { ttlMs: 300_000, refreshMs: 60_000, staleIfErrorMs: 900_000, missingMs: 2_000 };

/** Only with these a value that the store gave before may still be right. */
const temporary: ReadonlySet<SecretErrorCode> = new Set(["SECRET_UNREACHABLE", "SECRET_THROTTLED"]);

/** A value, or null for "does not exist", and until when it counts. */
interface Entry {
  readonly stored: StoredValue | null;
  readonly readAt: number;
  readonly freshUntil: number;
}

/** What a read gave, and until when it may be given again without asking; -Infinity for never. */
export interface CachedRead {
  readonly stored: StoredValue | null;
  readonly freshUntil: number;
}

/**
 * Keeps what a reader read. Concurrent reads of one secret share a read; a refused, disabled or
 * vanished secret ends its entry at once; an invalidation wins over a read that is under way.
 */
export class Cache {
  readonly #reader: Reader;
  readonly #options: Required<{ [Name in keyof CacheOptions]: number }> | null;
  readonly #warn: (message: string) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #refreshing = new Map<string, Promise<ReadOutcome>>();
  /** Counts invalidations: a read that began before one must not be kept. */
  #epoch = 0;

  constructor(reader: Reader, options: CacheOptions | false, warn: (message: string) => void) {
    this.#reader = reader;
    const given =
      options === false ? null : Object.entries(options).filter(([, ms]) => ms !== undefined);
    this.#options = given === null ? null : { ...defaults, ...Object.fromEntries(given) };
    this.#warn = warn;
  }

  /**
   * Reads a secret, or gives what is kept.
   *
   * @param maxAgeMs - Refuses older values, also when the store cannot be reached.
   * @throws {@link SecretError} What the store answered.
   */
  async read(
    reference: Reference,
    options: { maxAgeMs?: number | undefined; signal?: AbortSignal | undefined },
  ): Promise<CachedRead> {
    const key = this.#reader.keyOf(reference);
    const entry = this.#entries.get(key);
    if (entry !== undefined && this.#options !== null) {
      const age = now() - entry.readAt;
      if (age <= (options.maxAgeMs ?? Number.POSITIVE_INFINITY)) {
        if (now() < entry.freshUntil) return entry;
        const isStale = entry.stored !== null && now() < entry.freshUntil + this.#options.refreshMs;
        if (isStale && options.maxAgeMs === undefined) {
          this.#refresh(key, reference).catch(() => undefined);
          return { stored: entry.stored, freshUntil: Number.NEGATIVE_INFINITY };
        }
      }
    }
    const outcome = await this.#reader.waitFor(this.#refresh(key, reference), options.signal);
    if (!(outcome instanceof SecretError)) {
      return this.#entries.get(key) ?? { stored: outcome, freshUntil: Number.NEGATIVE_INFINITY };
    }
    const kept = this.#usable(entry, outcome, options.maxAgeMs);
    if (kept === null) throw outcome;
    const seconds = Math.round((now() - kept.readAt) / 1000);
    this.#warn(
      `${reference.text}: ${outcome.message}; using the value that was read ${seconds} s ago`,
    );
    return { stored: kept.stored, freshUntil: Number.NEGATIVE_INFINITY };
  }

  /** Forgets one secret, or all. */
  invalidate(reference?: Reference): void {
    this.#epoch++;
    this.#refreshing.clear();
    if (reference === undefined) this.#entries.clear();
    else this.#entries.delete(this.#reader.keyOf(reference));
  }

  /** One read at a time for a secret; never rejects. */
  #refresh(key: string, reference: Reference): Promise<ReadOutcome> {
    const existing = this.#refreshing.get(key);
    if (existing !== undefined) return existing;
    const epoch = this.#epoch;
    const refresh = this.#reader.read(reference).then((outcome) => {
      if (epoch !== this.#epoch) return outcome;
      this.#refreshing.delete(key);
      this.#keep(key, outcome);
      return outcome;
    });
    this.#refreshing.set(key, refresh);
    return refresh;
  }

  #keep(key: string, outcome: ReadOutcome): void {
    if (this.#options === null) return;
    if (outcome instanceof SecretError) {
      if (!temporary.has(outcome.code)) this.#entries.delete(key);
      return;
    }
    const { ttlMs, missingMs } = this.#options;
    const fresh = outcome === null ? missingMs : ttlMs * (0.9 + 0.2 * Math.random());
    this.#entries.set(key, { stored: outcome, readAt: now(), freshUntil: now() + fresh });
  }

  #usable(
    entry: Entry | undefined,
    failure: SecretError,
    maxAgeMs: number | undefined,
  ): Entry | null {
    if (entry?.stored == null || this.#options === null || !temporary.has(failure.code))
      return null;
    const limit = Math.min(this.#options.staleIfErrorMs, maxAgeMs ?? Number.POSITIVE_INFINITY);
    return now() - entry.readAt <= limit ? entry : null;
  }
}

function now(): number {
  return performance.now();
}
