import { createSecrets, type ReadOutcome, Secret, SecretError, type SecretProvider } from "nopeek";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const stored = { value };
const failing = (code: ConstructorParameters<typeof SecretError>[0]) =>
  new SecretError(code, "it failed");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => void vi.useRealTimers());

/** A store whose next answers are given one by one; the last one repeats. */
function store(...answers: (ReadOutcome | Promise<ReadOutcome>)[]) {
  const state = { calls: 0, answers };
  const warnings: string[] = [];
  const provider: SecretProvider = {
    name: "store",
    schemes: ["s"],
    capabilities: ["read"],
    read: async (references) => {
      const answer = state.answers[Math.min(state.calls, state.answers.length - 1)] ?? null;
      state.calls++;
      return Promise.all(references.map(() => answer));
    },
  };
  const secrets = createSecrets({
    providers: [provider],
    onWarning: (text) => void warnings.push(text),
  });
  return { secrets, state, warnings };
}

const settle = () => new Promise<void>((done) => setImmediate(done));
const minutes = (count: number) => vi.advanceTimersByTime(count * 60_000);

it("reads once while the value is fresh, and again later", async () => {
  const { secrets, state } = store(stored);
  for (let i = 0; i < 5; i++) expect((await secrets.get("s://a")).reveal()).toBe(value);
  minutes(4);
  await secrets.get("s://a");
  expect(state.calls).toBe(1);
  minutes(10);
  await secrets.get("s://a");
  expect(state.calls).toBe(2);
});

it("gives the same secret while it is warm, but none that was disposed", async () => {
  const { secrets } = store(stored);
  const first = await secrets.get("s://a", { name: "A" });
  expect(await secrets.get("s://a", { name: "A" })).toBe(first);
  expect((await secrets.get("s://a", { name: "B" })).name).toBe("B");
  first[Symbol.dispose]();
  expect((await secrets.get("s://a", { name: "A" })).reveal()).toBe(value);
});

it("gives a value once more while it is read anew", async () => {
  const next = randomToken();
  const { secrets, state } = store(stored, { value: next });
  await secrets.get("s://a");
  vi.advanceTimersByTime(5.6 * 60_000);
  expect((await secrets.get("s://a")).reveal()).toBe(value);
  await settle();
  expect((await secrets.get("s://a")).reveal()).toBe(next);
  expect(state.calls).toBe(2);
});

it.each(["SECRET_UNREACHABLE", "SECRET_THROTTLED"] as const)(
  "outlives %s for a while, and says so",
  async (code) => {
    const { secrets, warnings } = store(stored, failing(code));
    await secrets.get("s://a");
    minutes(14);
    expect((await secrets.get("s://a")).reveal()).toBe(value);
    expect(warnings).toEqual(["s://a: it failed; using the value that was read 840 s ago"]);
    await expect(secrets.get("s://a", { maxAgeMs: 1000 })).rejects.toMatchObject({ code });
    minutes(2);
    await expect(secrets.get("s://a")).rejects.toMatchObject({ code });
  },
);

it.each(["SECRET_ACCESS_DENIED", "SECRET_UNAUTHENTICATED", "SECRET_DISABLED"] as const)(
  "ends with %s at once",
  async (code) => {
    const { secrets, state } = store(stored, failing(code), failing("SECRET_UNREACHABLE"));
    await secrets.get("s://a");
    minutes(8);
    await expect(secrets.get("s://a")).rejects.toMatchObject({ code });
    await expect(secrets.get("s://a")).rejects.toMatchObject({ code: "SECRET_UNREACHABLE" });
    expect(state.calls).toBe(3);
  },
);

it("ends when the secret vanishes, also behind a stale answer", async () => {
  const { secrets } = store(stored, null);
  await secrets.get("s://a");
  vi.advanceTimersByTime(5.6 * 60_000);
  expect(await secrets.find("s://a")).not.toBeNull();
  await settle();
  expect(await secrets.find("s://a")).toBeNull();
});

it("believes for two seconds that a secret does not exist, and no error at all", async () => {
  const { secrets, state } = store(null, stored);
  expect(await secrets.find("s://a")).toBeNull();
  expect(await secrets.find("s://a")).toBeNull();
  expect(state.calls).toBe(1);
  vi.advanceTimersByTime(2100);
  expect(await secrets.find("s://a")).not.toBeNull();
  const broken = store(failing("SECRET_UNREACHABLE"), stored);
  await expect(broken.secrets.get("s://a")).rejects.toThrow();
  expect((await broken.secrets.get("s://a")).reveal()).toBe(value);
});

it("asks the store for what must not be older", async () => {
  const { secrets, state } = store(stored);
  await secrets.get("s://a");
  vi.advanceTimersByTime(1000);
  await secrets.get("s://a", { maxAgeMs: 5000 });
  expect(state.calls).toBe(1);
  await secrets.get("s://a", { maxAgeMs: 500 });
  await secrets.get("s://a", { maxAgeMs: 0 });
  expect(state.calls).toBeGreaterThanOrEqual(2);
});

it("lets an invalidation win over a read that is under way", async () => {
  let answer: (outcome: ReadOutcome) => void = () => undefined;
  const next = randomToken();
  const { secrets } = store(
    new Promise<ReadOutcome>((done) => {
      answer = done;
    }),
    { value: next },
  );
  const old = secrets.get("s://a");
  await settle();
  secrets.invalidate("s://a");
  answer(stored);
  expect((await old).reveal()).toBe(value);
  expect((await secrets.get("s://a")).reveal()).toBe(next);
});

it("shares no read that began before an invalidation, a write or the asked age", async () => {
  const answers: ((outcome: ReadOutcome) => void)[] = [];
  const provider: SecretProvider = {
    name: "slow",
    schemes: ["s"],
    capabilities: ["read", "write"],
    read: () => new Promise((done) => answers.push((outcome) => done([outcome]))),
    write: async () => ({}),
  };
  for (const overtake of ["put", "invalidate", "maxAgeMs"]) {
    answers.length = 0;
    const secrets = createSecrets({ providers: [provider] });
    const next = randomToken();
    const old = secrets.get("s://a");
    await settle();
    vi.advanceTimersByTime(10);
    if (overtake === "put") await secrets.put("s://a", new Secret(next));
    if (overtake === "invalidate") secrets.invalidate();
    const fresh = secrets.get("s://a", overtake === "maxAgeMs" ? { maxAgeMs: 0 } : {});
    await settle();
    expect(answers).toHaveLength(2);
    answers[1]?.({ value: next });
    expect((await fresh).reveal()).toBe(next);
    // The old answer comes last, and is given to who asked for it, and kept by nobody.
    answers[0]?.(stored);
    expect((await old).reveal()).toBe(value);
    expect((await secrets.get("s://a")).reveal()).toBe(next);
  }
});

it("gives nothing warm once the store refused, forgot or changed the secret", async () => {
  for (const answer of [failing("SECRET_ACCESS_DENIED"), null, { value: randomToken() }]) {
    const { secrets } = store(stored, answer);
    await secrets.get("s://a", { name: "A" });
    await secrets.find("s://a", { maxAgeMs: -1 }).catch(() => undefined);
    const again = await secrets.get("s://a", { name: "A" }).then(
      (secret) => secret.reveal(),
      () => "refused",
    );
    expect(again).toBe(answer !== null && "value" in answer ? answer.value : "refused");
  }
});

it("gives nothing after it was closed, also to who asked before", async () => {
  const { secrets } = store(stored);
  await secrets.get("s://a");
  const asked = secrets.get("s://a", { name: "B" }).catch(() => undefined);
  await secrets.close();
  await asked;
  for (const name of [undefined, "B"]) {
    await expect(secrets.get("s://a", { name })).rejects.toMatchObject({ code: "SECRET_ABORTED" });
  }
});

it("forgets every spelling of a secret that is written", async () => {
  const next = randomToken();
  let current = value;
  const provider: SecretProvider = {
    name: "p",
    schemes: ["s"],
    capabilities: ["read", "write"],
    read: async (all) => all.map(() => ({ value: JSON.stringify({ k: current }) })),
    write: async () => {
      current = next;
      return {};
    },
  };
  const secrets = createSecrets({ providers: [provider] });
  const spellings = ["s://a#k", "s://a?stage=x#k", "s://a#/k"];
  for (const each of spellings) await secrets.get(each);
  await secrets.put("s://a#k", new Secret(next));
  for (const each of spellings) expect((await secrets.get(each)).reveal()).toBe(next);
});

it("refuses times that are none", () => {
  for (const ttlMs of [Number.NaN, -1, "5" as never]) {
    const provider = { name: "p", schemes: ["s"], capabilities: [] } satisfies SecretProvider;
    expect(() => createSecrets({ providers: [provider], cache: { ttlMs } })).toThrow("cache.ttlMs");
  }
});

it("reads each time where it is told to, or the provider is local", async () => {
  const provider = (local: boolean): [SecretProvider, { calls: number }] => {
    const state = { calls: 0 };
    return [
      {
        name: "p",
        schemes: ["s"],
        capabilities: ["read"],
        local,
        read: async (all) => {
          state.calls++;
          return all.map(() => stored);
        },
      },
      state,
    ];
  };
  for (const local of [true, false]) {
    const [store, state] = provider(local);
    const secrets = createSecrets({ providers: [store], ...(local ? {} : { cache: false }) });
    await secrets.get("s://a");
    await secrets.get("s://a");
    expect(state.calls).toBe(2);
  }
});

it("serves a hundred concurrent readers with one call, and fields of one document with one", async () => {
  const { secrets, state } = store({ value: JSON.stringify({ a: value, b: value }) });
  await Promise.all(
    Array.from({ length: 100 }, (_, i) => secrets.get(i % 2 ? "s://doc#a" : "s://doc#b")),
  );
  expect(state.calls).toBe(1);
});

it("warns of nothing when many wait at once", async () => {
  const warnings: unknown[] = [];
  const listen = (warning: unknown) => void warnings.push(warning);
  process.on("warning", listen);
  const { secrets } = store(stored);
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 50 }, (_, i) => secrets.get(`s://${i}`, { signal })));
  await settle();
  process.off("warning", listen);
  expect(warnings).toEqual([]);
});

it("control: a new secret is a new one", () => {
  expect(new Secret(value)).not.toBe(new Secret(value));
});
