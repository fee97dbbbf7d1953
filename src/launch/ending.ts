/** How a job comes to its end: stopped, killed, drained, and with nothing left running. */
import type { Pump } from "./output.ts";
import type { RunningJob } from "./runtime.ts";

export type StopReason = "timeout" | "abort";

/** Stops a job: SIGTERM first, SIGKILL after the grace time. */
export class Stop implements Disposable {
  readonly #job: RunningJob;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #askedAt: number | undefined;
  /** Why the launcher stopped the job, if it did. */
  reason: StopReason | undefined;

  constructor(job: RunningJob, graceMs: number) {
    this.#job = job;
    this.#graceMs = graceMs;
  }

  because(reason: StopReason): void {
    this.reason ??= reason;
    this.#job.kill("SIGTERM");
    this.killAfterGrace();
  }

  killAfterGrace(): void {
    if (this.#timer !== undefined) return;
    this.#askedAt = performance.now();
    this.#timer = setTimeout(() => this.#job.kill("SIGKILL"), this.#graceMs);
  }

  /** What is left of the grace time; undefined if nobody asked the job to end. */
  get graceLeftMs(): number | undefined {
    if (this.#askedAt === undefined) return undefined;
    return Math.max(0, this.#askedAt + this.#graceMs - performance.now());
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** How long what the command left running may take to end, if nobody asked the job to end. */
const leftoverGraceMs = 2_000;
/** Output that is quiet for this long after the command ended comes from something left running. */
const quietMs = 1_000;
const lookEveryMs = 20;

/**
 * After the command ended: lets its output finish, ends what it left running, frees what it used.
 *
 * What still writes may do so for the grace time, not counting the time that the reader takes.
 *
 * @returns How many processes were left.
 */
export async function finish(
  job: RunningJob,
  pumps: readonly Pump[],
  stop: Stop,
  graceMs: number,
): Promise<number> {
  let drained = false;
  const done = Promise.all(pumps.map((pump) => pump.done)).then(() => {
    drained = true;
  });
  const ended = performance.now();
  let ready = 0;
  while (!drained && stop.graceLeftMs === undefined && ready < graceMs) {
    await within(lookEveryMs, done);
    if (pumps.some(({ busy }) => busy)) continue;
    ready += lookEveryMs;
    const moved = Math.max(ended, ...pumps.map(({ lastMoved }) => lastMoved));
    if (performance.now() - moved > quietMs) break;
  }
  const left = await job.cleanUp(stop.graceLeftMs ?? leftoverGraceMs);
  // Nobody may read any more: after a stop that is waited for no longer than for the job itself.
  if (stop.graceLeftMs !== undefined) await within(graceMs, done);
  for (const pump of drained || stop.graceLeftMs === undefined ? [] : pumps) pump.giveUp();
  await done;
  return left;
}

/** Node's timers end at 24.8 days; a longer limit is none. */
const longestTimerMs = 2 ** 31 - 1;

/** Calls `then` after a time, unless it is disposed first. */
export function startTimer(ms: number | undefined, then: () => void): Disposable {
  const timer = ms === undefined || ms > longestTimerMs ? undefined : setTimeout(then, ms);
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
