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
