/** Functions of the caller's that a rotation calls beside its work: they must not break it. */
import { SecretError } from "nopeek";
import type { Credential, RotateOptions, RotationEvent } from "nopeek/rotate";
import { describe, expect, it, vi } from "vitest";
import { hub, hubStores } from "../support/rotation.ts";

const unknownUsers = "(not all users could be found)";

describe.each(hubStores)("who uses a credential, over %s", (_, hasVersions) => {
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
    const { run, first, accepted, stored } = hub(hasVersions);
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

describe.each(hubStores)("a listener of events, over %s", (_, hasVersions) => {
  it.each([
    ["throws", false],
    ["throws later", true],
  ])("that %s at every event breaks nothing, and is warned of", async (_, isLater) => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { run, first, accepted, stored } = hub(hasVersions);
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
