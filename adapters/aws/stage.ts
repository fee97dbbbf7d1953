import { createHash } from "node:crypto";
import {
  type CallContext,
  SecretError,
  type StageControl,
  type Stages,
} from "../../src/secrets/index.ts";
import { assertValueSize } from "../shared/index.ts";
import type { AwsConnections } from "./connections.ts";
import { readSingle } from "./read.ts";
import { type AwsTarget, writableTarget } from "./target.ts";
import { asInput } from "./value.ts";

const labels = { current: "AWSCURRENT", previous: "AWSPREVIOUS", pending: "AWSPENDING" };

// `ROT_<base>_<version>` on a version that a rotation added. It names what the version was made
// from, and it names the version since a label can be on one version only.
const ownPrefix = "ROT_";

type Labels = Readonly<Record<string, readonly string[]>>;

/** Rotation by staging labels: AWS moves a label only from the version that is said to hold it. */
export function stageControl(connections: AwsConnections): StageControl {
  const control: StageControl = {
    async stages(reference, context) {
      const all = await labelsOf(connections, writableTarget(reference), context);
      return partsIn(all);
    },
    async readVersion(reference, version, context) {
      const target = { ...writableTarget(reference), version };
      const found = await readSingle(connections, target, context);
      if (found !== null) return found;
      throw new SecretError("SECRET_NOT_FOUND", `${reference.text} has no version ${version}`);
    },
    async add(reference, made, context) {
      assertValueSize(reference, made.value);
      return addVersion(connections, writableTarget(reference), made, context);
    },
    async claim(reference, version, base, context) {
      const target = writableTarget(reference);
      const { current, pending } = await control.stages(reference, context);
      if (current !== base || (pending !== undefined && pending !== version)) return false;
      // Without a version to take it from, AWS refuses to move a label that another one holds.
      return moveLabel(connections, target, { label: labels.pending, to: version }, context);
    },
    async promote(reference, from, to, context) {
      const move = { label: labels.current, to, from };
      return moveLabel(connections, writableTarget(reference), move, context);
    },
    async drop(reference, version, context) {
      await dropLabels(connections, writableTarget(reference), version, context);
    },
  };
  return control;
}

/** Stores a version under a private label, without touching those that others go by. */
export async function addVersion(
  connections: AwsConnections,
  target: AwsTarget,
  { token, base, value }: { token: string; base: string; value: string | Uint8Array },
  context: CallContext,
): Promise<string> {
  const version = versionId(token);
  await connections.call(target, "PutSecretValue", context, (call) =>
    call.client.send(
      new call.sdk.PutSecretValueCommand({
        SecretId: target.id,
        ClientRequestToken: version,
        VersionStages: [ownLabel(base, version)],
        ...asInput(value),
      }),
      call.sending,
    ),
  );
  return version;
}

/** The private label of an added version. */
export function ownLabel(base: string, version: string): string {
  return `${ownPrefix}${base}_${version}`;
}

/** Moves or removes a label; false if it is not where it was expected. */
export async function moveLabel(
  connections: AwsConnections,
  target: AwsTarget,
  { label, to, from }: { label: string; to?: string; from?: string },
  context: CallContext,
): Promise<boolean> {
  try {
    return await connections.call(target, "UpdateSecretVersionStage", context, async (call) => {
      try {
        await call.client.send(
          new call.sdk.UpdateSecretVersionStageCommand({
            SecretId: target.id,
            VersionStage: label,
            MoveToVersionId: to,
            RemoveFromVersionId: from,
          }),
          call.sending,
        );
        return true;
      } catch (error) {
        if (error instanceof Error && error.name === "InvalidParameterException") return false;
        throw error;
      }
    });
  } catch (error) {
    // A version without labels may be gone already.
    if (error instanceof SecretError && error.code === "SECRET_NOT_FOUND") return false;
    throw error;
  }
}

/** Takes the labels of a rotation from a version; pending first, since it blocks other rotations. */
async function dropLabels(
  connections: AwsConnections,
  target: AwsTarget,
  version: string,
  context: CallContext,
): Promise<void> {
  const held = (await labelsOf(connections, target, context))[version] ?? [];
  const own = held.filter((label) => label.startsWith(ownPrefix));
  const pending = held.filter((label) => label === labels.pending);
  for (const label of [...pending, ...own]) {
    await moveLabel(connections, target, { label, from: version }, context);
  }
}

async function labelsOf(
  connections: AwsConnections,
  target: AwsTarget,
  context: CallContext,
): Promise<Labels> {
  const { VersionIdsToStages } = await connections.call(target, "DescribeSecret", context, (call) =>
    call.client.send(new call.sdk.DescribeSecretCommand({ SecretId: target.id }), call.sending),
  );
  return VersionIdsToStages ?? {};
}

function partsIn(all: Labels): Stages {
  const holderOf = (label: string) =>
    Object.keys(all).find((version) => all[version]?.includes(label));
  const pending = holderOf(labels.pending);
  return {
    current: holderOf(labels.current),
    previous: holderOf(labels.previous),
    pending,
    pendingBase: pending === undefined ? undefined : baseOf(pending, all[pending] ?? []),
  };
}

function baseOf(version: string, held: readonly string[]): string | undefined {
  const end = `_${version}`;
  const own = held.find((label) => label.startsWith(ownPrefix) && label.endsWith(end));
  return own?.slice(ownPrefix.length, -end.length);
}

/** AWS takes the token as the name of the version, if it has 32 to 64 characters. */
function versionId(token: string): string {
  if (/^[\w-]{32,64}$/.test(token)) return token;
  return createHash("sha256").update(token).digest("hex");
}
