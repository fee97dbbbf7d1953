import { SecretError } from "./errors.ts";
import type { ReadOutcome, SecretProvider } from "./provider.ts";
import type { Reference } from "./reference.ts";

/** Reads through one provider: one call for the reads of a turn, one read for equal references. */
export interface Reader {
  readonly provider: SecretProvider;
  /** Whether the provider itself selects the field of this scheme's references. */
  selects(scheme: string): boolean;
  /** The caller's `signal` ends its own wait, never the shared read. */
  read(reference: Reference, signal: AbortSignal | undefined): Promise<ReadOutcome>;
}

interface Waiting {
  readonly reference: Reference;
  readonly settle: (outcome: ReadOutcome) => void;
}

export function createReader(provider: SecretProvider, closing: AbortSignal): Reader {
  const underWay = new Map<string, Promise<ReadOutcome>>();
  let queue: Waiting[] = [];

  async function flush(): Promise<void> {
    const batch = queue;
    queue = [];
    const outcomes = await readAll(
      provider,
      batch.map(({ reference }) => reference),
      closing,
    );
    batch.forEach(({ settle }, index) => {
      settle(outcomes[index] ?? null);
    });
  }

  function share(reference: Reference): Promise<ReadOutcome> {
    const key = keyOf(reference);
    const existing = underWay.get(key);
    if (existing !== undefined) return existing;
    const read = new Promise<ReadOutcome>((settle) => {
      if (queue.length === 0) queueMicrotask(() => void flush());
      queue.push({ reference, settle });
    }).finally(() => underWay.delete(key));
    underWay.set(key, read);
    return read;
  }

  return {
    provider,
    selects: (scheme) => provider.ownFields?.includes(scheme) ?? false,
    read(reference, signal) {
      if (closing.aborted) return Promise.reject(aborted("the resolver was closed"));
      if (provider.read === undefined || !provider.capabilities.includes("read")) {
        const message = `${provider.name} cannot read values (${reference.text})`;
        return Promise.reject(new SecretError("SECRET_NOT_READABLE", message));
      }
      const own = provider.ownFields?.includes(reference.scheme) ?? false;
      return unlessAborted(share(own ? reference : withoutField(reference)), signal);
    },
  };
}

/** Never rejects: a call that failed as a whole gives each of its references the error. */
async function readAll(
  provider: SecretProvider,
  references: readonly Reference[],
  signal: AbortSignal,
): Promise<readonly ReadOutcome[]> {
  try {
    const outcomes = await provider.read?.(references, { signal });
    if (outcomes?.length === references.length) return outcomes;
    return references.map(() => failed(provider, "did not answer for every reference"));
  } catch (error) {
    const failure = error instanceof SecretError ? error : failed(provider, "failed");
    return references.map(() => failure);
  }
}

function failed(provider: SecretProvider, how: string): SecretError {
  return new SecretError("SECRET_UNREACHABLE", `the provider ${provider.name} ${how}`);
}

function withoutField(reference: Reference): Reference {
  return reference.field === undefined ? reference : { ...reference, field: undefined };
}

function keyOf({ scheme, path, options, field, base }: Reference): string {
  return JSON.stringify([scheme, path, Object.entries(options).sort(), field ?? null, base]);
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  if (signal.aborted) return Promise.reject(aborted("the caller gave up"));
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted("the caller gave up"));
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function aborted(why: string): SecretError {
  return new SecretError("SECRET_ABORTED", `${why} before the secret was read`);
}
