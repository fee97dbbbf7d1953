import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ContainerProcess } from "./processes.ts";
import { RpcError } from "./rpc.ts";
import type { SecretStore } from "./secrets.ts";
import type { Volumes } from "./volumes.ts";

/** What a client asks for. */
export interface Definition {
  readonly entrypointArgs?: readonly string[];
  readonly imageId: string;
  readonly secretIds?: readonly string[];
  readonly timeoutSecs: number;
  readonly workdir?: string;
  readonly name?: string;
  readonly volumeMounts?: readonly {
    readonly volumeId: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
}

/** Where a part of a sandbox's environment comes from; later sources win. */
export interface SecretSource {
  readonly secretId?: string;
  readonly env?: { readonly contents?: Readonly<Record<string, string>> };
}

export interface Tag {
  readonly tagName: string;
  readonly tagValue: string;
}

/** A sandbox: a folder in place of its file system, and a process of this machine. */
export interface Container {
  readonly id: string;
  readonly backend: "V1" | "V2";
  readonly taskId: string;
  readonly appId: string;
  readonly createdAtMs: number;
  readonly definition: Definition;
  readonly rootDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly process: ContainerProcess;
  tags: readonly Tag[];
}

/** The sandboxes of the workspace. */
export interface Containers {
  readonly all: ReadonlyMap<string, Container>;
  create(
    backend: Container["backend"],
    request: {
      readonly appId: string;
      readonly definition: Definition;
      readonly tags?: readonly Tag[];
      readonly sources: readonly SecretSource[];
    },
  ): Container;
  byId(id: string): Container;
  byTask(taskId: string): Container;
  /** The variables that sources stand for. */
  variables(sources: readonly SecretSource[]): Record<string, string>;
  /** Kills everything. */
  close(): void;
}

/** Set by the platform; a secret does not override them. */
const platformKeys = [
  "MODAL_CLOUD_PROVIDER",
  "MODAL_IDENTITY_TOKEN",
  "MODAL_IMAGE_ID",
  "MODAL_REGION",
  "MODAL_SANDBOX_ID",
  "MODAL_TASK_ID",
];

/** Puts the platform's variables over the others. */
export function withPlatform(
  env: Readonly<Record<string, string>>,
  platform: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(env).filter(([key]) => !platformKeys.includes(key));
  const own = Object.entries(platform).filter(([key]) => platformKeys.includes(key));
  return Object.fromEntries([...kept, ...own]);
}

/** @param scratch - Gives the folder that everything is below. */
export function createContainers(
  scratch: () => string,
  secrets: SecretStore,
  volumes: Volumes,
): Containers {
  const all = new Map<string, Container>();

  function found(container: Container | undefined): Container {
    if (container === undefined) throw new RpcError("NOT_FOUND", "Sandbox not found");
    return container;
  }

  function variables(sources: readonly SecretSource[]): Record<string, string> {
    const entries = sources.flatMap(({ secretId, env }) => {
      if (secretId === undefined) return Object.entries(env?.contents ?? {});
      const secret = secrets.all.get(secretId);
      if (secret === undefined) throw new RpcError("NOT_FOUND", "Secret not found");
      return [...secret.values];
    });
    return Object.fromEntries(entries);
  }

  const containers: Containers = {
    all,
    byId: (id) => found(all.get(id)),
    byTask: (taskId) => found([...all.values()].find((one) => one.taskId === taskId)),
    variables,
    create(backend, { appId, definition, tags = [], sources }) {
      // The client tells the backends apart by the length of the id.
      const id = `sb-${randomBytes(backend === "V1" ? 11 : 13).toString("hex")}`;
      const taskId = `ta-${randomBytes(11).toString("hex")}`;
      const rootDir = join(scratch(), "sandboxes", id);
      mkdirSync(rootDir, { recursive: true });
      for (const mount of definition.volumeMounts ?? []) {
        const source = join(volumes.dirOf(mount.volumeId), mount.subPath ?? "");
        const target = resolve(join(rootDir, mount.mountPath));
        mkdirSync(source, { recursive: true });
        mkdirSync(dirname(target), { recursive: true });
        if (!existsSync(target)) symlinkSync(source, target);
      }
      const cwd = join(rootDir, definition.workdir ?? "");
      mkdirSync(cwd, { recursive: true });
      const env = withPlatform(
        { PATH: process.env["PATH"] ?? "", HOME: rootDir, ...variables(sources) },
        {
          MODAL_SANDBOX_ID: id,
          MODAL_TASK_ID: taskId,
          MODAL_IMAGE_ID: definition.imageId,
          MODAL_CLOUD_PROVIDER: "CLOUD_PROVIDER_AWS",
          MODAL_REGION: "us-east-1",
        },
      );
      const timeoutMs = definition.timeoutSecs * 1000;
      const command = new ContainerProcess(definition.entrypointArgs, { env, cwd, timeoutMs });
      const createdAtMs = Date.now();
      const container: Container = {
        ...{ id, backend, taskId, appId, createdAtMs, definition, rootDir, env, tags },
        process: command,
      };
      all.set(id, container);
      return container;
    },
    close() {
      for (const { process: command } of all.values()) command.kill();
    },
  };
  return containers;
}
