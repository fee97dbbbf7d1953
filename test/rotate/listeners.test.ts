/** Functions of the caller's that a rotation calls beside its work: they must not break it. */
import { createSecrets, Secret, SecretError, type SecretProvider } from "nopeek";
import {
  type Credential,
  type RotateOptions,
  type RotationEvent,
  type RotationTarget,
  randomValue,
  rotate,
} from "nopeek/rotate";
import { memory } from "nopeek/testing";
import { describe, expect, it, vi } from "vitest";
import { randomToken } from "../support/values.ts";

const reference = "s://key";
const unknownUsers = "(not all users could be found)";

/** A store without versions. */
function oneValue(value: string): SecretProvider {
  const stored = { value };
  return {
    name: "one value",
    schemes: ["s"],
    capabilities: ["read", "write"],
    read: async (references) => references.map(() => ({ ...stored })),
    async write(_, change) {
      if ("value" in change) stored.value = String(change.value);
      return {};
    },
  };
}

/** An issuer, and its key in a store with versions or in one without. */
function world(hasVersions: boolean) {
  const first = randomToken();
  const accepted = new Set([first]);
  const from = createSecrets({
    providers: [hasVersions ? memory({ [reference]: first }) : oneValue(first)],
  });
  const target: RotationTarget = {
    name: "hub",
    strategy: "issuer",
    propose: async () => ({ secret: new Secret(randomValue()) }),
    set: async ({ secret }) => void accepted.add(secret.reveal()),
    works: async ({ secret }) => accepted.has(secret.reveal()),
    revoke: async ({ secret }) => void accepted.delete(secret?.reveal() ?? ""),
  };
  const run = (changes: Partial<RotationTarget> = {}, more: Partial<RotateOptions> = {}) =>
    rotate({
      ...{ from, secret: reference, target: { ...target, ...changes } },
      ...{ overlapMs: 0, apply: true, ...more },
    });
  const stored = async () => (await from.get(reference, { maxAgeMs: 0 })).reveal();
  return { first, accepted, run, stored };
}

const kinds = [
  ["a store with versions", true],
  ["a store of one value", false],
] as const;

describe.each(kinds)("who uses a credential, over %s", (_, hasVersions) => {
  it.each<readonly [string, (value: string) => unknown]>([
    [
      "throws at once",
      (value) => {
        throw new Error(`no such user: ${value}`);
      },
    ],
    ["answers with no list", async (value) => value],
    ["answers with a list of anything", async (value) => [{ value }]],
  ])("is not known where `usedBy` %s; the old one is revoked all the same", async (_, answer) => {
    const { run, first, accepted, stored } = world(hasVersions);
    const broken = ((credential: Credential) => answer(credential.secret.reveal())) as NonNullable<
      RotateOptions["usedBy"]
    >;
    const plans = [
      await run({ usedBy: broken }, { apply: false }),
      await run({}, { apply: false, usedBy: broken }),
    ];
    expect(plans.map((plan) => plan.usedBy)).toEqual([[unknownUsers], [unknownUsers]]);
    // The other one that is asked is heard.
    const others = { usedBy: async () => ["launch 7"] };
    expect(await run({ usedBy: broken }, others)).toMatchObject({
      outcome: "rotated",
      usedBy: [unknownUsers, "launch 7"],
    });
    expect([accepted.has(first), [...accepted]]).toEqual([false, [await stored()]]);
  });
});

describe.each(kinds)("a listener of events, over %s", (_, hasVersions) => {
  it.each([
    ["throws", false],
    ["throws later", true],
  ])("that %s at every event breaks nothing, and is warned of", async (_, isLater) => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { run, first, accepted, stored } = world(hasVersions);
    const heard: string[] = [];
    const onEvent = ({ type }: RotationEvent): unknown => {
      heard.push(type);
      const error = new Error(`cannot record ${first}`);
      if (isLater) return Promise.reject(error);
      throw error;
    };
    expect(await run({}, { onEvent })).toMatchObject({ outcome: "rotated" });
    expect([...accepted]).toEqual([await stored()]);
    expect(heard).toEqual(expect.arrayContaining(["started", "set", "finished", "revoked"]));
    const warning = "nopeek: a listener of a rotation threw an error, which was ignored";
    expect(warned.mock.calls).toEqual(heard.map(() => [warning]));
    // Also that of the end: the error is the rotation's own.
    const works = () => Promise.reject(new SecretError("SECRET_THROTTLED", "later"));
    await expect(run({ works }, { onEvent })).rejects.toMatchObject({ code: "SECRET_THROTTLED" });
    expect(heard.at(-1)).toBe("failed");
    // Control: one that does not throw.
    warned.mockClear();
    expect(await run({}, { onEvent: () => undefined })).toMatchObject({ outcome: "rotated" });
    expect(warned).not.toHaveBeenCalled();
  });
});
