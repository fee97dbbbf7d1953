import { SecretError } from "../../src/secrets/index.ts";
import { endsWithCaller } from "./deadline.ts";

/**
 * What is used of a `ModalClient` (npm package `modal`, 0.11). Never print one: its `profile` holds
 * the token.
 */
export interface ModalClientLike {
  readonly profile: { readonly serverUrl: string };
  readonly secrets: {
    fromName(
      name: string,
      params?: { environment?: string; requiredKeys?: string[] },
    ): Promise<unknown>;
  };
  version(): string;
  close(): void;
}

/** Gives the client, made at the first call. */
export interface ClientSource {
  /**
   * @throws SecretError `PROVIDER_MISSING`, `ENDPOINT_REFUSED`, or `SECRET_UNAUTHENTICATED` where
   *   no credentials are set.
   */
  get(): Promise<ModalClientLike>;
  /** Lets the next call make a new client, with the credentials of then. */
  forget(): void;
  close(): void;
}

const install =
  "run: npm install modal@~0.11.1 (the latest tag of that name is an unrelated package)";

/** A client that was given; it stays open, and its own settings stay as they are. */
export function givenClient(client: ModalClientLike): ClientSource {
  return {
    async get() {
      checkShape(client);
      checkEndpoint(client.profile.serverUrl);
      return client;
    },
    forget: () => undefined,
    close: () => undefined,
  };
}

/**
 * A client with the SDK's own configuration, which it reads from its file and the environment.
 *
 * @param timeoutMs - How long it may wait where the server asks it to call again later.
 * @param middleware - Sees every call to the control plane; default: the limits of a provider.
 */
export function ownClient(
  timeoutMs: number,
  middleware: readonly unknown[] = [endsWithCaller(timeoutMs)],
): ClientSource {
  let current: Promise<ModalClientLike> | undefined;
  const forget = () => {
    const forgotten = current;
    current = undefined;
    forgotten?.then(
      (client) => client.close(),
      () => undefined,
    );
  };
  return {
    get() {
      if (current === undefined) {
        const made = makeClient(timeoutMs, middleware);
        current = made;
        made.catch(() => {
          if (current === made) current = undefined;
        });
      }
      return current;
    },
    forget,
    close: forget,
  };
}

async function makeClient(
  timeoutMs: number,
  middleware: readonly unknown[],
): Promise<ModalClientLike> {
  const Client = await loadClientClass();
  let client: ModalClientLike;
  try {
    client = new Client({
      logger: silent,
      logLevel: "error",
      // Without it a throttled call waits as long as the server asks, again and again.
      maxThrottleWaitSecs: timeoutMs / 1000,
      grpcMiddleware: middleware,
    });
  } catch (error) {
    throw constructionFailure(error);
  }
  checkShape(client);
  checkEndpoint(client.profile.serverUrl);
  checkCredentials(client.profile);
  return client;
}

type ClientClass = new (params: object) => ModalClientLike;

/** By default the client prints to stdout, which belongs to the job. */
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

async function loadClientClass(): Promise<ClientClass> {
  let module: { ModalClient?: unknown };
  try {
    module = await import("modal");
  } catch {
    throw new SecretError("PROVIDER_MISSING", `Modal needs its client; ${install}`);
  }
  if (typeof module.ModalClient === "function") return module.ModalClient as ClientClass;
  throw new SecretError(
    "PROVIDER_MISSING",
    `the installed package "modal" is not Modal's client; ${install}`,
  );
}

function checkShape(client: ModalClientLike): void {
  const { secrets, profile } = client as Partial<ModalClientLike>;
  if (typeof secrets?.fromName === "function" && typeof profile?.serverUrl === "string") return;
  throw new SecretError("PROVIDER_MISSING", `this is no client of Modal 0.11; ${install}`);
}

/** The client sends every credential to this address, without TLS if it says http. */
function checkEndpoint(serverUrl: string): void {
  const url = URL.canParse(serverUrl) ? new URL(serverUrl) : null;
  if (url?.protocol === "https:") return;
  // [::1] is left out: the client would not take it for this machine.
  const local = url !== null && /^(?:localhost|127(?:\.\d{1,3}){3})$/.test(url.hostname);
  if (url?.protocol === "http:" && local) return;
  throw endpointRefused();
}

function endpointRefused(): SecretError {
  return new SecretError(
    "ENDPOINT_REFUSED",
    "Modal's server must be an https:// address, or http://127.0.0.1 in tests; check MODAL_SERVER_URL and server_url in ~/.modal.toml",
  );
}

function checkCredentials(profile: object): void {
  const set = (...names: string[]) =>
    names.every((name) => Boolean((profile as Record<string, unknown>)[name]));
  if (set("tokenId", "tokenSecret") || set("oauthRefreshToken", "oauthClientId")) return;
  throw new SecretError(
    "SECRET_UNAUTHENTICATED",
    "no credentials for Modal; run `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET",
  );
}

function constructionFailure(error: unknown): SecretError {
  if (error instanceof TypeError) return endpointRefused();
  return new SecretError(
    "SECRET_UNAUTHENTICATED",
    "the credentials for Modal are incomplete or contradict each other; set either a token or OAuth credentials",
  );
}
