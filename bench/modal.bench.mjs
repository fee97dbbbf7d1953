// Output of a sandbox through nopeek against the raw stream of Modal's client: bytes a second, time
// until a line is here, and memory of jobs that run. All ways read the same output from the same
// server, a process of its own that sends pieces of 64 KiB at most, in turn and several times; a ratio
// is the median of the ratios of each turn.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough, Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { modalRuntime } from "../dist/adapters/modal/index.js";
import { Secret } from "../dist/src/index.js";
import { launch, launchMany } from "../dist/src/launch/index.js";
import { interleaved, median, printTable } from "./support.mjs";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

const serverProgram = `
import { startModal } from ${JSON.stringify(new URL("../dist/adapters/testing/index.js", import.meta.url).href)};
const server = await startModal();
console.log(JSON.stringify(server.env()));
process.stdin.on("end", () => server.close()).resume();`;
const server = spawn(process.execPath, ["--input-type=module", "-e", serverProgram], {
  stdio: ["pipe", "pipe", "inherit"],
});
const [line] = await new Promise((settle) => {
  createInterface(server.stdout).once("line", (text) => settle([text]));
});
Object.assign(process.env, JSON.parse(line));
const { ModalClient } = await import("modal");
const client = new ModalClient({ logLevel: "error" });
const app = await client.apps.fromName("bench", { createIfMissing: true });
const image = client.images.fromRegistry("python:3.12-slim");
const timeoutMs = 600_000;
const common = { app: "bench", image: "python:3.12-slim", timeoutMs };
const on = modalRuntime({ ...common, shim: "off" });

const folder = mkdtempSync(join(tmpdir(), "nopeek-bench-"));
const file = join(folder, "log.txt");
const megabytes = 16;
const text = Array.from(
  { length: 20_000 },
  (_, i) =>
    `epoch ${i % 90} step ${i} loss=${(1 / (1 + i)).toFixed(6)} lr=3.0e-04 tok/s=${i % 999}\n`,
).join("");
writeFileSync(
  file,
  text.repeat(Math.ceil((megabytes << 20) / text.length)).slice(0, megabytes << 20),
);

const backends = { "without a GPU (V2)": {}, "with a GPU (V1)": { gpu: "T4" } };

const sink = (onChunk) =>
  new Writable({
    write(chunk, _encoding, done) {
      onChunk(chunk);
      done();
    },
  });

const secrets = Object.fromEntries(
  Array.from({ length: 20 }, (_, i) => [`KEY_${i}`, new Secret(`k${i}-${crypto.randomUUID()}`)]),
);

/** The ways on one backend; each tells of every chunk that is here. */
function waysOn(extra) {
  const on = modalRuntime({ ...common, ...extra, shim: "off" });

  async function raw(command, onChunk) {
    const sandbox = await client.sandboxes.create(app, image, { command, ...extra, timeoutMs });
    for await (const chunk of sandbox.stdout) onChunk(chunk);
    await sandbox.wait();
    sandbox.detach();
  }
  const rawBytes = (command, onChunk) => raw(command, (chunk) => onChunk(Buffer.from(chunk)));

  async function relayed(command, onChunk) {
    const job = await on.start({
      ...{ runId: crypto.randomUUID(), command, env: {}, secrets: [], attached: [], mounts: [] },
      cwd: undefined,
      signal: new AbortController().signal,
    });
    job.stderr.resume();
    for await (const chunk of job.stdout) onChunk(chunk);
    await job.ended;
    await job.cleanUp(0);
  }

  const launched = (options) => async (command, onChunk) => {
    const output = { stdout: sink(onChunk), stderr: new PassThrough().resume() };
    await launch({ on, command, output, ...options });
  };
  return {
    "the client's text": raw,
    "the client's text, as bytes": rawBytes,
    "nopeek's runtime": relayed,
    "a launch, no secret": launched({}),
    "a launch, 20 secrets": launched({ secrets }),
    "the same without rules": launched({ secrets, rules: "none" }),
  };
}

/** Seconds of this process's CPU and of the clock, from the first chunk to the last. */
async function secondsOf(way) {
  let seen = 0;
  let begun;
  let ended;
  await way(["cat", file], (chunk) => {
    begun ??= { cpu: process.cpuUsage(), clock: performance.now() };
    seen += chunk.length;
    if (seen !== megabytes << 20) return;
    const { user, system } = process.cpuUsage(begun.cpu);
    ended = { cpu: (user + system) / 1e6, clock: (performance.now() - begun.clock) / 1e3 };
  });
  if (seen !== megabytes << 20) throw new Error(`${seen} bytes arrived`);
  return ended;
}

async function turns(ways, count) {
  const taken = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let turn = -1; turn < count; turn++) {
    for (const [name, way] of Object.entries(ways)) {
      const seconds = await secondsOf(way);
      if (turn >= 0) taken[name].push(seconds);
    }
  }
  return taken;
}

for (const [backend, extra] of Object.entries(backends)) {
  const taken = await turns(waysOn(extra), 11);
  const ratio = (mine, base, of) => median(mine.map((one, i) => taken[base][i][of] / one[of]));
  printTable(`Sandbox output ${backend}, ${megabytes} MiB, from the first chunk to the last`, [
    ["", "MB/s of CPU", "of text", "of bytes", "by the clock: of text"],
    ...Object.entries(taken).map(([name, mine]) => [
      name,
      ((megabytes * 1.048576) / median(mine.map(({ cpu }) => cpu))).toFixed(0),
      ratio(mine, "the client's text", "cpu").toFixed(2),
      ratio(mine, "the client's text, as bytes", "cpu").toFixed(2),
      ratio(mine, "the client's text", "clock").toFixed(2),
    ]),
  ]);
}

const printer = `
let n = 0;
const timer = setInterval(() => {
  console.log(performance.timeOrigin + performance.now());
  if (++n === 150) clearInterval(timer);
}, 10);`;

async function delayMs(way) {
  const delays = [];
  let held = "";
  await way([process.execPath, "-e", printer], (chunk) => {
    const now = performance.timeOrigin + performance.now();
    const parts = (held + chunk).split("\n");
    held = parts.pop();
    for (const part of parts) delays.push(now - Number(part));
  });
  return median(delays);
}

const delays = await interleaved(
  Object.fromEntries(Object.entries(waysOn({})).map(([name, way]) => [name, () => delayMs(way)])),
  3,
);
printTable("Time until a line is here, ms (median)", [
  ["", "ms", "added"],
  ...Object.entries(delays).map(([name, ms]) => [
    name,
    ms.toFixed(2),
    (ms - delays["the client's text"]).toFixed(2),
  ]),
]);

function memory() {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss: rss / 2 ** 20, heap: (heapUsed + external) / 2 ** 20 };
}

/** Memory of so many jobs that run at the same time. */
async function whileRunning(count) {
  const before = memory();
  const stop = new AbortController();
  let during;
  let live = 0;
  const stdout = sink((chunk) => {
    live += chunk.toString().match(/works/g)?.length ?? 0;
    if (live !== count) return;
    setTimeout(() => {
      during = memory();
      stop.abort();
    }, 500);
  });
  await launchMany({
    on,
    jobs: Array.from({ length: count }, (_, i) => ({ name: `job-${i}` })),
    command: ["sh", "-c", "echo works; exec sleep 600"],
    concurrency: count,
    secrets,
    output: { stdout, stderr: new PassThrough().resume() },
    signal: stop.signal,
  });
  return { rss: (during.rss - before.rss) / count, heap: (during.heap - before.heap) / count };
}

await whileRunning(10);
const jobs = 100;
const { rss, heap } = await whileRunning(jobs);
printTable(`Memory of a live job, MiB, of ${jobs} at the same time (limit: 2)`, [
  ["resident", "heap"],
  [rss.toFixed(2), heap.toFixed(2)],
]);

rmSync(folder, { recursive: true, force: true });
client.close();
server.stdin.end();
await new Promise((settle) => server.once("exit", settle));
