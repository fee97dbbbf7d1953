import { SecretError } from "./errors.ts";
import type { ReadOutcome, SecretProvider } from "./provider.ts";
import type { Reference } from "./reference.ts";

interface Waiting {
  readonly reference: Reference;
  readonly settle: (outcome: ReadOutcome) => void;
}

/** Reads through one provider: the reads of a turn go out as one call. */
export class Reader {
  readonly provider: SecretProvider;
  readonly #closing: AbortSignal;
  readonly #underWay = new Map<string, Promise<ReadOutcome>>();
  #queue: Waiting[] = [];

  constructor(provider: SecretProvider, closing: AbortSignal) {
    this.provider = provider;
    this.#closing = closing;
  }

  get canRead(): boolean {
    return this.provider.read !== undefined && this.provider.capabilities.includes("read");
  }

  /** Whether the provider itself selects the field of this scheme's references. */
  selects(scheme: string): boolean {
    return this.provider.ownFields?.includes(scheme) ?? false;
  }

  /** Equal for references that one read answers: those of several fields of one document. */
  keyOf(reference: Reference): string {
    const { scheme, path, options, field, base } = this.#asked(reference);
    return JSON.stringify([scheme, path, Object.entries(options).sort(), field ?? null, base]);
  }

  /** Never rejects: what goes wrong is the outcome. Equal references of a turn share a read. */
  read(reference: Reference): Promise<ReadOutcome> {
    if (this.#closing.aborted) return Promise.resolve(aborted("the resolver was closed"));
    if (!this.canRead) {
      return Promise.resolve(cannot(this.provider, "read", reference));
    }
    const key = this.keyOf(reference);
    const existing = this.#underWay.get(key);
    if (existing !== undefined) return existing;
    const read = new Promise<ReadOutcome>((settle) => {
      if (this.#queue.length === 0) queueMicrotask(() => void this.#flush());
      this.#queue.push({ reference: this.#asked(reference), settle });
    }).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, read);
    return read;
  }

  /** Waits for work that others may share: the caller's `signal` ends its own wait, not the work. */
  waitFor<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    // A signal of its own for each wait: many listeners on one signal would be a warning of Node's.
    const stopped = AbortSignal.any(
      signal === undefined ? [this.#closing] : [signal, this.#closing],
    );
    return new Promise((resolve, reject) => {
      const stop = () => {
        reject(aborted(this.#closing.aborted ? "the resolver was closed" : "the caller gave up"));
      };
      if (stopped.aborted) stop();
      stopped.addEventListener("abort", stop, { once: true });
      work.then(resolve, reject).finally(() => stopped.removeEventListener("abort", stop));
    });
  }

  #asked(reference: Reference): Reference {
    if (reference.field === undefined || this.selects(reference.scheme)) return reference;
    return { ...reference, field: undefined };
  }

  async #flush(): Promise<void> {
    const batch = this.#queue;
    this.#queue = [];
    const outcomes = await this.#readAll(batch.map(({ reference }) => reference));
    batch.forEach(({ settle }, index) => {
      settle(outcomes[index] ?? null);
    });
  }

  /** A call that failed as a whole gives each of its references the error. */
  async #readAll(references: readonly Reference[]): Promise<readonly ReadOutcome[]> {
    try {
      const outcomes = await this.provider.read?.(references, { signal: this.#closing });
      if (outcomes?.length === references.length) return outcomes;
      return references.map(() => this.#failed("did not answer for every reference"));
    } catch (error) {
      const failure = error instanceof SecretError ? error : this.#failed("failed");
      return references.map(() => failure);
    }
  }

  #failed(how: string): SecretError {
    return new SecretError("SECRET_UNREACHABLE", `the provider ${this.provider.name} ${how}`);
  }
}

/** The error for a capability that a provider does not have. */
export function cannot(
  provider: SecretProvider,
  what: "read" | "write",
  reference: Reference,
): SecretError {
  const hint = provider.whyNot?.[what];
  return new SecretError(
    what === "read" ? "SECRET_NOT_READABLE" : "SECRET_NOT_WRITABLE",
    `${reference.text}: ${provider.name} cannot ${what} values${hint === undefined ? "" : `; ${hint}`}`,
  );
}

function aborted(why: string): SecretError {
  return new SecretError("SECRET_ABORTED", `${why} before the secret was read`);
}
