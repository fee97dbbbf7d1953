import { randomUUID } from "node:crypto";
import {
  type CallContext,
  type Change,
  changedDocument,
  type Reference,
  SecretError,
  type StoredValue,
  type Written,
} from "../../src/secrets/index.ts";
import { assertValueSize } from "../shared/index.ts";
import type { AwsConnections } from "./connections.ts";
import { readSingle } from "./read.ts";
import { addVersion, moveLabel } from "./stage.ts";
import { type AwsTarget, writableTarget } from "./target.ts";
import { asInput } from "./value.ts";

const mergeRounds = 3;

/**
 * Stores a change as a new current version, and creates the secret if there is none.
 *
 * A merge keeps what others write meanwhile: its version becomes current only while the one it was
 * made from still is.
 */
export async function writeChange(
  connections: AwsConnections,
  reference: Reference,
  change: Change,
  context: CallContext,
): Promise<Written> {
  const target = writableTarget(reference);
  if (change.mode === "replace") {
    const value = changedDocument(reference, change, null);
    assertValueSize(reference, value);
    return (
      (await putVersion(connections, target, value, context)) ??
      (await createSecret(connections, target, value, context))
    );
  }
  for (let round = 0; round < mergeRounds; round += 1) {
    const current = await readSingle(connections, target, context);
    const value = changedDocument(reference, change, current?.value ?? null);
    assertValueSize(reference, value);
    if (current === null) return createSecret(connections, target, value, context);
    const written = await replaceCurrent(connections, target, current, value, context);
    if (written !== null) return written;
  }
  throw new SecretError(
    "SECRET_CONFLICT",
    `${reference.text} was changed by somebody else ${mergeRounds} times meanwhile; try again`,
  );
}

/** `null` if the secret does not exist. */
async function putVersion(
  connections: AwsConnections,
  target: AwsTarget,
  value: string | Uint8Array,
  context: CallContext,
): Promise<Written | null> {
  try {
    const { VersionId } = await connections.call(target, "PutSecretValue", context, (call) =>
      call.client.send(
        new call.sdk.PutSecretValueCommand({
          SecretId: target.id,
          // The SDK's own repetitions carry the same token, so that none makes a second version.
          ClientRequestToken: randomUUID(),
          ...asInput(value),
        }),
        call.sending,
      ),
    );
    return { version: VersionId };
  } catch (error) {
    if (error instanceof SecretError && error.code === "SECRET_NOT_FOUND") return null;
    throw error;
  }
}

async function createSecret(
  connections: AwsConnections,
  target: AwsTarget,
  value: string | Uint8Array,
  context: CallContext,
): Promise<Written> {
  if (target.id.startsWith("arn:")) {
    throw new SecretError(
      "SECRET_NOT_FOUND",
      `${target.reference.text} does not exist, and AWS chooses the ARN of a new secret; write to its name`,
    );
  }
  const { VersionId } = await connections.call(target, "CreateSecret", context, (call) =>
    call.client.send(
      new call.sdk.CreateSecretCommand({
        Name: target.id,
        ClientRequestToken: randomUUID(),
        ...asInput(value),
      }),
      call.sending,
    ),
  );
  return { version: VersionId };
}

/** `null` if another version has become current. */
async function replaceCurrent(
  connections: AwsConnections,
  target: AwsTarget,
  current: StoredValue,
  value: string | Uint8Array,
  context: CallContext,
): Promise<Written | null> {
  const { version: base, value: stored } = current;
  if (base === undefined || Buffer.from(stored).equals(Buffer.from(value)))
    return { version: base };
  const { version, label } = await addVersion(
    connections,
    target,
    { token: randomUUID(), base, value },
    context,
  );
  const move = { label: "AWSCURRENT", to: version, from: base };
  const moved = await moveLabel(connections, target, move, context);
  // The change is made: a label that is left over costs nothing.
  await moveLabel(connections, target, { label, from: version }, context).catch(() => false);
  return moved ? { version } : null;
}
