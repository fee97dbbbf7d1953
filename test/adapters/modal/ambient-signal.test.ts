import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { AmbientSignal } from "../../../adapters/modal/ambient-signal.ts";

it("is that of the work under way, also of several at once", async () => {
  const ambient = new AmbientSignal();
  const [one, other] = [new AbortController().signal, new AbortController().signal];
  const seen: (AbortSignal | undefined)[] = [];
  await Promise.all([
    ambient.run(one, async () => {
      await sleep(20);
      // The other has ended by now.
      seen.push(ambient.current);
    }),
    ambient.run(other, async () => {
      await sleep(1);
      seen.push(ambient.current);
    }),
  ]);
  expect(seen).toEqual([other, one]);
  expect(ambient.current).toBeUndefined();
  await expect(ambient.run(one, () => Promise.reject(new Error("failed")))).rejects.toThrow(
    "failed",
  );
  expect(await ambient.run(other, async () => ambient.current)).toBe(other);
});

it("ends with the work for what the work has left", async () => {
  const ambient = new AmbientSignal();
  let left: Promise<AbortSignal | undefined> | undefined;
  await ambient.run(new AbortController().signal, async () => {
    left = sleep(5).then(() => ambient.current);
  });
  expect(await left).toBeUndefined();
});
