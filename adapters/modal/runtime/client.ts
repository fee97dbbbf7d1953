/** What is used of a `ModalClient` to run jobs, as far as the adapter needs to know. */
import type { ModalClientLike } from "../client.ts";

/** A sandbox of the client. */
export interface SandboxLike {
  readonly sandboxId: string;
  readonly stdin: { writeText(text: string): Promise<void>; close(): Promise<void> };
  /** One reader only; pulled chunk by chunk. */
  readonly stdout: ReadableStream<string>;
  readonly stderr: ReadableStream<string>;
  readonly filesystem: { writeBytes(bytes: Uint8Array, path: string): Promise<void> };
  /** 124 after its time limit, 137 if it was terminated. */
  wait(): Promise<number | null>;
  poll(): Promise<number | null>;
  terminate(): Promise<unknown>;
  getTags(): Promise<Record<string, string>>;
  exec(command: string[], params?: object): Promise<ProcessLike>;
  detach(): void;
}

/** A command that was started in a sandbox. */
export interface ProcessLike {
  readonly stdin: { close(): Promise<void> };
  readonly stdout: ReadableStream<string | Uint8Array>;
  readonly stderr: ReadableStream<string | Uint8Array>;
  wait(): Promise<number>;
}

export interface AppLike {
  readonly appId: string;
}

export interface ImageLike {
  readonly imageId: string;
  dockerfileCommands(commands: string[]): ImageLike;
  build(app: AppLike): Promise<ImageLike>;
}

interface VolumeLike {
  withMountOptions(options: { readOnly?: boolean; subPath?: string }): VolumeLike;
}

type InEnvironment = { environment?: string };

/** A client with the services that a runtime needs. */
export interface LaunchClient extends ModalClientLike {
  readonly profile: { readonly serverUrl: string; readonly sandboxV2?: boolean };
  readonly apps: {
    fromName(
      name: string,
      params?: InEnvironment & { createIfMissing?: boolean },
    ): Promise<AppLike>;
  };
  readonly images: {
    fromRegistry(tag: string, secret?: object): ImageLike;
    fromId(id: string): Promise<ImageLike>;
  };
  readonly secrets: ModalClientLike["secrets"] & {
    fromObject(entries: Record<string, string>, params?: InEnvironment): Promise<object>;
  };
  readonly volumes: {
    fromName(
      name: string,
      params?: InEnvironment & { createIfMissing?: boolean },
    ): Promise<VolumeLike>;
  };
  readonly cloudBucketMounts: { create(name: string, params?: object): object };
  readonly sandboxes: {
    create(app: AppLike, image: ImageLike, params?: object): Promise<SandboxLike>;
    fromId(id: string): Promise<SandboxLike>;
    list(
      params?: InEnvironment & { appId?: string; tags?: Record<string, string> },
    ): AsyncIterable<SandboxLike>;
  };
}
