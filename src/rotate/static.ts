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
import { because, type Unwritten, undone } from "./undo.ts";

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
  // All is done, whether or not the store can be read once more.
  const rotated = await readCurrent(run).catch(() => null);
  return {
    ...result(run, now, rotated, stepsDone(run.done)),
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
  const unwritten = { next, current, failure };
  await testNext(run, unwritten);
  // Only its answer was lost.
  if (failure !== null) run.tell({ type: "set", version: undefined });
  await writeNext(run, unwritten);
  run.tell({ type: "finished", version: undefined, previous: undefined });
  await updateCopies(run, next);
  const isEnded = run.overlapMs === 0 || target.strategy === "static";
  if (isEnded && current !== null) await revokeOld(run, current, next);
}

/** Tests the new credential; if it does not work, or that cannot be told, everything is put back. */
async function testNext(run: Run, unwritten: Unwritten): Promise<void> {
  const { next, failure } = unwritten;
  const works = await run.works(next, undefined).catch((error: unknown) => error);
  // A change that failed for sure was not made, whatever the test says.
  if (works === true && !isDefinite(failure)) return;
  const what =
    works === true ? "was not set" : works === false ? "does not work" : "could not be tested";
  // What went wrong first explains the rest.
  const why = because(failure ?? works);
  throw await undone(run, unwritten, `the new credential of ${run.target.name} ${what}${why}`);
}

/** Writes the new credential; if it is not there then, everything is put back. */
async function writeNext(run: Run, unwritten: Unwritten): Promise<void> {
  const { next } = unwritten;
  const failure = await write(run, next).then(
    () => null,
    (error: unknown) => error,
  );
  // What is there now matters all the more if the caller gave up meanwhile.
  if (run.context.signal.aborted) run.goOn();
  const found = await readCurrent(run).catch(() => undefined);
  const isReadable = run.provider.capabilities.includes("read");
  if (
    isReadable ? found?.credential.secret.fingerprint === next.secret.fingerprint : failure === null
  )
    return;
  const why = because(failure);
  if (found === undefined || !isReadable) {
    throw run.incomplete(
      `the new credential works on ${run.target.name}, but whether it was written is not known${why}; run this again with repair`,
    );
  }
  throw await undone(run, unwritten, `the new credential could not be written${why}`);
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
    if (!run.isLeaked) return;
    // What cannot be told is taken for the worse.
    const works = await run.works(old, undefined).catch((error: unknown) => error);
    if (works === false) return;
    throw run.incomplete(
      `${still}${because(works)}; ${target.reminder ?? `revoke it at ${target.name}`}`,
    );
  }
  try {
    await run.revoke(old, current, async () => true);
  } catch (error) {
    throw run.incomplete(
      `${still}${because(error)}; revoke it at ${target.name}: a later run does not know it`,
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
