import { crc32c } from "../shared/index.ts";

/** The gRPC status codes that the service answers with. */
export const grpcStatus = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A refusal, as the service words it. */
export class GcpRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Timestamp {
  readonly seconds: string;
  readonly nanos: number;
}

/** As the API's `SecretVersion`. */
export interface VersionMeta {
  readonly name: string;
  readonly createTime: Timestamp;
  state: "ENABLED" | "DISABLED" | "DESTROYED";
  etag: string;
}

export interface GcpVersion {
  readonly meta: VersionMeta;
  data: Buffer;
}

/** As the API's `Secret`. */
export interface SecretMeta {
  readonly name: string;
  readonly createTime: Timestamp;
  etag: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  versionAliases: Record<string, string>;
}

export interface GcpSecret {
  readonly meta: SecretMeta;
  /** Version n stands at n - 1; none ever goes. */
  readonly versions: GcpVersion[];
}

export interface Payload {
  readonly data?: Uint8Array | undefined;
  readonly dataCrc32c?: string | number | null | undefined;
}

const maxValueBytes = 65_536;
const versionName = /^(projects\/[^/]+(?:\/locations\/[^/]+)?\/secrets\/[^/]+)\/versions\/([^/]+)$/;

/** Secrets with their versions, aliases and etags, by the rules of the service. */
export class GcpStore {
  readonly #secrets = new Map<string, GcpSecret>();
  #etags = 0;

  all(parent: string): readonly GcpSecret[] {
    const start = `${parent}/secrets/`;
    return [...this.#secrets.values()].filter(({ meta }) => meta.name.startsWith(start));
  }

  create(parent: string, secretId: string, given: Partial<SecretMeta>): GcpSecret {
    if (!/^[A-Za-z0-9_-]{1,255}$/.test(secretId)) {
      throw invalid("The secret id must match [a-zA-Z_0-9-]+.");
    }
    const name = `${parent}/secrets/${secretId}`;
    if (this.#secrets.has(name)) {
      throw new GcpRefusal(grpcStatus.alreadyExists, `Secret [${name}] already exists.`);
    }
    const empty = { labels: {}, annotations: {}, versionAliases: {} };
    const meta = { ...empty, ...given, name, createTime: now(), etag: this.nextEtag() };
    const secret = { meta, versions: [] };
    this.#secrets.set(name, secret);
    return secret;
  }

  find(name: string): GcpSecret {
    const found = this.#secrets.get(name);
    if (found !== undefined) return found;
    throw new GcpRefusal(grpcStatus.notFound, `Secret [${name}] not found.`);
  }

  remove(name: string): void {
    this.#secrets.delete(name);
  }

  /** By number, alias or `latest`, which is the newest one, whatever its state. */
  findVersion(name: string): GcpVersion {
    const [, secretName = "", id = ""] = versionName.exec(name) ?? [];
    if (id === "") throw invalid(`The provided name [${name}] is invalid.`);
    const { meta, versions } = this.find(secretName);
    const aliased = id === "latest" ? versions.length : meta.versionAliases[id];
    const found = versions[Number(/^\d+$/.test(id) ? id : aliased) - 1];
    if (found !== undefined) return found;
    throw new GcpRefusal(grpcStatus.notFound, `Secret Version [${name}] not found.`);
  }

  add(parent: string, { data = new Uint8Array(), dataCrc32c }: Payload): VersionMeta {
    const { versions } = this.find(parent);
    if (data.length === 0) throw invalid("Secret Payload cannot be empty.");
    if (data.length > maxValueBytes) {
      throw invalid("The provided payload exceeds the maximum size of 64KiB.");
    }
    if (dataCrc32c !== undefined && dataCrc32c !== null && Number(dataCrc32c) !== crc32c(data)) {
      throw invalid("The specified payload checksum does not match the payload.");
    }
    const meta: VersionMeta = {
      name: `${parent}/versions/${versions.length + 1}`,
      createTime: now(),
      state: "ENABLED",
      etag: this.nextEtag(),
    };
    versions.push({ meta, data: Buffer.from(data) });
    return meta;
  }

  setState(name: string, state: VersionMeta["state"], etag: string | undefined): VersionMeta {
    const version = this.findVersion(name);
    const { meta } = version;
    assertEtag(meta.etag, etag);
    if (meta.state === "DESTROYED" && state !== "DESTROYED") throw inState(meta);
    meta.state = state;
    meta.etag = this.nextEtag();
    if (state === "DESTROYED") version.data = Buffer.alloc(0);
    return meta;
  }

  nextEtag(): string {
    this.#etags += 1;
    return `"${this.#etags.toString(16).padStart(14, "0")}"`;
  }
}

/** An etag that is given must be the current one. */
export function assertEtag(current: string, given: string | undefined): void {
  if (!given || given === current) return;
  throw new GcpRefusal(
    grpcStatus.failedPrecondition,
    "The etag provided does not match the current etag of the resource.",
  );
}

export function inState({ name, state }: VersionMeta): GcpRefusal {
  const message = `Secret Version [${name}] is in ${state} state.`;
  return new GcpRefusal(grpcStatus.failedPrecondition, message);
}

export function invalid(message: string): GcpRefusal {
  return new GcpRefusal(grpcStatus.invalidArgument, message);
}

function now(): Timestamp {
  const atMs = Date.now();
  return { seconds: String(Math.floor(atMs / 1000)), nanos: (atMs % 1000) * 1_000_000 };
}
