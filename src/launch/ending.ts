/** How a job comes to its end: stopped, killed, drained, and with nothing left running. */
import { longestTimerMs } from "../secrets/index.ts";
import type { Pump } from "./output.ts";
import type { RunningJob } from "./runtime.ts";

export type StopReason = "timeout" | "abort" | "halt" | "audit";

/** Stops a job: SIGTERM first, SIGKILL after the grace time. */
export class Stop implements Disposable {
  readonly #job: RunningJob;
  readonly #graceMs: number;
  #timer: Disposable | undefined;
  #askedAt: number | undefined;
  /** Why the launcher stopped the job, if it did. */
  reason: StopReason | undefined;

  constructor(job: RunningJob, graceMs: number) {
    this.#job = job;
    this.#graceMs = graceMs;
  }

  because(reason: StopReason): void {
    // A leak is told of whatever else ended the job.
    this.reason = reason === "halt" ? reason : (this.reason ?? reason);
    // A second signal would cut short what the job does at the first.
    const isAsked = this.#askedAt !== undefined;
    // The grace time runs from the decision, however long it takes to find whom to signal.
    this.killAfterGrace();
    if (!isAsked) this.#job.kill("SIGTERM", this.#reach);
  }

  /** A job that leaks is stopped with all of it at once; others end their helpers themselves. */
  get #reach(): "group" | "everything" {
    return this.reason === "halt" ? "everything" : "group";
  }

  killAfterGrace(): void {
    if (this.#timer !== undefined) return;
    this.#askedAt = performance.now();
    this.#timer = startTimer(this.#graceMs, () => this.#job.kill("SIGKILL", this.#reach));
  }

  /** What is left of the grace time; undefined if nobody asked the job to end. */
  get graceLeftMs(): number | undefined {
    if (this.#askedAt === undefined) return undefined;
    return Math.max(0, this.#askedAt + this.#graceMs - performance.now());
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}

/** How long what the command left running may take to end, if nobody asked the job to end. */
const leftoverGraceMs = 2_000;
/** Output that is quiet for this long after the command ended comes from something left running. */
const quietMs = 1_000;
const lookEveryMs = 20;

/** What was found after the command ended. */
export interface Leftovers {
  /** Processes that the command left running; they are ended. */
  readonly processes: number;
  /** Something that cannot be found any more holds the output open; it is not waited for. */
  readonly heldOpen: boolean;
}

/**
 * After the command ended: lets its output finish, ends what it left running, frees what it used.
 *
 * What still writes may do so for the grace time, not counting the time that the reader takes. A
 * reader that stalls is waited for, but after a stop no longer than for the job itself.
 */
export async function finish(
  job: RunningJob,
  pumps: readonly Pump[],
  stop: Stop,
  graceMs: number,
): Promise<Leftovers> {
  let drained = false;
  const done = Promise.all(pumps.map((pump) => pump.done)).then(() => {
    drained = true;
  });
  const isQuiet = (since: number) => {
    const moved = Math.max(since, ...pumps.map(({ lastMoved }) => lastMoved));
    return !pumps.some(({ busy }) => busy) && performance.now() - moved > quietMs;
  };
  const ended = performance.now();
  let ready = 0;
  while (!drained && stop.graceLeftMs === undefined && ready < graceMs && !isQuiet(ended)) {
    await within(lookEveryMs, done);
    if (!pumps.some(({ busy }) => busy)) ready += lookEveryMs;
  }
  const processes = await job.cleanUp(stop.graceLeftMs ?? leftoverGraceMs);
  const cleaned = performance.now();
  let heldOpen = false;
  while (!drained) {
    await within(lookEveryMs, done);
    const waited = performance.now() - cleaned;
    heldOpen = isQuiet(cleaned);
    // Nobody may read any more.
    const isAbandoned = stop.graceLeftMs !== undefined && waited > graceMs;
    if (!heldOpen && !isAbandoned) continue;
    for (const pump of pumps) pump.giveUp(isAbandoned && !heldOpen);
    break;
  }
  await done;
  return { processes, heldOpen };
}

/** Calls `then` after a time, however long, unless it is disposed first. */
export function startTimer(ms: number | undefined, then: () => void): Disposable {
  if (ms === undefined) return { [Symbol.dispose]: () => undefined };
  let left = ms;
  let timer: NodeJS.Timeout;
  const arm = () => {
    const step = Math.min(left, longestTimerMs);
    left -= step;
    timer = setTimeout(() => (left > 0 ? arm() : then()), step);
  };
  arm();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Waits for `work`, but no longer than `ms`. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((settle) => {
    timer = setTimeout(settle, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
