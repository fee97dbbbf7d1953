import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";

/**
 * Swaps two names in a folder as fast as it can, `one` for `other` and back, until it is killed or
 * its parent is gone. Plain JavaScript, since it runs as a program of its own.
 */
const program = `
const { readlinkSync, renameSync, rmSync, symlinkSync } = require("node:fs");
const [folder, one, other, pause] = process.argv.slice(1);
process.chdir(folder);
const target = readlinkSync(other);
const wait = () => { for (let i = Number(pause) * Math.random(); i > 0; i--); };
const attempt = (act) => { try { act(); } catch {} };
process.stdout.write("ready");
for (let round = 0; ; round++) {
  // A name of its own: the victim may have made a folder in the gap, and the old one stays aside.
  const aside = "aside" + round;
  attempt(() => renameSync(one, aside));
  attempt(() => renameSync(other, one));
  wait();
  attempt(() => renameSync(one, other));
  attempt(() => renameSync(aside, one));
  wait();
  // The victim may have removed or replaced the link.
  if (round % 50 === 0) attempt(() => {
    try { readlinkSync(other); } catch { rmSync(other, { force: true }); symlinkSync(target, other); }
  });
  if (round % 1000 === 0 && process.ppid === 1) process.exit();
}`;

/** Starts the attacker; it is gone when the test ends. */
export async function startSwapping(
  folder: string,
  one: string,
  other: string,
  pause = 2000,
): Promise<void> {
  const child = spawn(process.execPath, ["-e", program, folder, one, other, String(pause)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => kill(child));
  await new Promise((ready) => child.stdout.once("data", ready));
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((settle) => child.once("exit", settle));
  child.kill("SIGKILL");
  await gone;
}
