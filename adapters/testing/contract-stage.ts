import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { parseReference, type Reference, type StageControl } from "../../src/secrets/index.ts";
import type { ContractCase, ContractFixture } from "./contract.ts";

const context = { signal: new AbortController().signal };

/** A secret that can be rotated, and short words for what is done to it. */
class Staged {
  readonly stage: StageControl;
  readonly reference: Reference;
  readonly close: () => Promise<void>;

  constructor(stage: StageControl, reference: Reference, close: () => Promise<void>) {
    this.stage = stage;
    this.reference = reference;
    this.close = close;
  }

  static async make(fixture: ContractFixture): Promise<Staged> {
    const reference = parseReference(await fixture.seed(newValue()));
    const provider = fixture.provider();
    assert.ok(provider.stage !== undefined, "it has versions");
    return new Staged(provider.stage, reference, async () => provider.close?.());
  }

  async parts() {
    const {
      current = "",
      previous,
      pending,
      pendingBase,
      rotatedAtMs,
    } = await this.stage.stages(this.reference, context);
    return { current, previous, pending, pendingBase, isRotated: rotatedAtMs !== undefined };
  }

  add(base: string, value = newValue()) {
    return this.stage.add(this.reference, { token: randomUUID(), base, value }, context);
  }

  claim(version: string, base: string) {
    return this.stage.claim(this.reference, version, base, context);
  }
}

function stagingCase(name: string, run: (staged: Staged) => Promise<void>): ContractCase {
  return {
    name: `stage: ${name}`,
    needs: ["stage"],
    async run(fixture) {
      const staged = await Staged.make(fixture);
      try {
        await run(staged);
      } finally {
        await staged.close();
      }
    },
  };
}

/** What a store with versions does in a rotation. */
export const stagingContract: readonly ContractCase[] = [
  stagingCase("an added version plays no part, and is read by its name", async (staged) => {
    const { current } = await staged.parts();
    const value = newValue();
    const version = await staged.add(current, value);
    const { value: stored } = await staged.stage.readVersion(staged.reference, version, context);
    assert.ok(Buffer.from(stored).equals(Buffer.from(value)), "the version has its value");
    const expected = { current, previous: undefined, pending: undefined, pendingBase: undefined };
    assert.deepEqual(await staged.parts(), { ...expected, isRotated: false });
  }),
  stagingCase("one of two claims wins, and a claim can be repeated", async (staged) => {
    const { current } = await staged.parts();
    const [one, other] = [await staged.add(current), await staged.add(current)];
    assert.equal(await staged.claim(one, current), true);
    assert.equal(await staged.claim(other, current), false);
    assert.equal(await staged.claim(one, current), true);
    const { pending, pendingBase } = await staged.parts();
    assert.deepEqual({ pending, pendingBase }, { pending: one, pendingBase: current });
  }),
  stagingCase("a pending version is replaced only if it is pending", async (staged) => {
    const { current } = await staged.parts();
    const [one, two, three] = [
      await staged.add(current),
      await staged.add(current),
      await staged.add(current),
    ];
    assert.equal(await staged.stage.replace(staged.reference, one, two, context), false);
    await staged.claim(one, current);
    assert.equal(await staged.stage.replace(staged.reference, one, two, context), true);
    assert.equal(await staged.stage.replace(staged.reference, one, three, context), false);
    const { pending, pendingBase } = await staged.parts();
    assert.deepEqual({ pending, pendingBase }, { pending: two, pendingBase: current });
  }),
  stagingCase("a version is promoted from the current one only", async (staged) => {
    const { current } = await staged.parts();
    const version = await staged.add(current);
    await staged.claim(version, current);
    assert.equal(await staged.stage.promote(staged.reference, version, version, context), false);
    assert.equal(await staged.stage.promote(staged.reference, current, version, context), true);
    assert.equal(await staged.stage.promote(staged.reference, current, version, context), false);
    const parts = await staged.parts();
    assert.deepEqual([parts.current, parts.previous, parts.pending], [version, current, version]);
    assert.equal(parts.isRotated, false, "it is not finished");
  }),
  stagingCase("a rotation is finished once, and its time is kept", async (staged) => {
    const { current } = await staged.parts();
    const version = await staged.add(current);
    await staged.claim(version, current);
    await staged.stage.finish(staged.reference, version, context);
    assert.equal((await staged.parts()).pending, version, "what is not current is not finished");
    await staged.stage.promote(staged.reference, current, version, context);
    const beforeMs = Date.now();
    await staged.stage.finish(staged.reference, version, context);
    const { rotatedAtMs = 0, pending } = await staged.stage.stages(staged.reference, context);
    assert.equal(pending, undefined);
    assert.ok(rotatedAtMs >= beforeMs && rotatedAtMs <= Date.now(), "the time is that of the end");
    await staged.stage.finish(staged.reference, version, context);
    const again = await staged.stage.stages(staged.reference, context);
    assert.equal(again.rotatedAtMs, rotatedAtMs, "the time does not change");
  }),
  stagingCase("what is dropped is not pending, and the current one stays", async (staged) => {
    const { current } = await staged.parts();
    const version = await staged.add(current);
    await staged.claim(version, current);
    await staged.stage.drop(staged.reference, version, context);
    await staged.stage.drop(staged.reference, version, context);
    const parts = await staged.parts();
    assert.deepEqual([parts.current, parts.pending], [current, undefined]);
    await staged.stage.readVersion(staged.reference, current, context);
  }),
  stagingCase("what is retired is not previous, and the current one stays", async (staged) => {
    const { current } = await staged.parts();
    const version = await staged.add(current);
    await staged.claim(version, current);
    await staged.stage.promote(staged.reference, current, version, context);
    await staged.stage.finish(staged.reference, version, context);
    await staged.stage.retire(staged.reference, current, context);
    await staged.stage.retire(staged.reference, current, context);
    const parts = await staged.parts();
    assert.deepEqual([parts.current, parts.previous, parts.isRotated], [version, undefined, true]);
    await staged.stage.readVersion(staged.reference, version, context);
  }),
];

function newValue(): string {
  return randomBytes(24).toString("base64url");
}
