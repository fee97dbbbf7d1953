import {
  type CallContext,
  type Change,
  changedDocument,
  type Reference,
  SecretError,
  type Written,
} from "../../src/secrets/index.ts";
import { assertValueSize, crc32c } from "../shared/index.ts";
import type { GcpConnections } from "./connections.ts";
import { readTarget, versionIn } from "./read.ts";
import { assertWhole, type GcpTarget } from "./target.ts";

const mergeRounds = 3;

/**
 * Stores a change as a new version, and creates the secret if there is none.
 *
 * GCP cannot add a version on condition. Versions are numbered without gaps, so a merge that finds
 * another version between its own and the one it started from starts again from that one.
 */
export async function writeChange(
  connections: GcpConnections,
  reference: Reference,
  change: Change,
  context: CallContext,
): Promise<Written> {
  const target = connections.targetOf(reference);
  assertWhole(target);
  if (change.mode === "replace") {
    const value = changedDocument(reference, change, null);
    return { version: await addOrCreate(connections, target, value, context) };
  }
  if (target.version === "latest-enabled") {
    throw new SecretError(
      "SECRET_REQUEST_INVALID",
      `${reference.text}: a merge starts from the latest version, enabled or not; leave ?version out, or replace the whole value`,
    );
  }
  let { version } = target;
  for (let round = 0; round < mergeRounds; round += 1) {
    const base = await readTarget(connections, { ...target, version }, context);
    const value = changedDocument(reference, change, base?.value ?? null);
    if (base !== null && Buffer.from(base.value).equals(Buffer.from(value))) {
      return { version: base.version };
    }
    const added = await addOrCreate(connections, target, value, context);
    const before = Number(added) - 1;
    // An older enabled version may have been the base: what lies between was disabled, not added.
    if (before <= Number(base?.version ?? 0) || (round === 0 && version !== "latest")) {
      return { version: added };
    }
    version = String(before);
  }
  throw new SecretError(
    "SECRET_CONFLICT",
    `${reference.text} was changed by somebody else ${mergeRounds} times meanwhile; try again`,
  );
}

/**
 * Adds a version with its checksum.
 *
 * @returns Its number.
 */
export async function addVersion(
  connections: GcpConnections,
  target: GcpTarget,
  value: string | Uint8Array,
  context: CallContext,
): Promise<string> {
  assertValueSize(target.reference, value);
  const data = typeof value === "string" ? Buffer.from(value) : value;
  const payload = { data, dataCrc32c: crc32c(data) };
  const request = { parent: target.secret, payload };
  const { name } = await connections.call("addSecretVersion", target, request, context);
  const version = versionIn(name);
  if (version !== undefined) return version;
  throw new SecretError("SECRET_MALFORMED", `${target.reference.text}: GCP named no new version`);
}

async function addOrCreate(
  connections: GcpConnections,
  target: GcpTarget,
  value: string | Uint8Array,
  context: CallContext,
): Promise<string> {
  try {
    return await addVersion(connections, target, value, context);
  } catch (error) {
    if (!(error instanceof SecretError && error.code === "SECRET_NOT_FOUND")) throw error;
  }
  const { parent, secretId, location } = target;
  // The location of a regional secret says where it is kept.
  const secret = location === undefined ? { replication: { automatic: {} } } : {};
  try {
    await connections.call("createSecret", target, { parent, secretId, secret }, context);
  } catch (error) {
    // Somebody else has just made it.
    if (!(error instanceof SecretError && error.code === "SECRET_CONFLICT")) throw error;
  }
  return addVersion(connections, target, value, context);
}
