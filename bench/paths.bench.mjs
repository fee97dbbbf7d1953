/**
 * What confinement costs: opening a file below a root, as a ratio to a plain open and beside the
 * unsafe check that it replaces. What it costs to import is in start-up. Run it after a build.
 */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  promises,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openRootSync } from "nopeek/paths";

const depths = [1, 2, 4, 8];
const turns = 25;
const syncCalls = 1000;
const asyncCalls = 150;
const goals = { asyncToPlain: 2.5, syncToCheck: 2 };

const folder = realpathSync(mkdtempSync(join(tmpdir(), "nopeek-bench-")));
const root = openRootSync(folder);
try {
  console.log(`confinement: ${root.confinement}; Node ${process.version}; microseconds a call\n`);
  const rows = [];
  for (const depth of depths) rows.push(...(await measure(depth)));
  console.table(rows);
} finally {
  root.closeSync();
  rmSync(folder, { recursive: true });
}

async function measure(depth) {
  const path = [...Array(depth - 1).fill("folder"), `file${depth}`].join("/");
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, "");
  const sync = await rounds(syncCalls, {
    plain: () => closeSync(openSync(whole)),
    check: () => closeSync(openSync(checked(realpathSync(whole)))),
    root: () => closeSync(root.openSync(path)),
  });
  const later = await rounds(asyncCalls, {
    plain: async () => (await promises.open(whole)).close(),
    check: async () => (await promises.open(checked(await promises.realpath(whole)))).close(),
    root: async () => (await root.open(path)).close(),
  });
  return [row(depth, "sync", sync), row(depth, "async", later)];
}

function checked(real) {
  if (!real.startsWith(`${folder}/`)) throw new Error("outside");
  return real;
}

function row(depth, form, runs) {
  const ratio = (to) => median(runs.root.map((us, turn) => us / runs[to][turn]));
  const [measured, limit] =
    form === "sync" ? [ratio("check"), goals.syncToCheck] : [ratio("plain"), goals.asyncToPlain];
  return {
    depth,
    form,
    plain: round(median(runs.plain)),
    "realpath check": round(median(runs.check)),
    root: round(median(runs.root)),
    "root / plain": round(ratio("plain")),
    "root / check": round(ratio("check")),
    goal: `<= ${limit} ${form === "sync" ? "check" : "plain"}: ${measured <= limit}`,
  };
}

/** Microseconds a call of each in every round, taken in turns so that all see the same machine. */
async function rounds(calls, contenders) {
  const runs = {};
  for (let turn = 0; turn < turns; turn++) {
    for (const [name, call] of Object.entries(contenders)) {
      const start = performance.now();
      for (let index = 0; index < calls; index++) {
        const pending = call();
        if (pending !== undefined) await pending;
      }
      runs[name] ??= [];
      runs[name].push(((performance.now() - start) / calls) * 1000);
    }
  }
  return runs;
}

function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

function round(value) {
  return Math.round(value * 100) / 100;
}
