import { SecretError } from "../../src/secrets/index.ts";

/** How long one operation may take, and who may end it earlier. */
export interface Timing {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** For the messages: what is read or written where. */
  readonly what: string;
}

/**
 * Runs one operation of a store and settles in time, whatever the client underneath does: some
 * clients ignore their own timeouts while they look for credentials.
 *
 * @param work - Gets a signal that is aborted when its result is no longer wanted.
 * @throws SecretError `SECRET_UNREACHABLE` after `timeoutMs`, `SECRET_ABORTED` when `signal` is
 *   aborted.
 */
export async function withDeadline<T>(
  { timeoutMs, signal, what }: Timing,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stopping = new AbortController();
  let stop: (failure: SecretError) => void = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = (failure) => {
      reject(failure);
      stopping.abort();
    };
  });
  stopped.catch(() => {});
  const onAbort = () => stop(new SecretError("SECRET_ABORTED", `${what} was given up`));
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => {
    const message = `${what} got no answer within ${timeoutMs} ms; check the network, the proxy and the region, or raise timeoutMs`;
    stop(new SecretError("SECRET_UNREACHABLE", message));
  }, timeoutMs);
  try {
    if (stopping.signal.aborted) return await stopped;
    return await Promise.race([stopped, work(stopping.signal)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Like `Promise.all` over `items`, with at most `limit` at work. */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
