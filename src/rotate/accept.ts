import { codeOf, type SecretError, type StageControl } from "../secrets/index.ts";
import { isDefinite, type Run } from "./run.ts";
import type { Credential } from "./target.ts";
import type { Versions } from "./versions.ts";

/** The pending version that a target is to accept. */
interface Pending {
  readonly version: string;
  /** The version that is current. */
  readonly base: string;
  /** This run made it; otherwise an earlier run, or another one beside this. */
  readonly isMine: boolean;
}

/**
 * Has the target accept the pending version, and tests it.
 *
 * @returns false if another rotation has changed what is pending meanwhile.
 * @throws SecretError `ROTATION_REFUSED`, `ROTATION_ROLLED_BACK`, `ROTATION_INCOMPLETE`, and what
 *   the target throws.
 */
export async function haveAccepted(
  run: Run,
  stage: StageControl,
  versions: Versions,
  pending: Pending,
): Promise<boolean> {
  const { version, base } = pending;
  const next = await versions.credential(version);
  if (await run.works(next, version)) return true;
  const takeBack = (why?: string) => takenBack(run, stage, versions, pending, why);
  const current = await versions.credential(base);
  if (run.target.set === undefined) throw await takeBack();
  if (!pending.isMine && run.options.repair !== true && !(await run.works(current, base))) {
    // Of a target with one value: another run may have set it between the two tests.
    if (await run.works(next, version)) return true;
    throw currentFails(run, base);
  }
  const failure = await setPending(run, versions, pending, { next, current });
  // Also after an error: the change may have been made, and only its answer lost.
  if (await run.works(next, version)) {
    run.tell({ type: "set", version });
    return true;
  }
  if (failure !== null) {
    if (codeOf(failure, "SECRET_UNREACHABLE") === "SECRET_CONFLICT") return false;
    // It may still be made: the pending version is kept, and the next run makes it for sure.
    if (!isDefinite(failure)) throw failure;
    throw await takeBack(` (${failure.message})`);
  }
  if (await isAsBefore(run, current, base)) throw await takeBack();
  throw run.incomplete(
    `neither version ${base}, which is current, nor version ${version}, which is pending, works now; run this again`,
  );
}

/** The refusal to go on from a credential that the target does not accept. */
export function currentFails(run: Run, base: string): SecretError {
  return run.refused(
    `the current credential, version ${base}, does not work on ${run.target.name}, so this may be the wrong target; check its settings, or if you know that the credential is dead, use repair`,
  );
}

/** The error of the change, if there was one. */
function setPending(
  run: Run,
  versions: Versions,
  { version, base }: Pending,
  { next, current }: { readonly next: Credential; readonly current: Credential },
): Promise<unknown> {
  const isWanted = async () => {
    const now = await versions.stages();
    return now.pending === version && now.current === base;
  };
  return run.set(next, current, isWanted).then(
    () => null,
    (error: unknown) => error,
  );
}

/** Of a target with one value the old one has to be put back. */
async function isAsBefore(run: Run, current: Credential, base: string): Promise<boolean> {
  if (await run.works(current, base)) return true;
  if (run.target.strategy !== "static") return run.options.repair === true;
  await run.set(current, undefined, async () => true).catch(() => undefined);
  return run.works(current, base);
}

async function takenBack(
  run: Run,
  stage: StageControl,
  versions: Versions,
  { version, base }: Pending,
  why = "",
): Promise<SecretError> {
  const { target } = run;
  await stage.drop(run.reference, version, run.context);
  run.touched = false;
  run.tell({ type: "rolled-back", version });
  const { current } = await versions.stages();
  // A key that did not work a moment ago may work now: it is no use to anybody.
  if (target.list !== undefined && target.strategy === "issuer" && current !== version) {
    await run.revoke(await versions.credential(version), undefined, async () => true);
  }
  return run.rolledBack(
    `the new credential of ${target.name} does not work and was taken back${why}; version ${base} is current as before. Check the target's settings, and run this again`,
  );
}
