/**
 * The model checker of rotation: the real engine and the real stage operations of AWS and GCP, with
 * every interleaving of two and three rotators, deaths at every call, and reads that lag behind.
 */
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { decide } from "../../src/rotate/decide.ts";
import { isSlow } from "../support/scratch.ts";
import { Crew, type Explored, explore } from "./model/explore.ts";
import { replacingBlindly, type Step } from "./model/stores.ts";
import { clock, type Mutant, makeWorld, overlapMs, type World } from "./model/world.ts";

const start = clock.nowMs;
const hourMs = 3_600_000;
/** Hundreds of thousands of refusals: nobody reads where they were made. */
const { stackTraceLimit } = Error;
beforeEach(() => {
  Error.stackTraceLimit = 0;
  clock.nowMs = start;
  vi.spyOn(Date, "now").mockImplementation(() => clock.nowMs);
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

const worlds = (["aws", "gcp"] as const).flatMap((store) =>
  (["alternating", "issuer"] as const).map((kind) => [store, kind] as const),
);

/** A rotator that nobody interrupts. */
const direct =
  (world: World): Step =>
  async (label, call) => {
    const answer = call();
    world.check(label);
    return answer;
  };

/** An hourly run: one an hour later, which ends what was left, and one after the overlap. */
async function later(world: World): Promise<void> {
  const keepMs = clock.nowMs;
  const note = (error: Error) => void world.problems.push(`later: ${error.message}`);
  for (const [id, passedMs] of [["Y", hourMs] as const, ["Z", overlapMs] as const]) {
    clock.nowMs += passedMs;
    await world.rotate(id, direct(world), { minAgeMs: 10 * overlapMs }).catch(note);
  }
  // The first look after a death may only begin: what was never begun is none of theirs.
  world.checkEnd({ rotated: false });
  if (world.store.version("previous") !== undefined) world.problems.push("never revoked");
  clock.nowMs = keepMs;
}

async function afterAllEnded(world: World): Promise<void> {
  world.checkEnd({ rotated: true });
  await later(world);
}

/** Whether a problem is more than a rotator that says that it could not do its work. */
const isUnsafe = (problem: string) => !/^\w: error ROTATION_/.test(problem);

const problemsOf = ({ problems }: Explored) => [...problems];

describe.each(worlds)("%s, %s", (store, kind) => {
  it("two rotators, every interleaving with up to 4 preemptions", async () => {
    const schedule = { ids: ["A", "B"], preemptions: 4 };
    const explored = await explore(() => makeWorld(store, kind), schedule, afterAllEnded);
    expect(problemsOf(explored)).toEqual([]);
    expect(explored.schedules).toBeGreaterThan(2_000);
  }, 120_000);

  it("three rotators, up to 2 preemptions", async () => {
    const schedule = { ids: ["A", "B", "C"], preemptions: 2 };
    const explored = await explore(() => makeWorld(store, kind), schedule, afterAllEnded);
    expect(problemsOf(explored)).toEqual([]);
    expect(explored.schedules).toBeGreaterThan(500);
  }, 120_000);

  it("a death before, after or twice at every call, and then a fresh run", async () => {
    const clean = makeWorld(store, kind);
    const crew = new Crew(clean, ["A"], undefined);
    for (await crew.settle(); crew.ready().length > 0; await crew.settle()) crew.go("A");
    clean.checkEnd({ rotated: true });
    expect(clean.problems).toEqual([]);
    const calls = crew.calls("A");
    expect(calls).toBeGreaterThan(10);
    for (let at = 0; at < calls; at += 1) {
      for (const done of [false, true]) {
        for (const again of [null, ...Array.from({ length: 12 }, (_, index) => index)]) {
          const world = makeWorld(store, kind);
          await dieAt(world, "A", at, done);
          clock.nowMs += hourMs;
          if (again !== null) await dieAt(world, "B", again, done);
          clock.nowMs += hourMs;
          await world.rotate("C", direct(world), { minAgeMs: undefined });
          const where = `call ${at}, done ${done}, then call ${again}`;
          expect([where, ...world.problems]).toEqual([where]);
          expect(world.store.version("pending")).toBeUndefined();
          await later(world);
          expect([where, ...world.problems]).toEqual([where]);
          clock.nowMs = start;
        }
      }
    }
  }, 60_000);

  it(
    "reads that lag behind: the current credential works at every moment",
    async () => {
      const random = generator(7);
      for (let round = 0; round < (isSlow ? 5_000 : 300); round += 1) {
        const world = makeWorld(store, kind);
        const crew = new Crew(world, ["A", "B"], undefined, stale(random));
        for (await crew.settle(); crew.ready().length > 0; await crew.settle()) {
          const ready = crew.ready();
          crew.go(ready[Math.floor(random() * ready.length)] ?? "");
        }
        await later(world);
        expect([round, ...world.problems]).toEqual([round]);
      }
    },
    isSlow ? 600_000 : 60_000,
  );

  it(
    "two rotators, one of which dies anywhere",
    async () => {
      const random = generator(42);
      for (let round = 0; round < (isSlow ? 20_000 : 500); round += 1) {
        const world = makeWorld(store, kind);
        const crew = new Crew(world, ["A", "B"], undefined);
        let left = 1 + Math.floor(random() * 30);
        for (await crew.settle(); crew.ready().length > 0; await crew.settle()) {
          const ready = crew.ready();
          const id = ready[Math.floor(random() * ready.length)] ?? "";
          left -= id === "A" ? 1 : 0;
          if (id === "A" && left === 0) crew.kill("A", { done: random() < 0.5 });
          else crew.go(id);
        }
        await later(world);
        expect([round, ...world.problems]).toEqual([round]);
      }
    },
    isSlow ? 600_000 : 60_000,
  );
});

describe("an issuer whose place is taken over at once", () => {
  const options = { orphanAgeMs: 0 };
  it.each(["aws", "gcp"] as const)(
    "%s",
    async (store) => {
      const schedule = { ids: ["A", "B"], preemptions: isSlow ? 4 : 2, options };
      const explored = await explore(() => makeWorld(store, "issuer"), schedule, later);
      // Who lost its key may tell so; what is current works all the same.
      expect(problemsOf(explored).filter(([problem]) => isUnsafe(problem))).toEqual([]);
    },
    isSlow ? 600_000 : 60_000,
  );
});

describe("a test that accepts everything", () => {
  const lax = { isLax: true };
  it.each(["aws", "gcp"] as const)(
    "makes no pending version current that nobody set (%s)",
    async (store) => {
      const clean = makeWorld(store, "alternating", lax);
      const crew = new Crew(clean, ["A"], undefined);
      for (await crew.settle(); crew.ready().length > 0; await crew.settle()) crew.go("A");
      clean.checkEnd({ rotated: true });
      expect(clean.problems).toEqual([]);
      for (let at = 0; at < crew.calls("A"); at += 1) {
        for (const done of [false, true]) {
          const world = makeWorld(store, "alternating", lax);
          await dieAt(world, "A", at, done);
          clock.nowMs += hourMs;
          await world.rotate("C", direct(world));
          expect([at, done, ...world.problems]).toEqual([at, done]);
          expect(world.store.version("pending")).toBeUndefined();
          clock.nowMs = start;
        }
      }
      const schedule = { ids: ["A", "B"], preemptions: 2 };
      const make = () => makeWorld(store, "alternating", lax);
      const explored = await explore(make, schedule, async (world) =>
        world.checkEnd({ rotated: true }),
      );
      expect(problemsOf(explored)).toEqual([]);
    },
    60_000,
  );
});

describe("a leaked credential is revoked at once", () => {
  it.each(worlds)(
    "%s, %s",
    async (store, kind) => {
      const options = { leaked: true };
      const schedule = { ids: ["A", "B"], preemptions: isSlow ? 2 : 1, options };
      const explored = await explore(
        () => makeWorld(store, kind),
        schedule,
        async (world) => {
          if (world.store.version("previous") !== undefined) world.problems.push("not revoked");
          await later(world);
        },
      );
      expect(problemsOf(explored)).toEqual([]);
    },
    isSlow ? 600_000 : 60_000,
  );
});

describe("the checker finds what is wrong on purpose", () => {
  /** Rotates whatever was current when it looked last, but each rotator once only. */
  const goalless: Mutant = {
    decides: () => {
      let hasBegun = false;
      return (current, stages, aims) => {
        const seen = { ...stages, rotatedAtMs: undefined };
        const action = decide(current, seen, { ...aims, goal: current });
        if (action.do !== "begin") return action;
        if (hasBegun) return { do: "nothing", why: "young" };
        hasBegun = true;
        return action;
      };
    },
  };
  const baseless: Mutant = {
    decides: () => (current, stages, aims) =>
      decide(current, { ...stages, pendingBase: stages.pending && current }, aims),
  };
  const blind: Mutant = { stage: replacingBlindly };
  const mutants = [
    ["no look at the goal", "aws", "alternating", goalless],
    ["no look at the goal", "gcp", "issuer", goalless],
    ["no look at the base", "aws", "alternating", baseless],
    ["a pending label that is stolen", "aws", "alternating", { store: "steals-pending" }],
    ["a place that is taken whoever holds it", "aws", "issuer", blind],
    ["a place that is taken whoever holds it", "gcp", "issuer", blind],
  ] as const;
  it.each<readonly [string, "aws" | "gcp", "alternating" | "issuer", Mutant]>(mutants)(
    "%s (%s, %s)",
    async (_, store, kind, mutant) => {
      const ids = mutant === baseless ? ["A", "B", "C"] : ["A", "B"];
      const options = mutant === blind ? { orphanAgeMs: 0 } : {};
      const schedule = { ids, preemptions: 2, options, until: isUnsafe };
      const explored = await explore(() => makeWorld(store, kind, mutant), schedule, afterAllEnded);
      expect(problemsOf(explored).filter(([problem]) => isUnsafe(problem))).not.toEqual([]);
    },
    isSlow ? 600_000 : 60_000,
  );
});

async function dieAt(world: World, id: string, at: number, done: boolean): Promise<void> {
  const crew = new Crew(world, [id], undefined);
  for (await crew.settle(); crew.ready().length > 0; await crew.settle()) {
    if (crew.calls(id) < at) crew.go(id);
    else crew.kill(id, { done });
  }
}

/** Answers four reads of ten with what was true some time before. */
function stale(random: () => number): (label: string, answer: unknown) => unknown {
  const history: unknown[] = [];
  return (label, answer) => {
    if (label !== "DescribeSecret" && label !== "GetSecret") return answer;
    history.push(answer);
    return random() < 0.4 ? history[Math.floor(random() * history.length)] : answer;
  };
}

/** Numbers from 0 to 1, the same in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
