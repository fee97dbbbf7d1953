import { SecretError } from "../secrets/index.ts";
import { isDefinite, type Run } from "./run.ts";
import type { Credential } from "./target.ts";

/** A new credential that was made, and that no store holds. */
export interface Unwritten {
  readonly next: Credential;
  /** What the store holds; `null` where it gives no value back. */
  readonly current: Credential | null;
  /** What the change of the target threw; `null` if it was made. */
  readonly failure: unknown;
}

/**
 * Puts everything back: a target with one value gets the old one again, and a key that was made is
 * revoked. Also after the caller gave up.
 *
 * @param what - What went wrong, for the message.
 * @returns `ROTATION_ROLLED_BACK` if all is as it was, else `ROTATION_INCOMPLETE` that says what is
 *   left and what to do.
 */
export async function undone(run: Run, unwritten: Unwritten, what: string): Promise<SecretError> {
  run.goOn();
  const left = await leftBy(run, unwritten);
  if (left !== null) return run.incomplete(`${what}, and ${left}`);
  run.tell({ type: "rolled-back", version: undefined });
  return run.rolledBack(
    `${what}; the stored one is as before. Check the target's settings, and run this again`,
  );
}

/** What could not be put back, and how to go on; `null`: nothing. */
async function leftBy(run: Run, unwritten: Unwritten): Promise<string | null> {
  switch (run.target.strategy) {
    case "issuer":
      return revokedAgain(run, unwritten);
    case "alternating":
      // The user that is current was not changed.
      return null;
    case "static":
      return putBack(run, unwritten);
  }
}

async function revokedAgain(run: Run, { next, current }: Unwritten): Promise<string | null> {
  const { name } = run.target;
  const failure = await errorOf(run.revoke(next, current ?? undefined, async () => true));
  if (failure === null) return null;
  const key = next.id === undefined ? "the new key" : `the new key, ${next.id},`;
  return `${key} may still work${because(failure)}; the stored one is as before. Revoke the new key at ${name}: a later run does not know it`;
}

async function putBack(run: Run, { next, current, failure }: Unwritten): Promise<string | null> {
  if (current === null) {
    return "the old one could not be put back: its store does not give it back; run this again, which makes a new one";
  }
  // A change that failed for sure was not made, if the test says so too.
  if (isDefinite(failure) && (await run.works(current, undefined).catch(() => false))) return null;
  // Whatever a test says: it may be so lax that it accepts both.
  const unset = await errorOf(run.set(current, next, async () => true));
  const works = await run.works(current, undefined).catch((error: unknown) => error);
  // The target says that it took the new one, and not the old one: then the test is too lax to tell.
  const isLax = works === true && failure === null && isDefinite(unset);
  if (works === true && !isLax) return null;
  if (works === false || unset !== null) {
    return `the old one could not be put back${because(unset)}; run this again with repair`;
  }
  return `the old one was set again, but could not be tested${because(works)}; test it, and if it does not work, run this again with repair`;
}

function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

/** Of a foreign error nothing is kept. */
export function because(error: unknown): string {
  return error instanceof SecretError ? ` (${error.message})` : "";
}
