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
export interface Entry {
  readonly key: string;
  readonly stored: StoredValue | null;
  readonly readAt: number;
  readonly freshUntil: number;
}

/** What a read gave; the entry is missing where it may not be given again without asking. */
export interface CachedRead {
  readonly stored: StoredValue | null;
  readonly entry?: Entry | undefined;
}

interface Refresh {
  readonly outcome: Promise<ReadOutcome>;
  readonly beganAt: number;
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
  readonly #refreshing = new Map<string, Refresh>();

  /** @throws {@link SecretError} `DECLARATION_INVALID` for a time that is none. */
  constructor(reader: Reader, options: CacheOptions | false, warn: (message: string) => void) {
    this.#reader = reader;
    this.#options = options === false ? null : checkOptions(options);
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
    const { maxAgeMs, signal } = options;
    const key = this.#reader.keyOf(reference);
    const entry = this.#entries.get(key);
    const kept = entry === undefined ? null : this.#kept(entry, maxAgeMs);
    if (kept !== null) {
      if (kept.entry === undefined) void this.#refresh(key, reference, undefined);
      return this.#reader.waitFor(Promise.resolve(kept), signal);
    }
    const outcome = await this.#reader.waitFor(this.#refresh(key, reference, maxAgeMs), signal);
    if (!(outcome instanceof SecretError)) {
      const current = this.#entries.get(key);
      return { stored: outcome, entry: current?.stored === outcome ? current : undefined };
    }
    const old = this.#usable(this.#entries.get(key), outcome, maxAgeMs);
    if (old === null) throw outcome;
    const seconds = Math.round((now() - old.readAt) / 1000);
    this.#warn(
      `${reference.text}: ${outcome.message}; using the value that was read ${seconds} s ago`,
    );
    return { stored: old.stored };
  }

  /** Whether an entry is still what a read would give without asking. */
  isCurrent(entry: Entry): boolean {
    return now() < entry.freshUntil && this.#entries.get(entry.key) === entry;
  }

  /** Forgets everything: one secret has many spellings, and a document many fields. */
  invalidate(): void {
    this.#entries.clear();
    this.#refreshing.clear();
    this.#reader.forget();
  }

  /** What may be given of an entry: itself while it is fresh, its value once more after that. */
  #kept(entry: Entry, maxAgeMs: number | undefined): CachedRead | null {
    if (this.#options === null || now() - entry.readAt > (maxAgeMs ?? Number.POSITIVE_INFINITY)) {
      return null;
    }
    if (now() < entry.freshUntil) return { stored: entry.stored, entry };
    const isStale = entry.stored !== null && now() < entry.freshUntil + this.#options.refreshMs;
    return isStale && maxAgeMs === undefined ? { stored: entry.stored } : null;
  }

  /** One read at a time for a secret, unless that began too long ago; never rejects. */
  #refresh(key: string, reference: Reference, maxAgeMs: number | undefined): Promise<ReadOutcome> {
    const existing = this.#refreshing.get(key);
    if (existing !== undefined) {
      if (now() - existing.beganAt <= (maxAgeMs ?? Number.POSITIVE_INFINITY))
        return existing.outcome;
      this.#reader.forget();
    }
    const refresh: Refresh = {
      beganAt: now(),
      outcome: this.#reader.read(reference).then((outcome) => {
        // Forgotten, or overtaken by a later one.
        if (this.#refreshing.get(key) !== refresh) return outcome;
        this.#refreshing.delete(key);
        this.#keep(key, outcome);
        return outcome;
      }),
    };
    this.#refreshing.set(key, refresh);
    return refresh.outcome;
  }

  #keep(key: string, outcome: ReadOutcome): void {
    if (this.#options === null) return;
    if (outcome instanceof SecretError) {
      if (!temporary.has(outcome.code)) this.#entries.delete(key);
      return;
    }
    const { ttlMs, missingMs } = this.#options;
    const fresh = outcome === null ? missingMs : ttlMs * (0.9 + 0.2 * Math.random());
    this.#entries.set(key, { key, stored: outcome, readAt: now(), freshUntil: now() + fresh });
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

function checkOptions(options: CacheOptions): typeof defaults {
  const checked = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof CacheOptions)[]) {
    const ms = options[name];
    if (ms === undefined) continue;
    if (!(typeof ms === "number" && ms >= 0)) {
      throw new SecretError(
        "DECLARATION_INVALID",
        `cache.${name} must be a number of milliseconds`,
      );
    }
    checked[name] = ms;
  }
  return checked;
}

function now(): number {
  return performance.now();
}
