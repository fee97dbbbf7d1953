import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type CallContext, SecretError } from "../../src/secrets/index.ts";
import { assertSafeEndpoint, importPeer, withDeadline } from "../shared/index.ts";
import { awsFailure } from "./errors.ts";
import type { AwsTarget } from "./target.ts";

type Sdk = typeof import("@aws-sdk/client-secrets-manager");

/** How the adapter reaches AWS. */
export interface ConnectionOptions {
  readonly client: SecretsManagerClient | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
  readonly endpoint: string | undefined;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
}

/** One client and what was learnt about it. */
export interface Connection {
  readonly sdk: Sdk;
  readonly client: SecretsManagerClient;
  /** AWS refused the batch call: its permission is one of its own. */
  batchRefused: boolean;
}

/** What a call gets to work with. */
export interface Call {
  readonly sdk: Sdk;
  readonly client: SecretsManagerClient;
  readonly connection: Connection;
  /** To be passed on to every `send`. */
  readonly sending: { readonly abortSignal: AbortSignal };
}

const maxAttemptMs = 5_000;
const maxConnectMs = 3_000;

const loadSdk = importPeer<Sdk>(
  () => import("@aws-sdk/client-secrets-manager"),
  "@aws-sdk/client-secrets-manager@3",
  (sdk) => typeof sdk.SecretsManagerClient === "function",
);

/** Clients by region and profile, made at their first use. */
export class AwsConnections {
  readonly #options: ConnectionOptions;
  readonly #connections = new Map<string, Connection>();
  readonly #closing = new AbortController();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Targets with equal keys share a client, and so a batch. */
  keyOf({ region, profile }: AwsTarget): string {
    if (this.#options.client !== undefined) return "";
    return JSON.stringify([region ?? this.#options.region, profile ?? this.#options.profile]);
  }

  /**
   * Makes one operation, in time and with our errors only.
   *
   * @throws SecretError With the codes of {@link awsFailure}, `PROVIDER_MISSING`,
   *   `ENDPOINT_REFUSED`.
   */
  async call<Output>(
    target: AwsTarget,
    operation: string,
    context: CallContext,
    work: (call: Call) => Promise<Output>,
  ): Promise<Output> {
    const { text } = target.reference;
    const timing = { timeoutMs: this.#options.timeoutMs, signal: context.signal, what: text };
    try {
      return await withDeadline(timing, async (abortSignal) => {
        const known = this.#connections.get(this.keyOf(target));
        const connection = known ?? (await this.#connect(target));
        const { sdk, client } = connection;
        return work({ sdk, client, connection, sending: { abortSignal } });
      });
    } catch (error) {
      throw withoutRegion(error, text) ?? awsFailure(error, text, operation);
    }
  }

  close(): void {
    this.#closing.abort();
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    if (this.#options.client !== undefined) return;
    for (const { client } of connections) client.destroy();
  }

  async #connect(target: AwsTarget): Promise<Connection> {
    const sdk = await loadSdk();
    if (this.#closing.signal.aborted) {
      throw new SecretError("SECRET_ABORTED", `${target.reference.text}: the provider was closed`);
    }
    const key = this.keyOf(target);
    const existing = this.#connections.get(key);
    if (existing !== undefined) return existing;
    const client = this.#options.client ?? this.#newClient(sdk, target);
    refuseOpenEndpoints(client);
    const connection = { sdk, client, batchRefused: false };
    this.#connections.set(key, connection);
    return connection;
  }

  #newClient(sdk: Sdk, target: AwsTarget): SecretsManagerClient {
    const { endpoint, timeoutMs, maxAttempts } = this.#options;
    const region = target.region ?? this.#options.region;
    const profile = target.profile ?? this.#options.profile;
    if (endpoint !== undefined) assertSafeEndpoint(endpoint, "the option endpoint of aws()");
    assertSafeEnvironment(endpoint !== undefined);
    return new sdk.SecretsManagerClient({
      ...(region !== undefined && { region }),
      ...(profile !== undefined && { profile }),
      ...(endpoint !== undefined && { endpoint }),
      maxAttempts,
      requestHandler: {
        connectionTimeout: Math.min(maxConnectMs, timeoutMs),
        requestTimeout: Math.min(maxAttemptMs, timeoutMs),
        // Without it the SDK only prints a warning and goes on waiting.
        throwOnRequestTimeout: true,
        socketTimeout: Math.min(maxAttemptMs, timeoutMs),
      },
    });
  }
}

/** Besides the store itself, the services that credentials may come from. */
const credentialServices = ["STS", "SSO", "SSO_OIDC", "SIGNIN"];

function assertSafeEnvironment(hasOwnEndpoint: boolean): void {
  const { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: ignored } = process.env;
  if (ignored === "true") return;
  const names = credentialServices.map((service) => `AWS_ENDPOINT_URL_${service}`);
  if (!hasOwnEndpoint) {
    const own = "AWS_ENDPOINT_URL_SECRETS_MANAGER";
    names.push(process.env[own] ? own : "AWS_ENDPOINT_URL");
  }
  for (const name of names) {
    const endpoint = process.env[name];
    if (endpoint) assertSafeEndpoint(endpoint, name);
  }
}

/**
 * Checks where each request really goes, before it is signed: an endpoint may also come from a
 * configuration file, a rule of the SDK, or the user's own client.
 */
function refuseOpenEndpoints(client: SecretsManagerClient): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { protocol, hostname, port } = args.request as Record<
        string,
        string | number | undefined
      >;
      assertSafeEndpoint(
        `${protocol}//${hostname}${port ? `:${port}` : ""}`,
        "the endpoint of AWS",
      );
      return next(args);
    },
    { step: "build", name: "nopeekEndpoint", override: true },
  );
}

function withoutRegion(error: unknown, text: string): SecretError | undefined {
  if (!(error instanceof Error) || error.message !== "Region is missing") return undefined;
  return new SecretError(
    "SECRET_REQUEST_INVALID",
    `${text} names no region, and none is configured; add ?region= to it, or set AWS_REGION`,
  );
}
