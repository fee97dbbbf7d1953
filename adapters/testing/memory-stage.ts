import {
  type Reference,
  SecretError,
  type StageControl,
  type StoredValue,
} from "../../src/secrets/index.ts";

interface Versioned {
  readonly values: Map<string, StoredValue>;
  readonly bases: Map<string, string>;
  current: string;
  previous?: string | undefined;
  pending?: { version: string; sinceMs: number } | undefined;
  rotated?: { version: string; atMs: number } | undefined;
}

/** Versions in memory, by the rules of `StageControl`. */
export class MemoryStage implements StageControl {
  readonly #secrets = new Map<string, Versioned>();
  readonly #find: (reference: Reference) => StoredValue | null;
  readonly #keyOf: (reference: Reference) => string;

  constructor(
    find: (reference: Reference) => StoredValue | null,
    keyOf: (reference: Reference) => string,
  ) {
    this.#find = find;
    this.#keyOf = keyOf;
  }

  /** The current value, once a rotation has begun. */
  current(reference: Reference): StoredValue | undefined {
    const secret = this.#secrets.get(this.#keyOf(reference));
    return secret?.values.get(secret.current);
  }

  async stages(reference: Reference) {
    const { bases, current, previous, pending, rotated } = this.#of(reference);
    return {
      current,
      previous,
      pending: pending?.version,
      pendingBase: pending && bases.get(pending.version),
      pendingSinceMs: pending?.sinceMs,
      rotatedAtMs: rotated?.version === current ? rotated.atMs : undefined,
    };
  }

  async readVersion(reference: Reference, version: string) {
    const found = this.#of(reference).values.get(version);
    if (found !== undefined) return found;
    throw new SecretError("SECRET_NOT_FOUND", `${reference.text} has no version ${version}`);
  }

  async add(
    reference: Reference,
    made: { token: string; base: string; value: string | Uint8Array },
  ) {
    const { values, bases } = this.#of(reference);
    const existing = values.get(made.token);
    if (existing !== undefined && !Buffer.from(existing.value).equals(Buffer.from(made.value))) {
      throw new SecretError("SECRET_CONFLICT", `${reference.text}: the token is in use`);
    }
    values.set(made.token, { value: made.value, version: made.token, createdAtMs: Date.now() });
    bases.set(made.token, made.base);
    return made.token;
  }

  async claim(reference: Reference, version: string, base: string) {
    const secret = this.#of(reference);
    if (secret.current !== base) return false;
    if (secret.pending !== undefined) return secret.pending.version === version;
    secret.pending = { version, sinceMs: Date.now() };
    return true;
  }

  async replace(reference: Reference, from: string, to: string) {
    const secret = this.#of(reference);
    if (secret.pending?.version !== from) return false;
    secret.pending = { version: to, sinceMs: Date.now() };
    return true;
  }

  async promote(reference: Reference, from: string, to: string) {
    const secret = this.#of(reference);
    if (secret.current !== from || secret.pending?.version !== to) return false;
    secret.previous = from;
    secret.current = to;
    return true;
  }

  async finish(reference: Reference, version: string) {
    const secret = this.#of(reference);
    if (secret.pending?.version !== version || secret.current !== version) return;
    secret.pending = undefined;
    secret.rotated = { version, atMs: Date.now() };
  }

  async retire(reference: Reference, version: string) {
    const secret = this.#of(reference);
    if (secret.previous === version) secret.previous = undefined;
  }

  async drop(reference: Reference, version: string) {
    const secret = this.#of(reference);
    if (secret.pending?.version === version) secret.pending = undefined;
  }

  #of(reference: Reference): Versioned {
    const key = this.#keyOf(reference);
    const known = this.#secrets.get(key);
    if (known !== undefined) return known;
    const value = this.#find(reference);
    if (value === null)
      throw new SecretError("SECRET_NOT_FOUND", `${reference.text} does not exist`);
    const secret = { values: new Map([["1", value]]), bases: new Map(), current: "1" };
    this.#secrets.set(key, secret);
    return secret;
  }
}
