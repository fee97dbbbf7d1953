import { crc32c } from "../shared/index.ts";
import {
  assertEtag,
  type GcpSecret,
  type GcpStore,
  inState,
  invalid,
  type Payload,
  type SecretMeta,
} from "./gcp-store.ts";

/** The fields that the methods know, as the protocol's decoder gives them. */
export interface GcpRequest {
  readonly name: string;
  readonly parent: string;
  readonly secretId: string;
  readonly secret: Partial<SecretMeta>;
  readonly updateMask?: { readonly paths?: readonly string[] };
  readonly payload?: Payload;
  readonly etag?: string;
  readonly filter?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

type Method = (store: GcpStore, request: GcpRequest) => object;

const maxPage = 25_000;
const maxAliases = 50;
const maxAnnotationBytes = 16_384;
const maskable = ["labels", "annotations", "versionAliases"] as const;

/** The methods of the service that this server has. */
export const gcpMethods: Readonly<Record<string, Method>> = {
  CreateSecret: (store, { parent, secretId, secret }) =>
    store.create(parent, secretId, secret).meta,
  GetSecret: (store, { name }) => store.find(name).meta,
  ListSecrets: (store, request) => {
    const metas = store.all(request.parent).map(({ meta }) => meta);
    return pageOf("secrets", metas.reverse(), request);
  },
  UpdateSecret(store, { secret, updateMask }) {
    const found = store.find(secret.name ?? "");
    assertEtag(found.meta.etag, secret.etag);
    for (const path of updateMask?.paths ?? []) {
      const key = maskable.find((known) => snakeCase(known) === path);
      if (key === undefined) throw invalid(`Invalid update mask path: ${path}`);
      const given = secret[key] ?? {};
      if (key === "versionAliases") assertAliases(found, given);
      if (key === "annotations") assertAnnotations(given);
      found.meta[key] = { ...given };
    }
    found.meta.etag = store.nextEtag();
    return found.meta;
  },
  DeleteSecret(store, { name, etag }) {
    assertEtag(store.find(name).meta.etag, etag);
    store.remove(name);
    return {};
  },
  AddSecretVersion: (store, { parent, payload }) => store.add(parent, payload ?? {}),
  GetSecretVersion: (store, { name }) => store.findVersion(name).meta,
  ListSecretVersions(store, request) {
    const metas = store.find(request.parent).versions.map(({ meta }) => meta);
    const state = /^state:(\w+)$/.exec(request.filter ?? "")?.[1];
    const shown = state === undefined ? metas : metas.filter((meta) => meta.state === state);
    return pageOf("versions", [...shown].reverse(), request);
  },
  AccessSecretVersion(store, { name }) {
    const { meta, data } = store.findVersion(name);
    if (meta.state !== "ENABLED") throw inState(meta);
    return { name: meta.name, payload: { data, dataCrc32c: String(crc32c(data)) } };
  },
  EnableSecretVersion: (store, { name, etag }) => store.setState(name, "ENABLED", etag),
  DisableSecretVersion: (store, { name, etag }) => store.setState(name, "DISABLED", etag),
  DestroySecretVersion: (store, { name, etag }) => store.setState(name, "DESTROYED", etag),
};

/** Newest first, in pages. */
function pageOf(key: string, all: readonly object[], { pageSize, pageToken }: GcpRequest): object {
  const size = Math.min(pageSize || maxPage, maxPage);
  const start = Number(pageToken || 0);
  const nextPageToken = start + size < all.length ? String(start + size) : "";
  return { [key]: all.slice(start, start + size), nextPageToken, totalSize: all.length };
}

function assertAliases({ versions }: GcpSecret, aliases: Readonly<Record<string, unknown>>): void {
  const entries = Object.entries(aliases);
  if (entries.length > maxAliases) throw invalid("A secret can have 50 version aliases.");
  for (const [alias, version] of entries) {
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,62}$/.test(alias) || /^(?:latest|NEW)$/.test(alias)) {
      throw invalid(`The alias ${alias} is invalid.`);
    }
    if (versions[Number(version) - 1] === undefined) {
      throw invalid(`The alias ${alias} points to a version that does not exist.`);
    }
  }
}

function assertAnnotations(annotations: Readonly<Record<string, string>>): void {
  if (Buffer.byteLength(JSON.stringify(annotations)) > maxAnnotationBytes) {
    throw invalid("The total size of annotations must be less than 16KiB.");
  }
  for (const key of Object.keys(annotations)) {
    if (!/^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/.test(key)) {
      throw invalid(`The annotation key ${key} is invalid.`);
    }
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
