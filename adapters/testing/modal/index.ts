/**
 * A Modal control plane on loopback for tests: the real, unmodified client talks to it.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAppsPart } from "./apps.ts";
import { createGate } from "./auth.ts";
import { type Container, createContainers } from "./containers.ts";
import { createEnvironments } from "./environments.ts";
import type { ModalFault } from "./faults.ts";
import { createRouterPart } from "./router.ts";
import { createSandboxesPart } from "./sandboxes.ts";
import { createSecretStore } from "./secrets.ts";
import { type ModalCall, serveParts } from "./server.ts";
import { createVolumes } from "./volumes.ts";

export type { ModalFault } from "./faults.ts";
export type { StatusName } from "./rpc.ts";
export type { ModalCall } from "./server.ts";

export interface ModalServerOptions {
  /** The environments that exist; the first is the default one. Default: `["main"]`. */
  readonly environments?: readonly string[] | undefined;
  /** How long the short-lived tokens are good for; default 20 minutes. */
  readonly tokenLifetimeMs?: number | undefined;
}

/** A sandbox that was created, as the server sees it. */
export interface ModalSandbox {
  readonly id: string;
  readonly backend: "V1" | "V2";
  /** What the client asked for. */
  readonly definition: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
  /** The folder that stands for its file system. */
  readonly rootDir: string;
  /** `null` while it runs. */
  readonly exitCode: number | null;
  /** What it has printed: what Modal would store. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
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
  /** The sandboxes that were created, oldest first. */
  sandboxes(): readonly ModalSandbox[];
  /** Ends every connection and every sandbox, and removes its files. */
  close(): Promise<void>;
}

/**
 * Starts a control plane that serves authentication, environments, secrets, volumes and sandboxes of
 * both backends on 127.0.0.1. It encodes what is known of Modal's rules, and refuses what it does not
 * know. A sandbox is a process of this machine with an environment of its own: nothing isolates it,
 * so run only commands that you trust. Needs `protobufjs`.
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
  let dir: string | undefined;
  const scratch = () => {
    dir ??= mkdtempSync(join(tmpdir(), "nopeek-modal-"));
    return dir;
  };
  const volumes = createVolumes(scratch);
  const containers = createContainers(scratch, store, volumes);
  const router = createRouterPart(containers);
  let port = 0;
  // The client wants https here, and then talks without TLS to this machine all the same.
  const access = () => ({ jwt: gate.routerToken(), url: `https://127.0.0.1:${port}` });
  const server = await serveParts(
    [
      gate.part,
      environments.part,
      store.part,
      createAppsPart(),
      volumes.part,
      createSandboxesPart(containers, access),
      router,
    ],
    gate.check,
  );
  port = server.port;
  const url = `http://127.0.0.1:${port}`;
  const close = async () => {
    router.close();
    containers.close();
    await Promise.all([...containers.all.values()].map((one) => one.process.ended));
    await server.close();
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  };
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
    sandboxes: () => [...containers.all.values()].map(viewOf),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function viewOf(container: Container): ModalSandbox {
  const { id, backend, definition, tags, rootDir, process: command } = container;
  return {
    ...{ id, backend, rootDir, definition: { ...definition } },
    tags: Object.fromEntries(tags.map(({ tagName, tagValue }) => [tagName, tagValue])),
    exitCode: command.result?.exitcode ?? null,
    stdout: command.stdout.bytes(),
    stderr: command.stderr.bytes(),
  };
}
