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
  const takeBack = (why?: SecretError) => takenBack(run, stage, versions, pending, why);
  const current = await versions.credential(base);
  if (run.target.set === undefined) {
    if (await run.works(next, version)) return true;
    throw await takeBack();
  }
  // What this run just made was set by nobody. What an earlier one left may have been set or not: a
  // test that accepts both may be too lax to tell, so that it is set (again).
  if (!pending.isMine && !(await run.works(current, base))) {
    // Of a target with one value: it was set.
    if (await run.works(next, version)) return true;
    if (run.options.repair !== true) throw currentFails(run, base);
  }
  const failure = await setPending(run, versions, pending, { next, current });
  const isConflict = codeOf(failure, "SECRET_UNREACHABLE") === "SECRET_CONFLICT";
  // Also after an error: the change may have been made, and only its answer lost.
  if (await run.works(next, version)) {
    if (failure === null) return true;
    if (isConflict || !isDefinite(failure)) {
      run.tell({ type: "set", version });
      return true;
    }
    // The target says that it failed, whatever the test says: a test may be too lax.
    if (!(await isPending(versions, pending))) return false;
    if (await isAsBefore(run, current, base)) throw await takeBack(failure);
    throw noneWorks(run, pending);
  }
  if (failure !== null) {
    if (isConflict) return false;
    // It may still be made: the pending version is kept, and the next run makes it for sure.
    if (!isDefinite(failure)) throw failure;
    throw await takeBack(failure);
  }
  if (await isAsBefore(run, current, base)) throw await takeBack();
  throw noneWorks(run, pending);
}

function noneWorks(run: Run, { base, version }: Pending): SecretError {
  return run.incomplete(
    `neither version ${base}, which is current, nor version ${version}, which is pending, can be used now; run this again`,
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
  pending: Pending,
  { next, current }: { readonly next: Credential; readonly current: Credential },
): Promise<unknown> {
  return run
    .set(next, current, () => isPending(versions, pending))
    .then(
      () => {
        run.tell({ type: "set", version: pending.version });
        return null;
      },
      (error: unknown) => error,
    );
}

async function isPending(versions: Versions, { version, base }: Pending): Promise<boolean> {
  const now = await versions.stages();
  return now.pending === version && now.current === base;
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
  why?: SecretError,
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
  const reason = why === undefined ? "" : ` (${why.message})`;
  return run.rolledBack(
    `the new credential of ${target.name} does not work and was taken back${reason}; version ${base} is current as before. Check the target's settings, and run this again`,
  );
}
