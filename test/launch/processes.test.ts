import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it, onTestFinished, vi } from "vitest";
import { endProcesses } from "../../src/launch/processes.ts";

/** A process group that does not end when it is asked to. */
async function stubborn(): Promise<number> {
  const program = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log(1)";
  const child = spawn(process.execPath, ["-e", program], { detached: true });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child.pid ?? 0;
}

it.each([
  ["goes on", 0],
  ["is set back", -3_600_000],
])("keeps the grace time when the clock %s", async (_, shift) => {
  const group = await stubborn();
  const real = Date.now;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => real() + (calls++ > 0 ? shift : 0));
  let calls = 0;
  onTestFinished(() => clock.mockRestore());
  const began = performance.now();
  expect(await endProcesses("none", group, 300)).toBe(1);
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(290);
  expect(took).toBeLessThan(3000);
});
