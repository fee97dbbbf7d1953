/**
 * A Modal control plane on loopback for tests: the real, unmodified client talks to it.
 *
 * @module
 */
import { join } from "node:path";
import { createGate } from "./auth.ts";
import { createEnvironments } from "./environments.ts";
import type { ModalFault } from "./faults.ts";
import { createSecretStore } from "./secrets.ts";
import { type ModalCall, serveParts } from "./server.ts";

export type { ModalFault } from "./faults.ts";
export type { StatusName } from "./rpc.ts";
export type { ModalCall } from "./server.ts";

export interface ModalServerOptions {
  /** The environments that exist; the first is the default one. Default: `["main"]`. */
  readonly environments?: readonly string[] | undefined;
  /** How long the short-lived tokens are good for; default 20 minutes. */
  readonly tokenLifetimeMs?: number | undefined;
}

/** A running server. */
export interface ModalServer extends AsyncDisposable {
  /** Such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Every call that came in, with its request: search them for what must not be there. */
  readonly calls: readonly ModalCall[];
  /**
   * The environment variables that point a client at this server. Set them before the client is
   * imported: it reads its configuration file at that moment.
   */
  env(): Record<string, string>;
  /** Lets the next calls of a method fail. */
  fault(method: string, fault: ModalFault): void;
  /** Forgets the faults that were not used. */
  clearFaults(): void;
  /** Refuses every short-lived token that was issued so far. */
  expireTokens(): void;
  /** Sets all of a named secret, without a call. */
  seedSecret(name: string, values: Readonly<Record<string, string>>, environment?: string): void;
  /** What a named secret holds, or `undefined` if there is none. */
  secret(name: string, environment?: string): Readonly<Record<string, string>> | undefined;
  /** Ends every connection. */
  close(): Promise<void>;
}

/**
 * Starts a control plane that serves authentication, environments and secrets on 127.0.0.1. It
 * encodes what is known of Modal's rules, and refuses what it does not know. Needs `protobufjs`.
 *
 * @example
 * await using server = await startModal();
 * server.seedSecret("train", { HF_TOKEN: makeToken() });
 * Object.assign(process.env, server.env());
 * const secrets = createSecrets({ providers: [modal()] });
 */
export async function startModal(options: ModalServerOptions = {}): Promise<ModalServer> {
  const gate = createGate(options.tokenLifetimeMs);
  const environments = createEnvironments(options.environments ?? ["main"]);
  const store = createSecretStore(environments);
  const server = await serveParts([gate.part, environments.part, store.part], gate.check);
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    calls: server.calls,
    env: () => ({
      MODAL_SERVER_URL: url,
      MODAL_TOKEN_ID: gate.tokenId,
      MODAL_TOKEN_SECRET: gate.tokenSecret,
      MODAL_CONFIG_PATH: join("/nonexistent", "modal.toml"),
      // grpc-js takes proxies for loopback too.
      no_proxy: "127.0.0.1,localhost",
    }),
    fault: (method, fault) => server.faults.add(method, fault),
    clearFaults: () => server.faults.clear(),
    expireTokens: gate.expireTokens,
    seedSecret: store.seed,
    secret(name, environment) {
      const found = store.find(name, environment);
      return found === undefined ? undefined : Object.fromEntries(found.values);
    },
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  };
}
