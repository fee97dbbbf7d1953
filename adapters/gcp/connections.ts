import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type { protos, SecretManagerServiceClient } from "@google-cloud/secret-manager";
import { type CallContext, type Reference, SecretError } from "../../src/secrets/index.ts";
import { assertSafeEndpoint, importPeer, withDeadline } from "../shared/index.ts";
import { gcpFailure, gcpFailureByCode, setupCode, status, statusOf } from "./errors.ts";
import { type GcpTarget, gcpTarget } from "./target.ts";

type Sdk = typeof import("@google-cloud/secret-manager");
type V1 = typeof protos.google.cloud.secretmanager.v1;
type Instance<Name extends keyof V1> = V1[Name] extends new (
  ...given: never[]
) => infer Made
  ? Made
  : never;

/** Requests are given as the API's documentation writes them. */
interface Answers {
  accessSecretVersion: Instance<"AccessSecretVersionResponse">;
  addSecretVersion: Instance<"SecretVersion">;
  createSecret: Instance<"Secret">;
  disableSecretVersion: Instance<"SecretVersion">;
  getSecret: Instance<"Secret">;
  listSecretVersions: readonly Instance<"SecretVersion">[];
  updateSecret: Instance<"Secret">;
}

/** How the adapter reaches GCP. */
export interface ConnectionOptions {
  readonly client: SecretManagerServiceClient | undefined;
  readonly project: string | undefined;
  readonly location: string | undefined;
  readonly endpoint: string | undefined;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
}

interface Sending {
  readonly target: GcpTarget;
  readonly request: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

const maxAttemptMs = 5_000;
/** The first pause after each status that is worth another attempt; each further one is doubled. */
const pauseMs: Readonly<Record<number, number>> = {
  [status.unavailable]: 100,
  [status.throttled]: 500,
};

const loadSdk = importPeer<Sdk>(
  () => import("@google-cloud/secret-manager"),
  "@google-cloud/secret-manager@6",
  (sdk) => typeof sdk.SecretManagerServiceClient === "function",
);

/** Clients by location, made at their first use. */
export class GcpConnections {
  readonly #options: ConnectionOptions;
  readonly #clients = new Map<string, Promise<SecretManagerServiceClient>>();
  readonly #opened = new Set<SecretManagerServiceClient>();
  readonly #closing = new AbortController();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  targetOf(reference: Reference): GcpTarget {
    return gcpTarget(reference, this.#options);
  }

  /**
   * Makes one operation, in time and with our errors only.
   *
   * @param request - Its first entry is the resource that the call is routed by.
   * @throws SecretError With the codes of {@link gcpFailure}, `PROVIDER_MISSING`,
   *   `ENDPOINT_REFUSED`.
   */
  async call<Method extends keyof Answers>(
    method: Method,
    target: GcpTarget,
    request: Readonly<Record<string, unknown>>,
    context: CallContext,
  ): Promise<Answers[Method]> {
    const { text } = target.reference;
    const timing = { timeoutMs: this.#options.timeoutMs, signal: context.signal, what: text };
    try {
      return await withDeadline(timing, (signal) =>
        this.#attempts(method, { target, request, signal }),
      );
    } catch (error) {
      throw gcpFailure(error, text, method);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#clients.clear();
    // Those that are not set up yet are closed when they are: that may take long.
    const opened = [...this.#opened];
    this.#opened.clear();
    await Promise.all(opened.map((client) => client.close().catch(() => {})));
  }

  /**
   * Repeats what may succeed the next time. The client's own repetition is switched off: it goes on
   * for minutes, and then hides the reason behind its own time limit.
   */
  async #attempts<Method extends keyof Answers>(
    method: Method,
    sending: Sending,
  ): Promise<Answers[Method]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(method, sending);
      } catch (error) {
        const code = statusOf(error) ?? -1;
        const pause = pauseMs[code];
        // A lost answer to `add` may have made a version: there is no token to tell.
        const repeatable = method !== "addSecretVersion" || code === status.throttled;
        if (attempt >= this.#options.maxAttempts || pause === undefined || !repeatable) throw error;
        const jitter = 0.5 + Math.random() / 2;
        await sleep(pause * 2 ** (attempt - 1) * jitter, undefined, { signal: sending.signal });
      }
    }
  }

  async #attempt<Method extends keyof Answers>(
    method: Method,
    { target, request, signal }: Sending,
  ): Promise<Answers[Method]> {
    const client = await this.#client(target);
    const [routed, resource] = Object.entries(request)[0] ?? [];
    const routing =
      method === "updateSecret" ? `secret.name=${target.secret}` : `${routed}=${resource}`;
    // The methods of the client itself print request and answer, values included, to stderr when
    // GOOGLE_SDK_NODE_LOGGING is set. These are what they call underneath.
    const call = client.innerApiCalls[method] as (
      request: object,
      options: object,
    ) => Promise<[Answers[Method]]> & { cancel?: () => void };
    const answering = call(request, {
      timeout: Math.min(maxAttemptMs, this.#options.timeoutMs),
      retry: null,
      autoPaginate: false,
      otherArgs: { headers: { "x-goog-request-params": encodeRouting(routing) } },
    });
    const cancel = () => answering.cancel?.();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const [answer] = await answering;
      return answer;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  async #client(target: GcpTarget): Promise<SecretManagerServiceClient> {
    const { client: given } = this.#options;
    const sdk = given === undefined ? await loadSdk() : undefined;
    this.#assertOpen(target);
    const key = given === undefined ? (target.location ?? "") : "";
    let setUp = this.#clients.get(key);
    if (setUp === undefined) {
      setUp = this.#setUp(given ?? this.#newClient(sdk as Sdk, target));
      this.#clients.set(key, setUp);
    }
    try {
      const client = await setUp;
      this.#assertOpen(target);
      return client;
    } catch (error) {
      // A client whose set-up failed stays broken: the next call makes another one.
      if (this.#clients.get(key) === setUp) this.#clients.delete(key);
      if (error instanceof SecretError) throw error;
      throw gcpFailureByCode(setupCode(error), target.reference.text, "setup");
    }
  }

  /** Before the first call, whose own attempt would end the process where it fails. */
  async #setUp(client: SecretManagerServiceClient): Promise<SecretManagerServiceClient> {
    await client.initialize();
    if (client === this.#options.client) return client;
    if (this.#closing.signal.aborted) await client.close();
    else this.#opened.add(client);
    return client;
  }

  #assertOpen({ reference }: GcpTarget): void {
    if (!this.#closing.signal.aborted) return;
    throw new SecretError("SECRET_ABORTED", `${reference.text}: the provider was closed`);
  }

  #newClient(sdk: Sdk, { location }: GcpTarget): SecretManagerServiceClient {
    const { SECRET_MANAGER_EMULATOR_HOST: emulator } = process.env;
    const { endpoint = emulator && `http://${emulator}` } = this.#options;
    if (endpoint === undefined || endpoint === "") {
      return new sdk.SecretManagerServiceClient(
        location === undefined
          ? {}
          : { apiEndpoint: `secretmanager.${location}.rep.googleapis.com` },
      );
    }
    const origin = this.#options.endpoint
      ? "the option endpoint of gcp()"
      : "SECRET_MANAGER_EMULATOR_HOST";
    const url = assertSafeEndpoint(endpoint, origin);
    const isOpen = url.protocol === "http:";
    return new sdk.SecretManagerServiceClient({
      apiEndpoint: url.hostname,
      port: Number(url.port || (isOpen ? 80 : 443)),
      ...(isOpen && withoutCredentials()),
    });
  }
}

/** What is taken from `google-gax`, the client's own foundation. */
interface Gax {
  readonly grpc: { readonly credentials: { createInsecure(): object } };
  readonly googleAuthLibrary: { readonly PassThroughClient: new () => object };
}

/**
 * For a server on this machine: no TLS, no proxy in between, and no search for credentials, which
 * would ask the metadata server of the network. The parts come from the client's own dependencies,
 * to be of its version.
 */
function withoutCredentials(): object {
  const fromHere = createRequire(import.meta.url);
  const fromClient = createRequire(fromHere.resolve("@google-cloud/secret-manager"));
  const { grpc, googleAuthLibrary }: Gax = fromClient("google-gax");
  return {
    sslCreds: grpc.credentials.createInsecure(),
    authClient: new googleAuthLibrary.PassThroughClient(),
    "grpc.enable_http_proxy": 0,
  };
}

function encodeRouting(routing: string): string {
  const equals = routing.indexOf("=");
  return `${routing.slice(0, equals)}=${encodeURIComponent(routing.slice(equals + 1))}`;
}
