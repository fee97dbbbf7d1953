import { setTimeout as sleep } from "node:timers/promises";
import { assertUnmasked, type Change, codeOf, SecretError } from "../secrets/index.ts";
import { updateCopies } from "./copies.ts";
import { fieldsOf, isSame } from "./credential.ts";
import { type Current, readCurrent } from "./current.ts";
import { stepsDone } from "./done.ts";
import type { RotationResult, RotationStep } from "./options.ts";
import { gapOf, guardSteps, publishSteps, revokeSteps } from "./plan.ts";
import { isDefinite, type Run } from "./run.ts";
import type { Credential } from "./target.ts";

const pollMs = 100;
const defaultPatienceMs = 5_000;

type Due = "rotate" | "young" | "overlap" | "superseded";

/**
 * One run of a rotation over a store that keeps one value: a dotenv file, a named secret of Modal.
 * The new credential works and is tested before it is written.
 */
export async function rotateStatic(run: Run): Promise<RotationResult> {
  assertFits(run);
  const seen = await readCurrent(run);
  const due = dueOf(run, seen, seen);
  if (run.options.apply !== true) return result(run, due, seen, await planned(run, due, seen));
  await using _lock = await lockOf(run);
  const current = await readCurrent(run);
  const now = dueOf(run, seen, current);
  if (now !== "rotate") {
    if (now === "superseded") run.tell({ type: "superseded", version: undefined });
    const ended = await revokeOthers(run, current);
    const base = result(run, now, current, stepsDone(run.done));
    return ended ? { ...base, outcome: "ended" } : base;
  }
  await change(run, current?.credential ?? null);
  return {
    ...result(run, now, await readCurrent(run), stepsDone(run.done)),
    outcome: "rotated",
    reminder: run.target.reminder,
  };
}

/** @throws SecretError `DECLARATION_INVALID`, `SECRET_NOT_WRITABLE`. */
function assertFits(run: Run): void {
  const { provider, target, text } = run;
  if (provider.write === undefined || !provider.capabilities.includes("write")) {
    const why = provider.whyNot?.write ?? "keep the credential in a store that can be written";
    throw new SecretError(
      "SECRET_NOT_WRITABLE",
      `${text}: ${provider.name} cannot write values; ${why}`,
    );
  }
  if (target.strategy !== "issuer" || target.list === undefined || run.overlapMs === 0) return;
  throw new SecretError(
    "DECLARATION_INVALID",
    `${text}: ${provider.name} keeps one value, so a later run could not tell which key of ${target.name} is the old one; use overlapMs 0, or a store with versions`,
  );
}

function dueOf(run: Run, seen: Current | null, now: Current | null): Due {
  if (seen !== null && now !== null && !isSameValue(seen, now)) return "superseded";
  if (run.isLeaked) return "rotate";
  if (now?.createdAtMs === undefined) return "rotate";
  const ageMs = Date.now() - now.createdAtMs;
  if (ageMs < (run.options.minAgeMs ?? 0)) return "young";
  return ageMs < run.overlapMs && run.target.strategy === "alternating" ? "overlap" : "rotate";
}

const isSameValue = (one: Current, other: Current) =>
  one.credential.secret.fingerprint === other.credential.secret.fingerprint;

async function change(run: Run, current: Credential | null): Promise<void> {
  const { target } = run;
  run.tell({ type: "started", strategy: target.strategy, current: undefined });
  const isGuarded = current !== null && run.options.repair !== true;
  if (isGuarded && !(await run.works(current, undefined))) {
    throw run.refused(
      `the current credential does not work on ${target.name}, so this may be the wrong target; check its settings, or if a rotation was interrupted, use repair`,
    );
  }
  const next = await run.propose(current);
  if (target.strategy === "alternating" && next.id === current?.id) {
    throw run.refused(
      `${target.name} proposes the user that is current; alternating needs two users`,
    );
  }
  run.tell({ type: "created", version: undefined });
  const failure = await run
    .set(next, current ?? undefined, async () => true)
    .then(
      () => {
        if (target.set !== undefined) run.tell({ type: "set", version: undefined });
        return null;
      },
      (error: unknown) => error,
    );
  const works = await run.works(next, undefined);
  // A change that failed for sure was not made, whatever the test says.
  if (!works || isDefinite(failure)) {
    const why = failure instanceof SecretError ? ` (${failure.message})` : "";
    const what = works ? "was not set" : "does not work";
    const message = `the new credential of ${target.name} ${what}${why}`;
    throw await undone(run, next, current, message);
  }
  // Only its answer was lost.
  if (failure !== null) run.tell({ type: "set", version: undefined });
  await writeNext(run, next, current);
  run.tell({ type: "finished", version: undefined, previous: undefined });
  await updateCopies(run, next);
  const isEnded = run.overlapMs === 0 || target.strategy === "static";
  if (isEnded && current !== null) await revokeOld(run, current, next);
}

/** Writes the new credential; if it is not there then, everything is put back. */
async function writeNext(run: Run, next: Credential, current: Credential | null): Promise<void> {
  const failure = await write(run, next).then(
    () => null,
    (error: unknown) => error,
  );
  const found = await readCurrent(run).catch(() => undefined);
  const isReadable = run.provider.capabilities.includes("read");
  if (
    isReadable ? found?.credential.secret.fingerprint === next.secret.fingerprint : failure === null
  )
    return;
  const why = failure instanceof SecretError ? ` (${failure.message})` : "";
  if (found === undefined || !isReadable) {
    throw run.incomplete(
      `the new credential works on ${run.target.name}, but whether it was written is not known${why}; run this again with repair`,
    );
  }
  throw await undone(run, next, current, `the new credential could not be written${why}`);
}

async function write(run: Run, next: Credential): Promise<void> {
  const { place, reference, provider } = run;
  assertUnmasked(next.secret);
  const change: Change =
    place.keys === undefined
      ? { mode: "replace", value: next.secret.reveal() }
      : { mode: "merge", fields: fieldsOf(place, next) };
  try {
    await provider.write?.({ ...reference, field: undefined }, change, run.context);
  } finally {
    run.from.invalidate(reference);
  }
}

async function undone(
  run: Run,
  next: Credential,
  current: Credential | null,
  what: string,
): Promise<SecretError> {
  const { target } = run;
  const undo = async () => {
    if (target.strategy === "issuer") await run.revoke(next, undefined, async () => true);
    if (target.strategy !== "static") return true;
    if (current === null) return false;
    if (await run.works(current, undefined)) return true;
    await run.set(current, undefined, async () => true);
    return run.works(current, undefined);
  };
  if (await undo().catch(() => false)) {
    run.tell({ type: "rolled-back", version: undefined });
    return run.rolledBack(
      `${what}; the stored one is as before. Check the target's settings, and run this again`,
    );
  }
  return run.incomplete(
    `${what}, and the old one could not be put back; run this again with repair`,
  );
}

async function revokeOld(run: Run, old: Credential, current: Credential): Promise<void> {
  const { target } = run;
  if (isSame(old, current)) return;
  if (target.strategy === "static") {
    // The target has one value: the new one ended the old one.
    run.tell({ type: "revoked", version: undefined });
    return;
  }
  const still = "the new credential is written and works, but the old one still works";
  await run.findUsers(old);
  if (target.revoke === undefined) {
    if (!run.isLeaked || !(await run.works(old, undefined))) return;
    throw run.incomplete(`${still}; ${target.reminder ?? `revoke it at ${target.name}`}`);
  }
  try {
    await run.revoke(old, current, async () => true);
  } catch (error) {
    const why = error instanceof SecretError ? ` (${error.message})` : "";
    throw run.incomplete(
      `${still}${why}; revoke it at ${target.name}: a later run does not know it`,
    );
  }
  run.tell({ type: "revoked", version: undefined });
}

/** Of two users the one that is not current, when the overlap is over. */
async function revokeOthers(run: Run, current: Current | null): Promise<boolean> {
  if (run.target.strategy !== "alternating" || run.target.list === undefined) return false;
  if (current?.createdAtMs === undefined) return false;
  if (Date.now() - current.createdAtMs < run.overlapMs) return false;
  let isAny = false;
  for (const { id } of await run.list()) {
    if (id === current.credential.id) continue;
    await run.revoke({ id }, current.credential, async () => true);
    run.tell({ type: "revoked", version: undefined });
    isAny = true;
  }
  return isAny;
}

/** Waits for another rotation of this value, which is at work. */
async function lockOf(run: Run): Promise<AsyncDisposable> {
  const { provider, reference, context } = run;
  const none = { async [Symbol.asyncDispose]() {} };
  const endMs = Date.now() + (run.options.patienceMs ?? defaultPatienceMs);
  for (;;) {
    try {
      return (await provider.lock?.(reference, context)) ?? none;
    } catch (error) {
      if (codeOf(error, "SECRET_UNREACHABLE") !== "SECRET_CONFLICT" || Date.now() >= endMs)
        throw error;
    }
    await sleep(pollMs, undefined, { signal: context.signal });
  }
}

async function planned(run: Run, due: Due, current: Current | null): Promise<RotationStep[]> {
  if (due !== "rotate") return [];
  if (current !== null) await run.findUsers(current.credential);
  const { target } = run;
  return [
    ...(current === null ? [] : guardSteps(run, "the credential")),
    { step: "create", text: `have a new credential made for ${target.name}` },
    ...(target.set === undefined
      ? []
      : [{ step: "set", text: `have ${target.name} accept it` } as const]),
    { step: "test", text: `test it on ${target.name}` },
    { step: "finish", text: `write it to ${run.text}` },
    ...publishSteps(run),
    ...revokeSteps(run, "the old one"),
  ];
}

function result(
  run: Run,
  due: Due,
  current: Current | null,
  steps: readonly RotationStep[],
): RotationResult {
  return {
    outcome: due === "rotate" ? "planned" : due === "superseded" ? "superseded" : "fresh",
    why: due === "rotate" || due === "superseded" ? undefined : due,
    strategy: run.target.strategy,
    revokeAtMs:
      current?.createdAtMs === undefined || run.target.strategy === "static"
        ? undefined
        : current.createdAtMs + run.overlapMs,
    gap: gapOf(run),
    usedBy: run.users,
    steps,
  };
}
