import { SecretError, type StageControl, type Stages } from "../secrets/index.ts";
import { updateCopies } from "./copies.ts";
import { isSame } from "./credential.ts";
import { revokeOrphans } from "./issue.ts";
import type { Run } from "./run.ts";
import type { Credential } from "./target.ts";
import type { Versions } from "./versions.ts";

/** What became of the old credential: `waits` for a person to revoke it. */
type Retired = "retired" | "changed" | "waits";

/**
 * Revokes the previous credential and takes its part away. Before that the current one is tested and
 * every copy is written again: what is revoked cannot be given back.
 *
 * @throws SecretError `ROTATION_INCOMPLETE`.
 */
export async function retire(
  run: Run,
  stage: StageControl,
  versions: Versions,
  seen: Stages & { readonly current: string },
  version: string,
): Promise<Retired> {
  // Listed before the store is asked again, as for a new key.
  const listed = await run.list();
  const stages = await versions.stages();
  const isUnchanged = (now: Stages) =>
    now.current === seen.current && now.previous === version && now.pending === undefined;
  if (!isUnchanged(stages)) return "changed";
  const current = await versions.credential(stages.current);
  const old = await versions.credentialIfAny(version);
  if (old !== null && !isSame(old, current) && run.target.strategy !== "static") {
    if (!(await run.works(current, stages.current))) {
      throw run.incomplete(
        `version ${stages.current} is current and does not work, so version ${version} is not revoked; if that one works, make it current again`,
      );
    }
    await updateCopies(run, current);
    await run.findUsers(old);
    const isWanted = async () => isUnchanged(await versions.stages());
    if (!(await isWanted())) return "changed";
    if ((await revokeOld(run, old, { version, current, isWanted })) === "waits") return "waits";
  }
  await stage.retire(run.reference, version, run.context);
  run.tell({ type: "revoked", version });
  // What was just revoked is no orphan.
  const others = listed.filter(({ id }) => id !== old?.id);
  await revokeOrphans(run, versions, others, {
    current: stages.current,
    previous: undefined,
    isStrict: false,
  });
  return "retired";
}

async function revokeOld(
  run: Run,
  old: Credential,
  {
    version,
    current,
    isWanted,
  }: {
    readonly version: string;
    readonly current: Credential;
    readonly isWanted: () => Promise<boolean>;
  },
): Promise<"revoked" | "waits"> {
  const still = `version ${run.isLeaked ? `${version}, which leaked,` : version} still works`;
  if (run.target.revoke === undefined) {
    if (!(await run.works(old, version))) return "revoked";
    if (!run.isLeaked) return "waits";
    throw run.incomplete(
      `${still}; ${run.target.reminder ?? `revoke it at ${run.target.name}`}, then run this again`,
    );
  }
  try {
    await run.revoke(old, current, isWanted);
  } catch (error) {
    const why = error instanceof SecretError ? `: ${error.message}` : "";
    throw run.incomplete(
      `the new credential is current and works, but ${still}; run this again${why}`,
    );
  }
  const isLeft =
    run.target.list === undefined
      ? await run.works(old, version)
      : (await run.list()).some(({ id }) => id === old.id);
  if (isLeft) {
    throw run.incomplete(`the new credential is current and works, but ${still}; run this again`);
  }
  return "revoked";
}
