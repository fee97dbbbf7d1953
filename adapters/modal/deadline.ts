import { SecretError } from "../../src/secrets/index.ts";
import { AmbientSignal } from "./ambient-signal.ts";
import type { CallOptions, MiddlewareCall } from "./middleware.ts";

/** What ends a call: the caller, the provider's `close`, or the time limit. */
export interface Limits {
  readonly signals: readonly AbortSignal[];
  readonly timeoutMs: number;
  /** The reference, for messages. */
  readonly where: string;
}

/** The signal of the call under way. */
const callSignal = new AmbientSignal();

/**
 * @throws SecretError `SECRET_ABORTED` if a signal says so already.
 */
export function assertWanted({ signals, where }: Limits): void {
  if (signals.some((signal) => signal.aborted)) throw givenUpError(where);
}

function givenUpError(where: string): SecretError {
  return new SecretError(
    "SECRET_ABORTED",
    `${where}: the caller gave up, or the provider was closed`,
  );
}

/**
 * Runs calls of the client within the limits. A client that we made ends its calls too; one that
 * was given may go on with a call that nobody waits for.
 *
 * @throws SecretError `SECRET_ABORTED` or, after `timeoutMs`, `SECRET_UNREACHABLE`; else whatever
 *   `work` throws.
 */
export async function bounded<T>(
  { signals, timeoutMs, where }: Limits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Not by listeners of our own on the given signals: Node warns of more than ten on one signal.
  const givenUp = AbortSignal.any([...signals]);
  const ending = new AbortController();
  const giveUp = () => ending.abort(givenUpError(where));
  givenUp.addEventListener("abort", giveUp, { once: true });
  if (givenUp.aborted) giveUp();
  ending.signal.throwIfAborted();
  const timer = setTimeout(() => {
    ending.abort(
      new SecretError(
        "SECRET_UNREACHABLE",
        `${where}: Modal did not answer within ${timeoutMs} ms; check the network, or raise timeoutMs`,
      ),
    );
  }, timeoutMs);
  const ended = new Promise<never>((_, reject) => {
    ending.signal.addEventListener("abort", () => reject(ending.signal.reason), { once: true });
  });
  try {
    return await Promise.race([callSignal.run(ending.signal, () => work(ending.signal)), ended]);
  } catch (error) {
    // The client may be the first to notice the end, with an error of its own.
    throw ending.signal.aborted ? ending.signal.reason : error;
  } finally {
    clearTimeout(timer);
    givenUp.removeEventListener("abort", giveUp);
  }
}

/**
 * A middleware of the client that ends its calls with the limits of {@link bounded}. The exchange of
 * credentials is shared by all callers, so no single one may end it; it has the time limit only.
 */
export function endsWithCaller(timeoutMs: number) {
  return (call: MiddlewareCall, options: CallOptions): AsyncGenerator<unknown, unknown> => {
    const limitMs = Math.min(options.timeoutMs ?? timeoutMs, timeoutMs);
    const shared = call.method.path.endsWith("/AuthTokenGet");
    const signals = [options.signal, shared ? undefined : callSignal.current].filter(
      (signal) => signal !== undefined,
    );
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    return call.next(call.request, {
      ...options,
      timeoutMs: limitMs,
      ...(signal && { signal }),
    });
  };
}
