/**
 * A middleware of the client: the last look at what leaves for Modal's control plane. Values may be
 * in the fields that are made for them and nowhere else.
 */
import { SecretError } from "../../../src/secrets/index.ts";
import { AmbientSignal } from "../ambient-signal.ts";
import type { Middleware } from "../middleware.ts";
import { knownSecrets } from "./known.ts";

/** The fields that are made for values, by the call's name. */
const secretFields: Readonly<Record<string, readonly string[]>> = {
  SecretGetOrCreate: ["envDict"],
  SecretUpdate: ["updates"],
  SandboxCreateV2: ["secretSources"],
};

/** What Modal itself has named: random letters may happen to be a short value. */
const ownId = /^[a-z]{2}-[A-Za-z0-9]+$/;

/**
 * Refuses a call to Modal that carries a known value outside the fields made for secrets. The client
 * that `modalRuntime` makes has it; give it to a client of your own. What goes to a sandbox directly
 * (`exec`, files) passes no middleware: `modalRuntime` looks at that itself.
 *
 * @throws SecretError `TEXT_HOLDS_SECRET` from the refused call.
 *
 * @example
 * const client = new ModalClient({ grpcMiddleware: [modalGuard()], maxThrottleWaitSecs: 60 });
 */
export function modalGuard(): Middleware {
  return async function* (call, options) {
    const method = call.method.path.slice(call.method.path.lastIndexOf("/") + 1);
    for (const text of textsOf(call.request, secretFields[method] ?? [])) {
      const [finding] = knownSecrets().find(text);
      if (finding === undefined) continue;
      throw new SecretError(
        "TEXT_HOLDS_SECRET",
        `a request to Modal (${method}) holds the value of ${finding.name ?? "a secret"} (${finding.form}) where everybody of the workspace can read it, so it was not sent`,
      );
    }
    return yield* call.next(call.request, options);
  };
}

/** Every text of a request, keys of maps too, but for the fields that are left out. */
function* textsOf(value: unknown, leftOut: readonly string[]): Generator<string> {
  if (typeof value === "string") {
    if (value !== "" && !ownId.test(value)) yield value;
  } else if (value instanceof Uint8Array) {
    yield Buffer.from(value).toString("latin1");
  } else if (typeof value === "object" && value !== null) {
    const isList = Array.isArray(value);
    for (const [key, item] of Object.entries(value)) {
      if (leftOut.includes(key)) continue;
      if (!isList) yield key;
      yield* textsOf(item, []);
    }
  }
}

/** Calls that wait for something on purpose: no time limit. The others answer at once. */
const waiting = /Wait|Logs|Streaming|StdioRead|GetTunnels/;
/** Calls of a start that may be given up: nothing was made by them. */
const givenUp = /^(?:SandboxGetTaskId|ImageJoinStreaming)/;
const answerMs = 60_000;
/** The service answers a wait after 10 s at the latest. */
const waitMs = 40_000;

/** The signal of the start under way. */
const startSignal = new AmbientSignal();

/** Lets the calls that only wait for a start end with the signal. */
export function withSignal<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  return signal === undefined ? work() : startSignal.run(signal, work);
}

/** A middleware that ends calls which are not answered, and what a start waits for. */
export function launchLimits(): Middleware {
  return (call, options) => {
    const method = call.method.path.slice(call.method.path.lastIndexOf("/") + 1);
    const own = /^SandboxWait/.test(method) ? waitMs : waiting.test(method) ? undefined : answerMs;
    const given = givenUp.test(method) ? startSignal.current : undefined;
    const signals = [options.signal, given].filter((signal) => signal !== undefined);
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    const limits = [options.timeoutMs, own].filter((limit) => limit !== undefined);
    return call.next(call.request, {
      ...options,
      ...(limits.length > 0 && { timeoutMs: Math.min(...limits) }),
      ...(signal && { signal }),
    });
  };
}
