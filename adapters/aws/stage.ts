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

// `ROT_<base>_<ms>_<version>` on a version that a rotation added: what it was made from and when. It
// names the version since a label can be on one version only.
const ownPrefix = "ROT_";
// `ROTATED_<ms>_<version>` on the version that a rotation ended with.
const rotatedPrefix = "ROTATED_";

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
      const target = writableTarget(reference);
      return (await addVersion(connections, target, made, context)).version;
    },
    async claim(reference, version, base, context) {
      const target = writableTarget(reference);
      const { current, pending } = await control.stages(reference, context);
      if (current !== base || (pending !== undefined && pending !== version)) return false;
      // Without a version to take it from, AWS refuses to move a label that another one holds.
      return moveLabel(connections, target, { label: labels.pending, to: version }, context);
    },
    async replace(reference, from, to, context) {
      const move = { label: labels.pending, to, from };
      return moveLabel(connections, writableTarget(reference), move, context);
    },
    async promote(reference, from, to, context) {
      const move = { label: labels.current, to, from };
      return moveLabel(connections, writableTarget(reference), move, context);
    },
    async finish(reference, version, context) {
      await finishLabels(connections, writableTarget(reference), version, context);
    },
    async retire(reference, version, context) {
      await dropLabels(connections, writableTarget(reference), version, isRetired, context);
    },
    async drop(reference, version, context) {
      await dropLabels(connections, writableTarget(reference), version, isPending, context);
    },
  };
  return control;
}

/** Stores a version under a private label, without touching those that others go by; gives both. */
export async function addVersion(
  connections: AwsConnections,
  target: AwsTarget,
  { token, base, value }: { token: string; base: string; value: string | Uint8Array },
  context: CallContext,
): Promise<{ version: string; label: string }> {
  const version = versionId(token);
  const label = ownLabel(base, version);
  await connections.call(target, "PutSecretValue", context, (call) =>
    call.client.send(
      new call.sdk.PutSecretValueCommand({
        SecretId: target.id,
        ClientRequestToken: version,
        VersionStages: [label],
        ...asInput(value),
      }),
      call.sending,
    ),
  );
  return { version, label };
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

/** The labels of a version under way; pending comes first, since it blocks other rotations. */
const isPending = (label: string) => label === labels.pending || label.startsWith(ownPrefix);
const isRetired = (label: string) =>
  label === labels.previous || label.startsWith(rotatedPrefix) || label.startsWith(ownPrefix);

/** Takes those labels from a version that are meant. */
async function dropLabels(
  connections: AwsConnections,
  target: AwsTarget,
  version: string,
  isMeant: (label: string) => boolean,
  context: CallContext,
): Promise<void> {
  const held = (await labelsOf(connections, target, context))[version] ?? [];
  const meant = held.filter(isMeant).sort((a, b) => Number(isOwn(a)) - Number(isOwn(b)));
  for (const label of meant) {
    await moveLabel(connections, target, { label, from: version }, context);
  }
}

const isOwn = (label: string) => label.startsWith(ownPrefix) || label.startsWith(rotatedPrefix);

/** The time first and pending last: whatever comes between is done again by the next run. */
async function finishLabels(
  connections: AwsConnections,
  target: AwsTarget,
  version: string,
  context: CallContext,
): Promise<void> {
  const all = await labelsOf(connections, target, context);
  const { current, pending } = partsIn(all);
  if (pending !== version || current !== version) return;
  if (rotatedAt(version, all[version] ?? []) === undefined) {
    const label = `${rotatedPrefix}${Date.now()}_${version}`;
    await moveLabel(connections, target, { label, to: version }, context);
  }
  for (const [other, held] of Object.entries(all)) {
    const left = held.filter((label) => isOwn(label) && !isTimeOf(version, label));
    for (const label of left) await moveLabel(connections, target, { label, from: other }, context);
  }
  await moveLabel(connections, target, { label: labels.pending, from: version }, context);
}

const isTimeOf = (version: string, label: string) =>
  label.startsWith(rotatedPrefix) && label.endsWith(`_${version}`);

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
  const [current, pending] = [holderOf(labels.current), holderOf(labels.pending)];
  const origin = pending === undefined ? undefined : originOf(pending, all[pending] ?? []);
  return {
    current,
    previous: holderOf(labels.previous),
    pending,
    pendingBase: origin?.base,
    pendingSinceMs: origin?.atMs,
    rotatedAtMs: current === undefined ? undefined : rotatedAt(current, all[current] ?? []),
  };
}

function ownLabel(base: string, version: string): string {
  return `${ownPrefix}${base}_${Date.now()}_${version}`;
}

/** What {@link ownLabel} tells; any other label under its prefix is none of ours. */
function originOf(
  version: string,
  held: readonly string[],
): { base: string; atMs: number } | undefined {
  const end = `_${version}`;
  const own = held.find((label) => label.startsWith(ownPrefix) && label.endsWith(end));
  const [, base, atMs] =
    /^(.+)_(\d+)$/s.exec(own?.slice(ownPrefix.length, -end.length) ?? "") ?? [];
  return base === undefined ? undefined : { base, atMs: Number(atMs) };
}

function rotatedAt(version: string, held: readonly string[]): number | undefined {
  const own = held.find((label) => isTimeOf(version, label));
  const text = own?.slice(rotatedPrefix.length, -`_${version}`.length) ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** AWS takes the token as the name of the version, if it has 32 to 64 characters. */
function versionId(token: string): string {
  if (/^[\w-]{32,64}$/.test(token)) return token;
  return createHash("sha256").update(token).digest("hex");
}
