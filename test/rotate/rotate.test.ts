/** The rotation of one credential, over a store in memory and a database with two users. */
import { createSecrets, type Secret, type SecretError, type SecretProvider } from "nopeek";
import { type RotateOptions, type RotationEvent, random, rotate } from "nopeek/rotate";
import { memory, valuesPrintedBy } from "nopeek/testing";
import { describe, expect, it, vi } from "vitest";
import { Database, firstDocument } from "../support/rotation.ts";
import { isSlow } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

const reference = "aws-sm://ml/db";
const dayMs = 86_400_000;

function world(wrap: (provider: SecretProvider) => SecretProvider = (provider) => provider) {
  const database = new Database();
  const first = firstDocument(database);
  const provider = wrap(memory({ [reference]: JSON.stringify(first) }));
  const from = createSecrets({ providers: [provider, memory({ "copy://one": "x" })] });
  const events: RotationEvent[] = [];
  const run = (more: Partial<RotateOptions> = {}) =>
    rotate({
      from,
      secret: reference,
      target: database.target(),
      overlapMs: dayMs,
      apply: true,
      onEvent: (event) => events.push(event),
      ...more,
    });
  const read = async (): Promise<typeof first> =>
    JSON.parse((await from.get(reference, { maxAgeMs: 0 })).reveal());
  const works = async () => {
    const { user, password } = await read();
    return database.accepts(user, password);
  };
  const { signal } = new AbortController();
  const stages = async () =>
    provider.stage?.stages(from.providerOf(reference) && parsed, { signal });
  return { database, first, from, run, read, works, events, stages };
}

const parsed = {
  scheme: "aws-sm",
  path: "ml/db",
  options: {},
  field: undefined,
  base: undefined,
  text: reference,
};

const failing = async (work: Promise<unknown>): Promise<SecretError> =>
  work.then(
    () => expect.fail("nothing was thrown"),
    (error) => error,
  );

describe("a plan", () => {
  it("changes nothing, and shows each step, the versions and who uses the old one", async () => {
    const { run, read, first, events } = world();
    const plan = await run({
      apply: false,
      usedBy: async () => ["running launch 7"],
      target: { ...new Database().target(), usedBy: async () => ["2 open sessions"] },
    });
    expect(plan).toMatchObject({
      outcome: "planned",
      strategy: "alternating",
      version: "1",
      usedBy: ["2 open sessions", "running launch 7"],
    });
    expect(plan.steps.map(({ step, text }) => `${step}: ${text}`)).toEqual([
      "test: test version 1, which is current, on database",
      "create: store a pending version beside 1",
      "set: have database accept it",
      "test: test it on database",
      "finish: make it current in the place of 1",
      "wait: 1 d of overlap, in a later run",
      "revoke: revoke version 1",
    ]);
    expect(await read()).toEqual(first);
    expect(events).toEqual([]);
  });

  it("says that not all users could be found", async () => {
    const { run } = world();
    const plan = await run({ apply: false, usedBy: () => Promise.reject(new Error("no")) });
    expect(plan.usedBy).toEqual(["(not all users could be found)"]);
  });
});

describe("what is due", () => {
  it("a second trigger is a no-op: by age, by the overlap, by the version", async () => {
    const { run, works, stages } = world();
    expect(await run({ minAgeMs: 30 * dayMs })).toMatchObject({ outcome: "rotated" });
    expect(await run({ minAgeMs: 30 * dayMs })).toMatchObject({ outcome: "fresh", why: "young" });
    expect(await run()).toMatchObject({ outcome: "fresh", why: "overlap" });
    expect(await run({ awayFrom: "1" })).toMatchObject({ outcome: "superseded" });
    expect((await stages())?.previous).toBe("1");
    expect(await works()).toBe(true);
  });

  it("other fields stay, the old value stays in the redactor, and no event holds a value", async () => {
    const { run, read, first, events } = world();
    const { createRedactor } = await import("nopeek/redact");
    const { onSecret } = await import("nopeek");
    using redactor = createRedactor();
    using _watch = onSecret((secret: Secret) => redactor.add(secret));
    await run({ name: "DB_PASSWORD" });
    const second = await read();
    expect(second.host).toBe(first.host);
    const text = redactor.redact(`${first.password} ${second.password}`);
    expect(text.includes(first.password) || text.includes(second.password)).toBe(false);
    expect(valuesPrintedBy(events, [first.password, second.password])).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual([
      "started",
      "tested",
      "created",
      "set",
      "tested",
      "promoted",
      "finished",
    ]);
  });

  it("a value that is a whole secret, and one that is a field", async () => {
    const value = randomToken();
    const from = createSecrets({
      providers: [
        memory({ "s://whole": value, "s://document": JSON.stringify({ key: value, n: 1 }) }),
      ],
    });
    const options = { from, overlapMs: 0, apply: true };
    await rotate({ ...options, target: random(), secret: "s://whole" });
    await rotate({ ...options, target: random(), secret: "s://document#key" });
    expect((await from.get("s://whole", { maxAgeMs: 0 })).reveal() === value).toBe(false);
    const document = JSON.parse((await from.get("s://document", { maxAgeMs: 0 })).reveal());
    expect([document.n, document.key === value]).toEqual([1, false]);
  });

  it("a stored value that is no document is named where a field of it is rotated", async () => {
    const from = createSecrets({ providers: [memory({ "s://whole": randomToken() })] });
    const options = { from, overlapMs: 0, apply: true, target: random() };
    const error = await failing(rotate({ ...options, secret: "s://whole#key" }));
    expect([error.code, error.message]).toEqual([
      "SECRET_MALFORMED",
      expect.stringMatching(/^s:\/\/whole#key: a field was asked for, .*; leave the field out, or/),
    ]);
    // Control: as a whole.
    expect(await rotate({ ...options, secret: "s://whole" })).toMatchObject({ outcome: "rotated" });
  });

  it("a mask is never stored", async () => {
    const { Secret: NewSecret } = await import("nopeek");
    const { run, read, first } = world();
    const target = {
      ...new Database().target(),
      works: async () => true,
      propose: async () => ({ id: "app_b", secret: new NewSecret("[REDACTED:DB_PASSWORD]") }),
    };
    expect((await failing(run({ target }))).code).toBe("SECRET_MASKED");
    expect(await read()).toEqual(first);
  });
});

/** What goes wrong, and what is left: each row is a line of the documentation. */
describe("what can go wrong", () => {
  it("the test fails: everything is as it was (17), and the next run rotates", async () => {
    const { database, run, read, first, stages, events } = world();
    database.faults.set("set", function ignored() {});
    const error = await failing(run());
    expect(error.code).toBe("ROTATION_ROLLED_BACK");
    expect(error.message).toBe(
      `${reference}: the new credential of database does not work and was taken back; version 1 is current as before. Check the target's settings, and run this again`,
    );
    expect(await read()).toEqual(first);
    expect(await stages()).toMatchObject({ current: "1", pending: undefined });
    expect(events.at(-1)).toMatchObject({ type: "failed", code: "ROTATION_ROLLED_BACK" });
    database.faults.clear();
    expect(await run()).toMatchObject({ outcome: "rotated" });
  });

  it("the answer to a change is lost: the change is found by its test, and the rotation goes on", async () => {
    const { database, run, works } = world();
    database.faults.set("set", function lost() {
      throw new Error("connection lost");
    });
    expect(await run()).toMatchObject({ outcome: "rotated" });
    expect(await works()).toBe(true);
  });

  it("the target cannot be reached in the middle: 18, and the next run ends it with the same value", async () => {
    const { database, run, works, stages, read } = world();
    database.faults.set("set", () => {
      throw new Error("no route");
    });
    const error = await failing(run());
    expect(error.code).toBe("ROTATION_INCOMPLETE");
    expect(error.message).toContain(
      "version 1 is current as before, and a new one is not finished; run this again: database could not set a credential",
    );
    const pending = (await stages())?.pending;
    expect(pending).toBeDefined();
    expect(await works()).toBe(true);
    database.faults.clear();
    expect(await run({ minAgeMs: dayMs })).toMatchObject({ outcome: "rotated", version: pending });
    expect((await read()).user).toBe("app_b");
    expect(await works()).toBe(true);
  });

  it("the store asks for fewer calls: before anything is changed it is the store's own error, later 18", async () => {
    const { SecretError: NewError } = await import("nopeek");
    for (const [operation, code] of [
      ["stages", "SECRET_THROTTLED"],
      ["add", "ROTATION_INCOMPLETE"],
      ["claim", "ROTATION_INCOMPLETE"],
      ["promote", "ROTATION_INCOMPLETE"],
      ["finish", "ROTATION_INCOMPLETE"],
    ] as const) {
      let isThrottled = true;
      const { run, works, stages } = world((provider) => {
        const { stage } = provider;
        if (stage === undefined) return provider;
        const calls = new Proxy(stage, {
          get: (target, name: keyof typeof stage) =>
            name === operation && isThrottled
              ? () => Promise.reject(new NewError("SECRET_THROTTLED", `${reference} was throttled`))
              : (target[name] as (...args: unknown[]) => unknown).bind(target),
        });
        return { ...provider, stage: calls };
      });
      const error = await failing(run());
      expect([operation, error.code]).toEqual([operation, code]);
      expect(await works()).toBe(true);
      isThrottled = false;
      // Throttled before the store has said anything: there is nothing to go on with.
      await run();
      expect(await works()).toBe(true);
      expect((await stages())?.pending).toBeUndefined();
    }
  });

  it("the old one cannot be revoked: 18, and the next run revokes it", async () => {
    const { database, run, works, first } = world();
    database.faults.set("revoke", () => {
      throw new Error(`no: ${first.password}`);
    });
    const error = await failing(run({ leaked: true }));
    expect(error.code).toBe("ROTATION_INCOMPLETE");
    expect(error.message).toBe(
      `${reference}: the new credential is current and works, but version 1, which leaked, still works; run this again: database could not revoke a credential`,
    );
    expect(valuesPrintedBy(error, [first.password])).toEqual([]);
    expect([await works(), database.accepts(first.user, first.password)]).toEqual([true, true]);
    database.faults.clear();
    expect(await run({ leaked: true, awayFrom: "1" })).toMatchObject({ outcome: "ended" });
    expect([await works(), database.accepts(first.user, first.password)]).toEqual([true, false]);
  });

  it("a copy cannot be updated: 18, the old one is not revoked, and the next run updates it", async () => {
    const { database, run, works, first, from } = world();
    const unwritable = await failing(run({ publish: ["copy://one"] }));
    expect(unwritable.code).toBe("SECRET_NOT_WRITABLE");
    const { SecretError: NewError } = await import("nopeek");
    let stored: string | undefined;
    const link: { isDown: boolean } = { isDown: true };
    const copies: SecretProvider = {
      name: "copies",
      schemes: ["copies"],
      ownFields: ["copies"],
      capabilities: ["read", "write"],
      read: async () => [stored === undefined ? null : { value: stored }],
      write: async (_, change) => {
        if (link.isDown) throw new NewError("SECRET_UNREACHABLE", "copies://job cannot be reached");
        stored = "fields" in change ? (change.fields["PASSWORD"] ?? undefined) : undefined;
        return {};
      },
    };
    const both = createSecrets({ providers: [from.providerOf(reference), copies] });
    const options = { from: both, publish: ["copies://job#PASSWORD"], leaked: true };
    const error = await failing(run(options));
    expect(error.code).toBe("ROTATION_INCOMPLETE");
    expect(error.message).toContain(
      "so the old one is not revoked; run it again when this is repaired: copies://job cannot be reached",
    );
    expect([await works(), database.accepts(first.user, first.password)]).toEqual([true, true]);
    link.isDown = false;
    const ended = await run({ ...options, awayFrom: "1" });
    expect(ended.outcome).toBe("ended");
    expect(database.accepts("app_b", stored ?? "")).toBe(true);
    expect(database.accepts(first.user, first.password)).toBe(false);
  });

  it("the current credential does not work: refused, nothing changed, and repair goes on", async () => {
    const { database, run, works, stages } = world();
    database.passwords.clear();
    const error = await failing(run());
    expect(error.code).toBe("ROTATION_REFUSED");
    expect(error.message).toContain("so this may be the wrong target");
    expect(await stages()).toMatchObject({ current: "1", pending: undefined });
    expect(await run({ repair: true })).toMatchObject({ outcome: "rotated" });
    expect(await works()).toBe(true);
  });

  it("what is current is never revoked, also when it does not work any more", async () => {
    const { database, run, read, first } = world();
    await run();
    const second = await read();
    database.passwords.delete(second.user);
    const error = await failing(run({ minAgeMs: dayMs, overlapMs: 0 }));
    expect(error.code).toBe("ROTATION_INCOMPLETE");
    expect(error.message).toContain("is current and does not work, so version 1 is not revoked");
    expect(database.accepts(first.user, first.password)).toBe(true);
  });

  it.each<readonly [string, Partial<RotateOptions>, string]>([
    ["a negative overlap", { overlapMs: -1 }, "DECLARATION_INVALID"],
    ["no overlap", { overlapMs: undefined as unknown as number }, "DECLARATION_INVALID"],
    ["a pointer", { secret: `${reference}#/a/b` }, "DECLARATION_INVALID"],
    ["one field of several", { secret: `${reference}#password` }, "DECLARATION_INVALID"],
    ["a store nobody knows", { secret: "none://x" }, "SCHEME_UNKNOWN"],
    ["a missing secret", { secret: "aws-sm://none" }, "SECRET_NOT_FOUND"],
  ])("%s is refused", async (_, options, code) => {
    const { run } = world();
    expect((await failing(run(options))).code).toBe(code);
  });
});

it("consumers that read all the time never get a credential that does not work", async () => {
  const { database, run, read } = world();
  const state: { isOver: boolean; logins: number; refused: number } = {
    isOver: false,
    logins: 0,
    refused: 0,
  };
  // Whoever else is there gets a turn in the middle of each rotation.
  database.faults.set("works", () => new Promise((turn) => setImmediate(turn)));
  const consumer = (async () => {
    while (!state.isOver) {
      const { user, password } = await read();
      state.logins += 1;
      if (!database.accepts(user, password)) state.refused += 1;
      await new Promise((turn) => setImmediate(turn));
    }
  })();
  let nowMs = Date.now();
  vi.spyOn(Date, "now").mockImplementation(() => nowMs);
  for (let round = 0; round < (isSlow ? 10_000 : 1_000); round += 1) {
    const held = await read();
    expect((await run()).outcome).toBe("rotated");
    // A job that started before goes on until the overlap is over.
    if (!database.accepts(held.user, held.password)) state.refused += 1;
    nowMs += dayMs;
  }
  state.isOver = true;
  await consumer;
  expect(state.refused).toBe(0);
  expect(state.logins).toBeGreaterThan(500);
  // Control: without an overlap a job that holds the old one is refused.
  const held = await read();
  await run({ overlapMs: 0 });
  expect(database.accepts(held.user, held.password)).toBe(false);
}, 120_000);
