import type { StageControl } from "../secrets/index.ts";
import { storedWith } from "./credential.ts";
import { asTime } from "./plan.ts";
import { isDefinite, type Run } from "./run.ts";
import type { Issued } from "./target.ts";
import type { Versions } from "./versions.ts";

/**
 * Has a new key made, and puts its version in the place that was reserved for it. Only who holds the
 * place makes keys, and only that one revokes keys that no version refers to: a key that somebody
 * else made meanwhile cannot become current any more.
 *
 * @param place - The reserved version; it is the pending one and ours.
 * @returns The version of the new key; `null` if the place was lost to another rotation.
 * @throws SecretError `ROTATION_REFUSED`, `ROTATION_ROLLED_BACK`, and what the target throws.
 */
export async function issueInto(
  run: Run,
  stage: StageControl,
  versions: Versions,
  { place, base }: { readonly place: string; readonly base: string },
): Promise<string | null> {
  const { reference, context } = run;
  const giveUp = async () => {
    await stage.drop(reference, place, context);
    run.touched = false;
  };
  const current = await versions.credential(base);
  // Listed before the store is asked: what is listed was made by who held the place until then.
  const listed = await run.list().catch(async (error) => {
    await giveUp();
    throw error;
  });
  const stages = await versions.stages();
  if (stages.pending !== place || stages.current !== base) return null;
  try {
    await revokeOrphans(run, versions, listed, { ...stages, isStrict: true });
  } catch (error) {
    await giveUp();
    throw error;
  }
  const issued = await run.propose(current).catch(async (error) => {
    await giveUp();
    if (isDefinite(error)) throw error;
    throw run.incomplete(
      `whether ${run.target.name} made a new key is not known, and version ${base} is current as before; run this again in ${asTime(run.orphanAgeMs)}: a key that no version refers to is then revoked`,
    );
  });
  const revoke = () => run.revoke(issued, current, async () => true);
  let version: string;
  try {
    if (!(await run.works(issued, undefined))) {
      throw run.rolledBack(
        `the new credential of ${run.target.name} does not work, and was revoked again; version ${base} is current as before`,
      );
    }
    version = await versions.add(
      base,
      storedWith(run.place, (await versions.stored(base)).value, issued),
    );
  } catch (error) {
    // Nobody but us knows the key yet.
    await revoke();
    await giveUp();
    throw error;
  }
  if (await stage.replace(reference, place, version, context)) {
    run.tell({ type: "created", version });
    return version;
  }
  await stage.drop(reference, version, context);
  await revoke();
  return null;
}

/**
 * Revokes keys that no version refers to: those of rotations that died.
 *
 * @throws SecretError `ROTATION_REFUSED` if `isStrict` and there is a key that somebody uses.
 */
export async function revokeOrphans(
  run: Run,
  versions: Versions,
  listed: readonly Issued[],
  {
    current,
    previous,
    isStrict,
  }: {
    readonly current: string;
    readonly previous: string | undefined;
    readonly isStrict: boolean;
  },
): Promise<void> {
  if (run.target.strategy !== "issuer") return;
  const referred = new Set([(await versions.credential(current)).id]);
  if (previous !== undefined) referred.add((await versions.credentialIfAny(previous))?.id);
  for (const issued of listed) {
    if (referred.has(issued.id) || isYoung(run, issued)) continue;
    if (isInUse(run, issued)) {
      if (!isStrict) continue;
      throw run.refused(
        `${run.target.name} has a further key, ${issued.id}, that no version refers to and that somebody uses; rotate with a user of its own, or delete that key by hand`,
      );
    }
    await run.revoke({ id: issued.id }, undefined, async () => true);
    run.tell({ type: "orphan-revoked" });
  }
}

/** It may be that of a rotation under way, which a store that lags behind does not show. */
function isYoung({ orphanAgeMs }: Run, { createdAtMs }: Issued): boolean {
  return createdAtMs !== undefined && Date.now() - createdAtMs < orphanAgeMs;
}

/** Used after the time in which a rotation tests what it made. */
function isInUse({ orphanAgeMs }: Run, { createdAtMs, lastUsedAtMs }: Issued): boolean {
  if (createdAtMs === undefined || lastUsedAtMs === undefined) return false;
  return lastUsedAtMs - createdAtMs > orphanAgeMs;
}
