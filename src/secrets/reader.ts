import { Batch, keyOf } from "./batch.ts";
import { SecretError } from "./errors.ts";
import type {
  Attachment,
  AttachOutcome,
  ReadOutcome,
  SecretProvider,
  StoredValue,
} from "./provider.ts";
import type { Reference } from "./reference.ts";

/** Reads and attaches through one provider: what is asked in a turn goes out as one call. */
export class Reader {
  readonly provider: SecretProvider;
  readonly #closing: AbortSignal;
  readonly #reads: Batch<StoredValue>;
  readonly #attachments: Batch<Attachment>;
  /** What ends the waits when the resolver is closed. */
  readonly #waits = new Set<() => void>();

  constructor(provider: SecretProvider, closing: AbortSignal) {
    this.provider = provider;
    this.#closing = closing;
    closing.addEventListener("abort", () => {
      for (const end of this.#waits) end();
    });
    const context = { signal: closing };
    this.#reads = new Batch(
      provider.name,
      async (all) => (await provider.read?.(all, context)) ?? [],
    );
    this.#attachments = new Batch(
      provider.name,
      async (all) => (await provider.attach?.(all, context)) ?? [],
    );
  }

  get canRead(): boolean {
    return this.provider.read !== undefined && this.provider.capabilities.includes("read");
  }

  get canAttach(): boolean {
    return this.provider.attach !== undefined && this.provider.capabilities.includes("attach");
  }

  /** Whether the provider itself selects the field of this scheme's references. */
  selects(scheme: string): boolean {
    return this.provider.ownFields?.includes(scheme) ?? false;
  }

  /** Equal for references that one read answers: those of several fields of one document. */
  keyOf(reference: Reference): string {
    return keyOf(this.#asked(reference));
  }

  /** Never rejects: what goes wrong is the outcome. */
  read(reference: Reference): Promise<ReadOutcome> {
    if (this.#closing.aborted) return Promise.resolve(aborted("the resolver was closed"));
    if (!this.canRead) return Promise.resolve(cannot(this.provider, "read", reference));
    return this.#reads.ask(this.#asked(reference));
  }

  /** Reads from now on share nothing that is under way. */
  forget(): void {
    this.#reads.forget();
    this.#attachments.forget();
  }

  /** Never rejects either. */
  attach(reference: Reference): Promise<AttachOutcome> {
    if (this.#closing.aborted) return Promise.resolve(aborted("the resolver was closed"));
    return this.#attachments.ask(reference);
  }

  /** Waits for work that others may share: the caller's `signal` ends its own wait, not the work. */
  waitFor<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (this.#closing.aborted) return Promise.reject(aborted("the resolver was closed"));
    // A signal of its own for each wait: many listeners on one signal would be a warning of Node's.
    const givenUp = signal === undefined ? undefined : AbortSignal.any([signal]);
    return new Promise((resolve, reject) => {
      const giveUp = () => reject(aborted("the caller gave up"));
      const close = () => reject(aborted("the resolver was closed"));
      const settle = () => {
        this.#waits.delete(close);
        givenUp?.removeEventListener("abort", giveUp);
      };
      this.#waits.add(close);
      if (givenUp?.aborted === true) giveUp();
      givenUp?.addEventListener("abort", giveUp, { once: true });
      work.then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          settle();
          reject(error);
        },
      );
    });
  }

  #asked(reference: Reference): Reference {
    if (reference.field === undefined || this.selects(reference.scheme)) return reference;
    return { ...reference, field: undefined };
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
