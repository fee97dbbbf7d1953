/** Targets that answer with what they may not: an error that says which function, and no value. */
import { Secret, type SecretError } from "nopeek";
import { type Credential, type RotationTarget, randomValue } from "nopeek/rotate";
import { valuesPrintedBy } from "nopeek/testing";
import { describe, expect, it } from "vitest";
import { hub, hubStores } from "../support/rotation.ts";

const failing = async (work: Promise<unknown>): Promise<SecretError> =>
  work.then(
    () => expect.fail("nothing was thrown"),
    (error) => error,
  );

/** A function that answers with anything. */
const answering = (answer: (current: Credential | null) => unknown) =>
  (async (current: Credential | null) => answer(current)) as never;

describe.each(hubStores)("over %s", (_, hasVersions) => {
  it.each([
    ["the stored value", (current: Credential | null) => current],
    [
      "the stored value in a new object",
      (current: Credential | null) => ({
        id: "other",
        secret: new Secret(current?.secret.reveal() ?? ""),
      }),
    ],
  ])("a target that proposes %s is refused, and nothing was changed", async (_, propose) => {
    const { run, accepted, first, stored } = hub(hasVersions);
    const changes = { propose: answering(propose) };
    for (const leaked of [true, false]) {
      const error = await failing(run(changes, { leaked }));
      expect(error.code).toBe("ROTATION_REFUSED");
      expect(error.message).toBe(
        "s://key: hub proposes the value that is stored already; have it make a new one",
      );
      expect([[...accepted], await stored()]).toEqual([[first], first]);
    }
    // Control: it makes a new one.
    expect(await run({}, { leaked: true })).toMatchObject({ outcome: "rotated" });
    expect(accepted.has(first)).toBe(false);
  });

  const value = randomValue();
  const credential =
    /^propose of the target hub returned something else than a credential, \{ secret/;
  it.each<readonly [string, keyof RotationTarget, unknown, RegExp]>([
    ["nothing", "propose", undefined, credential],
    ["null", "propose", null, credential],
    ["the value itself", "propose", value, credential],
    ["a secret alone", "propose", new Secret(value), credential],
    ["no secret", "propose", { id: value }, credential],
    ["a secret of text", "propose", { secret: value }, credential],
    ["an id that is no text", "propose", { id: 7, secret: new Secret(value) }, credential],
    ["nothing", "works", undefined, /^works of the target hub returned .* true or false/],
    ["text", "works", value, /^works of the target hub returned .* true or false/],
  ])("%s as an answer of `%s` has a code", async (_, method, answer, message) => {
    const { run, accepted, first, stored } = hub(hasVersions);
    const error = await failing(run({ [method]: answering(() => answer) }));
    expect([error.code, error.message]).toEqual([
      "DECLARATION_INVALID",
      expect.stringMatching(message),
    ]);
    expect(valuesPrintedBy(error, [value, first])).toEqual([]);
    expect([[...accepted], await stored()]).toEqual([[first], first]);
    // Control: right answers.
    expect(await run()).toMatchObject({ outcome: "rotated" });
  });
});

it.each<readonly [string, unknown]>([
  ["nothing", undefined],
  ["text", "key-1"],
  ["keys without an id", [{ createdAtMs: 1 }]],
  ["a time that is none", [{ id: "key-1", createdAtMs: Number.NaN }]],
  ["a date", [{ id: "key-1", createdAtMs: new Date() }]],
])("%s as an answer of `list` has a code, and revokes nothing", async (_, listed) => {
  const { run, accepted, first, stored } = hub(true);
  const error = await failing(run({ list: answering(() => listed) }));
  expect(error.code).toBe("DECLARATION_INVALID");
  expect(error.message).toMatch(/^list of the target hub returned something else than a list/);
  expect([[...accepted], await stored()]).toEqual([[first], first]);
  // Control: a list, and keys that work at once.
  const propose = async () => {
    const secret = new Secret(randomValue());
    accepted.add(secret.reveal());
    return { secret };
  };
  expect(await run({ propose, list: async () => [] })).toMatchObject({ outcome: "rotated" });
});
