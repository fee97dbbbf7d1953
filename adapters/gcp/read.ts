import {
  type CallContext,
  type ReadOutcome,
  type Reference,
  SecretError,
  type StoredValue,
} from "../../src/secrets/index.ts";
import { crc32c, mapLimited } from "../shared/index.ts";
import type { GcpConnections } from "./connections.ts";
import { gcpFailureByCode } from "./errors.ts";
import { type GcpTarget, latestEnabled } from "./target.ts";

const maxReads = 10;

/** Reads references, each version once; GCP has no call that reads several. */
export async function readReferences(
  connections: GcpConnections,
  references: readonly Reference[],
  context: CallContext,
): Promise<readonly ReadOutcome[]> {
  const reads = new Map<string, Promise<ReadOutcome>>();
  return mapLimited(references, maxReads, async (reference) => {
    try {
      const target = connections.targetOf(reference);
      const key = `${target.secret}/versions/${target.version}`;
      const read = reads.get(key) ?? readTarget(connections, target, context);
      reads.set(key, read);
      return await read;
    } catch (error) {
      if (error instanceof SecretError) return error;
      return new SecretError("SECRET_UNREACHABLE", "the GCP adapter failed");
    }
  });
}

/** Reads the version that the target names; `null` if there is none. */
export async function readTarget(
  connections: GcpConnections,
  target: GcpTarget,
  context: CallContext,
): Promise<StoredValue | null> {
  try {
    if (target.version !== latestEnabled) {
      return await readVersion(connections, target, target.version, context);
    }
    return await readLatestEnabled(connections, target, context);
  } catch (error) {
    if (error instanceof SecretError && error.code === "SECRET_NOT_FOUND") return null;
    throw error;
  }
}

/**
 * Reads one version by number or alias.
 *
 * @throws SecretError `SECRET_INTEGRITY` if the value does not fit the checksum that came with it;
 *   a missing checksum proves nothing and passes.
 */
export async function readVersion(
  connections: GcpConnections,
  target: GcpTarget,
  version: string,
  context: CallContext,
): Promise<StoredValue> {
  const name = `${target.secret}/versions/${version}`;
  const answer = await connections.call("accessSecretVersion", target, { name }, context);
  const { data, dataCrc32c } = answer.payload ?? {};
  const { text } = target.reference;
  if (data === undefined || data === null) {
    throw new SecretError("SECRET_MALFORMED", `${text}: GCP answered without a value`);
  }
  // Over REST it is base64.
  const value = typeof data === "string" ? Buffer.from(data, "base64") : data;
  if (
    dataCrc32c !== undefined &&
    dataCrc32c !== null &&
    String(dataCrc32c) !== `${crc32c(value)}`
  ) {
    throw gcpFailureByCode("SECRET_INTEGRITY", text, "accessSecretVersion");
  }
  return { value, version: versionIn(answer.name) };
}

/** The newest version first, and only if it is not enabled a list: lists have a small quota. */
async function readLatestEnabled(
  connections: GcpConnections,
  target: GcpTarget,
  context: CallContext,
): Promise<StoredValue | null> {
  try {
    return await readVersion(connections, target, "latest", context);
  } catch (error) {
    if (!(error instanceof SecretError && error.code === "SECRET_DISABLED")) throw error;
  }
  const request = { parent: target.secret, filter: "state:ENABLED", pageSize: 1 };
  const [newest] = await connections.call("listSecretVersions", target, request, context);
  const version = versionIn(newest?.name);
  return version === undefined ? null : readVersion(connections, target, version, context);
}

/** The number at the end of the API's name of a version. */
export function versionIn(name: string | null | undefined): string | undefined {
  return name?.split("/").pop();
}
