import { inspect } from "node:util";
import {
  createSecrets,
  defineSecrets,
  type ReadOutcome,
  type Secret,
  SecretError,
  type SecretProvider,
} from "nopeek";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { randomToken } from "../support/values.ts";

type Answers = Record<string, ReadOutcome | string>;

/** A provider that answers from a table and counts its calls. */
function table(answers: Answers, scheme = "t") {
  const calls: string[][] = [];
  const provider: SecretProvider = {
    name: "table",
    schemes: [scheme],
    capabilities: ["read"],
    read: async (references) => {
      calls.push(references.map(({ path }) => path));
      return references.map(({ path }) => {
        const answer = answers[path] ?? null;
        return typeof answer === "string" ? { value: answer } : answer;
      });
    },
  };
  return { provider, calls };
}

const value = randomToken();
const denied = new SecretError("SECRET_ACCESS_DENIED", "no permission");
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "resolved",
    (error: unknown) => (error instanceof SecretError ? error.code : error),
  );

describe("get and find", () => {
  const secrets = createSecrets({
    providers: [
      table({
        a: value,
        json: JSON.stringify({ k: value, n: 5, b: true, o: {}, z: null, deep: { x: [value] } }),
        text: "no json",
        denied,
      }).provider,
    ],
  });

  it("give the secret, null or an error", async () => {
    expect((await secrets.get("t://a", { name: "A" })).reveal()).toBe(value);
    expect(await secrets.find("t://none")).toBeNull();
    expect(await codeOf(secrets.get("t://none"))).toBe("SECRET_NOT_FOUND");
    expect(await codeOf(secrets.find("t://denied"))).toBe("SECRET_ACCESS_DENIED");
    expect(await codeOf(secrets.get("x://a"))).toBe("SCHEME_UNKNOWN");
  });

  it("select a field of a JSON document", async () => {
    expect((await secrets.get("t://json#k")).reveal()).toBe(value);
    expect((await secrets.get("t://json#/deep/x/0")).reveal()).toBe(value);
    expect(await secrets.find("t://json#z")).toBeNull();
    expect(await secrets.find("t://json#toString")).toBeNull();
    for (const field of ["n", "b", "o"]) {
      expect(await codeOf(secrets.get(`t://json#${field}`))).toBe("SECRET_FIELD_INVALID");
    }
    expect(await codeOf(secrets.get("t://text#k"))).toBe("SECRET_MALFORMED");
  });

  it("name the reference whose field cannot be selected, and what to do", async () => {
    const message = async (reference: string) =>
      secrets.get(reference).catch(({ message: text }: Error) => text);
    expect(await message("t://text#k")).toBe(
      "t://text#k: a field was asked for, but the stored value is no JSON object; leave the field out, or store a JSON object with it",
    );
    expect(await message("t://json#n")).toMatch(/^t:\/\/json#n: the field holds a number/);
  });
});

describe("calls of a provider", () => {
  it("are shared: one for the reads of a turn, one read for equal references", async () => {
    const { provider, calls } = table({ a: value, b: value });
    const secrets = createSecrets({ providers: [provider] });
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => secrets.get(i % 2 ? "t://a" : "t://b")),
    );
    expect(calls).toEqual([["b", "a"]]);
  });

  it("are not ended by one caller that gives up", async () => {
    let answer: (outcome: ReadOutcome[]) => void = () => undefined;
    const provider: SecretProvider = {
      name: "slow",
      schemes: ["t"],
      capabilities: ["read"],
      read: () =>
        new Promise((settle) => {
          answer = settle;
        }),
    };
    const secrets = createSecrets({ providers: [provider] });
    const stop = new AbortController();
    const gaveUp = codeOf(secrets.get("t://a", { signal: stop.signal }));
    const waits = secrets.get("t://a");
    await Promise.resolve();
    stop.abort();
    expect(await gaveUp).toBe("SECRET_ABORTED");
    answer([{ value }]);
    expect((await waits).reveal()).toBe(value);
  });

  it("that throw or answer wrongly are errors without a value", async () => {
    const throwing = (thrown: unknown): SecretProvider => ({
      name: "bad",
      schemes: ["t"],
      capabilities: ["read"],
      read: () => Promise.reject(thrown),
    });
    for (const provider of [
      throwing(new Error(value)),
      throwing(value),
      { ...throwing(0), read: async () => [] },
    ]) {
      const error: unknown = await createSecrets({ providers: [provider] })
        .get("t://a")
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "SECRET_UNREACHABLE" });
      expect(inspect(error, { showHidden: true, depth: null })).not.toContain(value);
    }
  });

  it("need the capability", async () => {
    const provider: SecretProvider = { name: "names", schemes: ["t"], capabilities: [] };
    expect(await codeOf(createSecrets({ providers: [provider] }).get("t://a"))).toBe(
      "SECRET_NOT_READABLE",
    );
  });

  it("end when the resolver is closed", async () => {
    const secrets = createSecrets({ providers: [table({ a: value }).provider] });
    await secrets.close();
    expect(await codeOf(secrets.get("t://a"))).toBe("SECRET_ABORTED");
  });

  it("go to one provider a scheme", () => {
    const both = [table({}).provider, table({}).provider];
    expect(() => createSecrets({ providers: both })).toThrow("two providers serve t://");
  });
});

describe("load", () => {
  it("gives a typed record", async () => {
    const secrets = createSecrets({ providers: [table({ a: value }).provider] });
    const loaded = await secrets.load(
      defineSecrets({
        A: { from: "t://a", schema: z.string().startsWith("tok_") },
        B: { from: ["t://none", "t://a"] },
        C: { from: "t://none", optional: true },
      }),
    );
    expect([loaded.A.reveal(), loaded.B.name, loaded.C]).toEqual([value, "B", null]);
  });

  it("reports every failure at once, with no value in it", async () => {
    const { provider } = table({
      a: value,
      denied,
      mask: "x[REDACTED:A]x",
      weak: "us-east-1",
      num: '{"n":12345678901}',
    });
    const secrets = createSecrets({ providers: [provider], environment: "training" });
    const declared = defineSecrets({
      MISSING: "t://none",
      DENIED: { from: ["t://denied", "t://a"] },
      SCHEMA: { from: "t://a", schema: z.string().max(3) },
      MASK: "t://mask",
      WEAK: "t://weak",
      OTHER: { from: "t://a", environment: "production" },
      NUMBER: "t://num#n",
      SCHEME: "vault://a",
      FINE: "t://a",
    });
    const error = (await secrets.load(declared).catch((thrown: unknown) => thrown)) as SecretError;
    expect(error.code).toBe("SECRETS_UNRESOLVED");
    expect(error.failures.map(({ name, code }) => [name, code])).toEqual([
      ["MISSING", "SECRET_NOT_FOUND"],
      ["DENIED", "SECRET_ACCESS_DENIED"],
      ["SCHEMA", "SECRET_INVALID"],
      ["MASK", "SECRET_MASKED"],
      ["WEAK", "SECRET_WEAK"],
      ["OTHER", "ENVIRONMENT_REFUSED"],
      ["NUMBER", "SECRET_FIELD_INVALID"],
      ["SCHEME", "SCHEME_UNKNOWN"],
    ]);
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain(value);
  });

  it("refuses an environment also when the resolver has none", async () => {
    const secrets = createSecrets({ providers: [table({ a: value }).provider] });
    const declared = defineSecrets({ A: { from: "t://a", environment: "production" } });
    expect(await codeOf(secrets.load(declared))).toBe("ENVIRONMENT_REFUSED");
  });

  it("accepts weak values and numbers where the declaration says so", async () => {
    const secrets = createSecrets({
      providers: [table({ weak: "us-east-1", num: '{"n":12345}' }).provider],
    });
    const loaded = await secrets.load(
      defineSecrets({
        WEAK: { from: "t://weak", allowWeak: true },
        NUMBER: { from: "t://num#n", coerce: true, allowWeak: true },
      }),
    );
    expect([loaded.WEAK.reveal(), loaded.NUMBER.reveal()]).toEqual(["us-east-1", "12345"]);
  });

  it("takes the text that a schema gives back", async () => {
    const secrets = createSecrets({ providers: [table({ padded: ` ${value}\n` }).provider] });
    const loaded = await secrets.load(
      defineSecrets({ A: { from: "t://padded", schema: z.string().trim() } }),
    );
    expect(loaded.A.reveal()).toBe(value);
  });
});

it("tells observers before the caller", async () => {
  const order: string[] = [];
  const observers = [(secret: Secret) => void order.push(`observer ${secret.name}`)];
  const secrets = createSecrets({ providers: [table({ a: value }).provider], observers });
  await secrets.get("t://a", { name: "A" }).then(() => order.push("caller"));
  expect(order).toEqual(["observer A", "caller"]);
});

it.each([
  [{ "1A": "t://a" }, '"1A" cannot be'],
  [{ NOPEEK_X: "t://a" }, "nopeek's own"],
  [{ A: { from: "t://a", optinal: true } }, "unknown option"],
  [{ A: { from: [] } }, "`from` must be"],
  [{ A: { from: "t://a", as: "stdin" } }, "`as` must be"],
  [{ A: 5 }, "declare it with a reference"],
])("refuses the declaration %j", (input, message) => {
  expect(() => defineSecrets(input as unknown as Record<string, string>)).toThrow(message);
});
