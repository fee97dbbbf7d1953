/**
 * Modal's named secrets as a provider and its sandboxes as a runtime, exported as `nopeek/adapters/modal`.
 *
 * @module
 */
import { SecretError, type SecretProvider } from "../../src/secrets/index.ts";
import { attachAll } from "./attach.ts";
import { givenClient, type ModalClientLike, ownClient } from "./client.ts";
import { insideModal, readVariables, type Variables } from "./container.ts";
import { assertWanted, bounded } from "./deadline.ts";
import { failureOf } from "./failures.ts";
import { secretRpc } from "./internal-rpc.ts";
import { isObjectName, targetOf } from "./target.ts";
import { checkChange, notWritable, writeSecret } from "./write.ts";

export type { ModalClientLike } from "./client.ts";
export type { LaunchClient } from "./runtime/client.ts";
export { type FindOptions, findSandboxes } from "./runtime/find.ts";
export { modalGuard } from "./runtime/guard.ts";
export type { RunningSandbox } from "./runtime/leftovers.ts";
export type { ModalImage, ModalRuntimeOptions } from "./runtime/options.ts";
export { modalRuntime } from "./runtime/runtime.ts";

export interface ModalOptions {
  /**
   * A `ModalClient` of your own; it stays open. Give it `maxThrottleWaitSecs`, and keep it out of
   * logs: it prints its token. By default one is made at the first call, as Modal's own tools are
   * configured.
   */
  readonly client?: ModalClientLike | undefined;
  /** The environment of references that name none; default: the one the client is set to. */
  readonly environment?: string | undefined;
  /** How long a call to Modal may take in all, with its repetitions; default 10000. */
  readonly timeoutMs?: number | undefined;
  /** Instead of `process.env`: tells whether this is a Modal container, and holds the values there. */
  readonly vars?: Variables | undefined;
}

const whyNotRead =
  "Modal gives no value back: attach the secret to a job on Modal, or read the value from the store it was copied from";
const whyNotStage = "Modal keeps one version of a secret: stage the rotation in another store";

const defaultTimeoutMs = 10_000;

/** Longer timers fire at once. */
const maxTimeoutMs = 2 ** 31 - 1;

/**
 * Named secrets of Modal: `modal://[environment/]name#KEY`.
 *
 * Modal gives no value back, so a secret is attached: checked to exist with its keys, and injected
 * by Modal. Inside a Modal container, where the values are in the environment, it is read from
 * there. Writing needs version 0.11 of the client.
 *
 * @throws SecretError `USAGE` for a wrong option. Calls: `PROVIDER_MISSING` without the package
 *   `modal`, `ENDPOINT_REFUSED` for a server without TLS, `SECRET_UNAUTHENTICATED`,
 *   `SECRET_ACCESS_DENIED`, `SECRET_THROTTLED`, `SECRET_UNREACHABLE`, `SECRET_CONFLICT`,
 *   `SECRET_REQUEST_INVALID`, `SECRET_NOT_WRITABLE`, `SECRET_ABORTED`.
 *
 * @example
 * const secrets = createSecrets({ providers: [modal({ environment: "prod" }), aws()] });
 * const token = await secrets.get("aws-sm://ml/hf#token");
 * await secrets.put("modal://train", { HF_TOKEN: token }, { mode: "merge" });
 */
export function modal(options: ModalOptions = {}): SecretProvider {
  const { client: given, environment, timeoutMs = defaultTimeoutMs, vars } = options;
  if (!(timeoutMs > 0 && timeoutMs <= maxTimeoutMs)) {
    throw new SecretError("USAGE", "modal: timeoutMs must be a positive number of milliseconds");
  }
  if (environment !== undefined && !isObjectName(environment)) {
    throw new SecretError("USAGE", "modal: environment must be the name of a Modal environment");
  }
  const source = given === undefined ? ownClient(timeoutMs) : givenClient(given);
  const closing = new AbortController();
  const inside = insideModal(vars ?? process.env);

  /** Runs calls for one named secret; whatever they throw is safe to print. */
  async function run<T>(
    where: string,
    caller: AbortSignal,
    work: (client: ModalClientLike, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limits = { signals: [caller, closing.signal], timeoutMs, where };
    try {
      assertWanted(limits);
      // Loading the client is no part of the time that Modal has for its answer.
      const client = await source.get();
      return await bounded(limits, (signal) => work(client, signal));
    } catch (error) {
      const failure = failureOf(error, where);
      // The credentials may be others by the next call.
      if (failure.code === "SECRET_UNAUTHENTICATED") source.forget();
      throw failure;
    }
  }

  return {
    name: "modal",
    schemes: ["modal"],
    ownFields: ["modal"],
    capabilities: inside ? ["attach", "write", "read"] : ["attach", "write"],

    whyNot: { stage: whyNotStage, ...(!inside && { read: whyNotRead }) },

    attach: (references, { signal }) =>
      attachAll(references, environment, (where, work) => run(where, signal, work)),

    async write(reference, change, { signal: caller }) {
      const target = targetOf(reference, environment);
      const checked = checkChange(target, change);
      await run(target.text, caller, (client, signal) => {
        const rpc = secretRpc(client, signal);
        if (rpc === null) return Promise.reject(notWritable(target));
        return writeSecret(rpc, target, checked);
      });
      return {};
    },

    ...(inside && {
      read: async (references) => readVariables(references, vars ?? process.env),
    }),

    async close() {
      closing.abort();
      source.close();
    },
  };
}
