/**
 * Stateless exploration of interleavings: rotators stop before each call, and the explorer chooses
 * whose call is next, with a limited number of preemptions (switches away from one that could go on).
 * A point that was reached before leads nowhere new and is not explored again: the same state of
 * store and target, and of each rotator the same memory and the same answers since its last look.
 */
import type { RotateOptions } from "nopeek/rotate";
import type { Step } from "./stores.ts";
import type { World } from "./world.ts";

export interface Schedule {
  readonly ids: readonly string[];
  readonly preemptions: number;
  readonly options?: Partial<RotateOptions>;
  /** Ends with the first problem that this accepts. */
  readonly until?: (problem: string) => boolean;
}

export interface Explored {
  readonly schedules: number;
  readonly steps: number;
  /** Each distinct problem with the schedule that shows it. */
  readonly problems: ReadonlyMap<string, string>;
}

interface Point {
  readonly choices: number;
  /** Preemptions used when the point was reached. */
  readonly used: number;
  /** Choosing another one than the first is a preemption. */
  readonly isPreemption: boolean;
}

interface Ran {
  readonly points: readonly Point[];
  readonly trace: string;
  readonly problems: readonly string[];
  readonly steps: number;
}

const maxSteps = 600;

/** Explores all schedules within the limit; `after` looks at what each of them left. */
export async function explore(
  make: () => World,
  schedule: Schedule,
  after: (world: World) => Promise<void>,
): Promise<Explored> {
  const visited = new Map<string, number>();
  // By preemptions used, the fewest first: a point that is reached again with more is then known.
  const stacks: number[][][] = Array.from({ length: schedule.preemptions + 1 }, () => []);
  stacks[0]?.push([]);
  const next = () => stacks.find((stack) => stack.length > 0)?.pop();
  const problems = new Map<string, string>();
  let [schedules, steps] = [0, 0];
  for (let prefix = next(); prefix !== undefined; prefix = next()) {
    const ran = await runOnce(make(), schedule, prefix, visited, after);
    schedules += 1;
    steps += ran.steps;
    for (const problem of ran.problems) problems.set(problem, ran.trace);
    const { until } = schedule;
    if (until !== undefined && [...problems.keys()].some(until)) break;
    for (let index = prefix.length; index < ran.points.length; index += 1) {
      const { choices, used, isPreemption } = ran.points[index] as Point;
      if (isPreemption && used >= schedule.preemptions) continue;
      const before = Array.from({ length: index }, (_, position) => prefix?.[position] ?? 0);
      const stack = stacks[used + (isPreemption ? 1 : 0)];
      for (let choice = 1; choice < choices; choice += 1) stack?.push([...before, choice]);
    }
  }
  return { schedules, steps, problems };
}

async function runOnce(
  world: World,
  { ids, options }: Schedule,
  prefix: readonly number[],
  visited: Map<string, number>,
  after: (world: World) => Promise<void>,
): Promise<Ran> {
  const crew = new Crew(world, ids, options);
  const points: Point[] = [];
  let [trace, last, used] = ["", "", 0];
  const problems: string[] = [];
  for (let index = 0; ; index += 1) {
    await crew.settle();
    const ready = crew.ready();
    if (ready.length === 0) break;
    const order = ready.includes(last) ? [last, ...ready.filter((id) => id !== last)] : ready;
    const isPreemption = order[0] === last;
    if (index >= prefix.length) {
      const key = crew.key(last);
      if ((visited.get(key) ?? Number.POSITIVE_INFINITY) <= used) {
        return { points, trace, problems: world.problems, steps: index };
      }
      visited.set(key, used);
    }
    points.push({ choices: order.length, used, isPreemption });
    const choice = prefix[index] ?? 0;
    const id = order[choice] ?? order[0] ?? "";
    if (choice > 0 && isPreemption) used += 1;
    trace += id;
    last = id;
    crew.go(id);
    if (index > maxSteps) {
      problems.push("no end");
      break;
    }
  }
  problems.push(...crew.errors());
  const end = `end ${hash(world.dump())}`;
  if (!visited.has(end)) await after(world);
  visited.set(end, 0);
  return { points, trace, problems: [...problems, ...world.problems], steps: points.length };
}

/** Rotators that stop before each call. */
export class Crew {
  readonly #world: World;
  readonly #ids: readonly string[];
  readonly #waiting = new Map<string, { go: () => void; isReady: () => boolean }>();
  readonly #done = new Map<string, string>();
  /** How many calls each has made, and what it remembers and was answered. */
  readonly #seen = new Map<string, { calls: number; hash: number }>();
  readonly #gone = new Set<string>();
  readonly #changing: (label: string, answer: unknown) => unknown;

  /** @param changing - What each answer is replaced with, to have reads that lag behind. */
  constructor(
    world: World,
    ids: readonly string[],
    options: Partial<RotateOptions> | undefined,
    changing: (label: string, answer: unknown) => unknown = (_, answer) => answer,
  ) {
    this.#changing = changing;
    this.#world = world;
    this.#ids = ids;
    for (const id of ids) {
      this.#seen.set(id, { calls: 0, hash: 0 });
      const onRound = (memory: string) => {
        this.#seen.set(id, { calls: this.calls(id), hash: hash(memory) });
      };
      world.rotate(id, this.#stepOf(id), options, onRound).then(
        ({ outcome }) => this.#done.set(id, outcome),
        (error: Error & { code?: string }) =>
          this.#done.set(id, `error ${error.code ?? error.name}: ${error.message}`),
      );
    }
  }

  /** Waits until every rotator stands before a call or has ended; there are no timers in between. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 2_000; turn += 1) {
      const settled = this.#waiting.size + this.#done.size + this.#gone.size;
      if (settled >= this.#ids.length) return;
      await Promise.resolve();
    }
    throw new Error("a rotator waits for something else than a call");
  }

  /** Who can go on. Those who have not begun are alike, so that the first stands for all. */
  ready(): string[] {
    const waiting = this.#ids.filter((id) => this.#waiting.get(id)?.isReady() === true);
    const fresh = waiting.filter((id) => this.calls(id) === 0);
    return waiting.filter((id) => id === fresh[0] || !fresh.includes(id));
  }

  /** How many calls a rotator has made. */
  calls(id: string): number {
    return this.#seen.get(id)?.calls ?? 0;
  }

  go(id: string): void {
    const call = this.#waiting.get(id);
    this.#waiting.delete(id);
    call?.go();
  }

  /** Ends a rotator as SIGKILL does: nothing of it runs any more; `done`: its call is made. */
  kill(id: string, options: { done: boolean }): void {
    this.#gone.add(id);
    if (options.done) this.go(id);
    this.#waiting.delete(id);
    this.#world.died(id);
  }

  errors(): string[] {
    return [...this.#done].flatMap(([id, ended]) =>
      ended.startsWith("error") ? [`${id}: ${ended}`] : [],
    );
  }

  /** Equal for points from which the same can follow. */
  key(last: string): string {
    const seen = this.#ids.map(
      (id) => `${JSON.stringify(this.#seen.get(id)?.hash)} ${this.#done.get(id) ?? ""}`,
    );
    return `${last} ${hash(this.#world.dump())} ${seen.join(" ")}`;
  }

  #stepOf(id: string): Step {
    return (label, call, isReady = () => true) =>
      new Promise((resolve, reject) => {
        if (this.#gone.has(id)) return;
        const go = () => {
          const settle = answerOf(call);
          const { calls = 0, hash: before = 0 } = this.#seen.get(id) ?? {};
          this.#seen.set(id, { calls: calls + 1, hash: hash(label + settle.text, before) });
          this.#world.check(`${id} ${label}`);
          // Who is gone gets no answer.
          if (this.#gone.has(id)) return;
          if ("error" in settle) reject(settle.error);
          else resolve(this.#changing(label, settle.value) as typeof settle.value);
        };
        this.#waiting.set(id, { go, isReady });
      });
  }
}

function answerOf<T>(call: () => T): { text: string; value: T } | { text: string; error: unknown } {
  try {
    const value = call();
    return { text: `${JSON.stringify(value)}`, value };
  } catch (error) {
    return { text: String(error), error };
  }
}

/** 53 bits of a text (cyrb53): two points in a million that are taken for one would be bad luck. */
function hash(text: string, seed = 0): number {
  let [high, low] = [0xdeadbeef ^ seed, 0x41c6ce57 ^ seed];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
