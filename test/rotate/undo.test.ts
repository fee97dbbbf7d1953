/** What is put back when a rotation of a store with one value goes wrong after the change. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecrets, Secret, SecretError } from "nopeek";
import { env } from "nopeek/adapters/env";
import {
  command,
  type RotateOptions,
  type RotationTarget,
  randomValue,
  rotate,
} from "nopeek/rotate";
import { valuesPrintedBy } from "nopeek/testing";
import { describe, expect, it } from "vitest";
import { scratch } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

const failing = async (work: Promise<unknown>): Promise<SecretError> =>
  work.then(
    () => expect.fail("nothing was thrown"),
    (error) => error,
  );

/** A `set` that fails, and says so, from its second call on. */
const once = "test -e done && exit 1\ntouch done\ncat > accepted\n";

/** A dotenv file, and a target with one value that real programs change. */
function world() {
  const folder = scratch();
  const file = join(folder, ".env");
  const accepted = join(folder, "accepted");
  const first = randomToken();
  writeFileSync(file, `TOKEN=${first}\n`, { mode: 0o600 });
  writeFileSync(accepted, first);
  const program = (name: string, body: string): string[] => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\ncd "${folder}" || exit 9\n${body}`);
    chmodSync(path, 0o755);
    return [path];
  };
  const set = "cat > accepted\n";
  /** Its call of a number cannot tell, and if so all after it. */
  const works = (badCall = 0, more = "") =>
    `echo >> calls\nn=$(wc -l < calls)\nif [ $n -eq ${badCall} ]${more}; then exit 2; fi\ncat > given\ncmp -s given accepted\n`;
  const programmed = (bodies: { set?: string; works?: string } = {}) =>
    command({
      set: program("set.sh", bodies.set ?? set),
      works: program("works.sh", bodies.works ?? works()),
    });
  const newFrom = () => createSecrets({ providers: [env({ onWarning: () => undefined })] });
  const secret = `dotenv://${file}#TOKEN`;
  const run = (target: RotationTarget, more: Partial<RotateOptions> = {}) =>
    rotate({ from: newFrom(), secret, target, overlapMs: 0, apply: true, ...more });
  return {
    ...{ first, programmed, works, run },
    stored: async () => (await newFrom().get(secret)).reveal(),
    accepts: () => readFileSync(accepted, "utf8"),
  };
}

describe("a target with one value", () => {
  it("gets the old one back when the new one cannot be tested (17), and the next run rotates", async () => {
    const { programmed, works, run, first, accepts, stored } = world();
    const error = await failing(run(programmed({ works: works(2) })));
    expect([error.code, accepts() === first, (await stored()) === first]).toEqual([
      "ROTATION_ROLLED_BACK",
      true,
      true,
    ]);
    expect(error.message).toMatch(
      /the new credential of the command could not be tested \(.*works\.sh failed with exit code 2\); the stored one is as before/,
    );
    expect(valuesPrintedBy(error, [first])).toEqual([]);
    // Control: the same programs without the fault.
    expect(await run(programmed())).toMatchObject({ outcome: "rotated" });
    expect(accepts() === first).toBe(false);
    expect(await stored()).toBe(accepts());
  });

  it("gets the old one back also by a test so lax that it accepts both", async () => {
    const { programmed, works, run, first, accepts } = world();
    const lax = works(2).replace(/cmp.*/, "exit 0");
    expect((await failing(run(programmed({ works: lax })))).code).toBe("ROTATION_ROLLED_BACK");
    expect(accepts()).toBe(first);
    // Where it says that it did not take it, such a test proves nothing.
    const other = world();
    const target = other.programmed({
      set: once,
      works: other.works(2).replace(/cmp.*/, "exit 0"),
    });
    const error = await failing(other.run(target));
    expect([error.code, other.accepts() === other.first]).toEqual(["ROTATION_INCOMPLETE", false]);
  });

  it("gets the old one back, and says that it was not tested where that cannot be (18)", async () => {
    const { programmed, works, run, first, accepts } = world();
    const error = await failing(run(programmed({ works: works(2, " || [ $n -gt 2 ]") })));
    expect([error.code, accepts()]).toEqual(["ROTATION_INCOMPLETE", first]);
    expect(error.message).toContain("and the old one was set again, but could not be tested");
    expect(error.message).toContain("run this again with repair");
  });

  it("that cannot be put back says how to go on (18), and that ends it", async () => {
    const { programmed, works, run, first, accepts, stored } = world();
    const error = await failing(run(programmed({ set: once, works: works(2) })));
    expect(error.code).toBe("ROTATION_INCOMPLETE");
    expect(error.message).toMatch(
      /the old one could not be put back \(.*set\.sh failed with exit code 1\); run this again with repair$/,
    );
    expect([await stored(), accepts() === first]).toEqual([first, false]);
    expect(await run(programmed(), { repair: true })).toMatchObject({ outcome: "rotated" });
    expect(await stored()).toBe(accepts());
  });

  it("is what it was when the caller gives up between the change and its test", async () => {
    const { programmed, run, first, accepts, stored } = world();
    const giveUp = new AbortController();
    const target = programmed();
    const aborting: RotationTarget = {
      ...target,
      async set(next, context) {
        await target.set?.(next, context);
        if (accepts() !== first) giveUp.abort();
      },
    };
    const error = await failing(run(aborting, { signal: giveUp.signal }));
    expect([error.code, accepts(), await stored()]).toEqual(["ROTATION_ROLLED_BACK", first, first]);
    expect(giveUp.signal.aborted).toBe(true);
    // Control: a signal that nobody aborts.
    const { signal } = new AbortController();
    expect(await run(target, { signal })).toMatchObject({ outcome: "rotated" });
  });

  it("and its store hold the same when the caller gives up after the test", async () => {
    const { programmed, run, first, accepts, stored } = world();
    const giveUp = new AbortController();
    const target = programmed();
    const aborting: RotationTarget = {
      ...target,
      async works(credential, context) {
        const works = await target.works(credential, context);
        if (accepts() !== first) giveUp.abort();
        return works;
      },
    };
    const provider = env({ onWarning: () => undefined });
    const strict = {
      ...provider,
      // As the stores that are asked over a network do.
      read: (...[references, context]: Parameters<NonNullable<typeof provider.read>>) => {
        if (context.signal.aborted) throw new SecretError("SECRET_ABORTED", "given up");
        return provider.read?.(references, context) ?? Promise.resolve([]);
      },
      write: (...[reference, change, context]: Parameters<NonNullable<typeof provider.write>>) => {
        if (context.signal.aborted) throw new SecretError("SECRET_ABORTED", "given up");
        return provider.write?.(reference, change, context) ?? Promise.resolve({});
      },
    };
    const from = createSecrets({ providers: [strict] });
    const error = await failing(run(aborting, { from, signal: giveUp.signal }));
    expect([error.code, accepts(), await stored()]).toEqual(["ROTATION_ROLLED_BACK", first, first]);
  });
});

describe("an issuer", () => {
  /** Accepts several values, and cannot test new ones. */
  function issuer(changes: Partial<RotationTarget> = {}) {
    const made = world();
    const accepted = new Set([made.first]);
    const target: RotationTarget = {
      name: "hub",
      strategy: "issuer",
      propose: async () => ({ id: "key-2", secret: new Secret(randomValue()) }),
      set: async ({ secret }) => void accepted.add(secret.reveal()),
      works: async ({ secret }) => {
        if (secret.reveal() !== made.first) throw new Error(`no route for ${secret.reveal()}`);
        return accepted.has(secret.reveal());
      },
      revoke: async ({ secret }) => void accepted.delete(secret?.reveal() ?? ""),
      ...changes,
    };
    return { ...made, accepted, target };
  }

  it("revokes the new key when it cannot be tested (17)", async () => {
    const { run, target, accepted, first } = issuer();
    const error = await failing(run(target));
    expect([error.code, [...accepted]]).toEqual(["ROTATION_ROLLED_BACK", [first]]);
    // Control: it is accepted while nothing revokes it.
    const { revoke: _, ...unrevoked } = target;
    await failing(run(unrevoked));
    expect(accepted.size).toBe(2);
  });

  it("names the new key that cannot be revoked (18)", async () => {
    const { run, target, accepted, first } = issuer({
      revoke: () => Promise.reject(new Error("no")),
    });
    const error = await failing(run(target));
    expect([error.code, accepted.size]).toEqual(["ROTATION_INCOMPLETE", 2]);
    expect(error.message).toContain(
      "could not be tested (hub could not test a credential), and the new key, key-2, may still work (hub could not revoke a credential); the stored one is as before. Revoke the new key at hub",
    );
    expect(valuesPrintedBy(error, [...accepted, first])).toEqual([]);
  });

  it("whose old key cannot be tested once all is written says so (18)", async () => {
    const { run, target, first, accepted } = issuer();
    const { revoke: _, ...unrevoked } = target;
    const tests = { count: 0 };
    const works = async ({ secret }: { secret: Secret }) => {
      tests.count += 1;
      if (tests.count === 3) throw new Error("no route");
      return accepted.has(secret.reveal());
    };
    const error = await failing(run({ ...unrevoked, works }, { leaked: true }));
    expect([error.code, accepted.has(first)]).toEqual(["ROTATION_INCOMPLETE", true]);
    expect(error.message).toContain("revoke it at hub");
  });
});

it("what is done is done, although the store cannot be read once more", async () => {
  const { programmed, run, accepts, stored } = world();
  const provider = env({ onWarning: () => undefined });
  const reads = { left: 3 };
  const failingLast = {
    ...provider,
    read: async (...given: Parameters<NonNullable<typeof provider.read>>) => {
      reads.left -= 1;
      if (reads.left < 0) throw new SecretError("SECRET_UNREACHABLE", "the store is down");
      return (await provider.read?.(...given)) ?? [];
    },
  };
  const from = createSecrets({ providers: [failingLast] });
  expect(await run(programmed(), { from })).toMatchObject({ outcome: "rotated" });
  expect([reads.left, await stored()]).toEqual([-1, accepts()]);
});
