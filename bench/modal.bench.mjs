// Output of a sandbox through nopeek against the raw stream of Modal's client, in the same run: bytes
// a second, time until a line is here, and memory of jobs that run. The test server is a process of
// its own.
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
const on = modalRuntime({
  app: "bench",
  image: "python:3.12-slim",
  timeoutMs: 600_000,
  shim: "off",
});

const folder = mkdtempSync(join(tmpdir(), "nopeek-bench-"));
const file = join(folder, "log.txt");
const megabytes = 32;
const text = Array.from(
  { length: 20_000 },
  (_, i) =>
    `epoch ${i % 90} step ${i} loss=${(1 / (1 + i)).toFixed(6)} lr=3.0e-04 tok/s=${i % 999}\n`,
).join("");
writeFileSync(
  file,
  text.repeat(Math.ceil((megabytes << 20) / text.length)).slice(0, megabytes << 20),
);

/** Reads as the client gives it. */
async function raw(command, onChunk) {
  const sandbox = await client.sandboxes.create(app, image, { command, timeoutMs: 600_000 });
  for await (const chunk of sandbox.stdout) onChunk(chunk);
  await sandbox.wait();
  sandbox.detach();
}

const sink = (onChunk) =>
  new Writable({
    write(chunk, _encoding, done) {
      onChunk(chunk);
      done();
    },
  });

/** Through the runtime alone. */
async function relayed(command, onChunk) {
  const job = await on.start({
    ...{ runId: crypto.randomUUID(), command, env: {}, secrets: [], attached: [], mounts: [] },
    cwd: undefined,
  });
  job.stderr.resume();
  for await (const chunk of job.stdout) onChunk(chunk);
  await job.ended;
  await job.cleanUp(0);
}

const secrets = Object.fromEntries(
  Array.from({ length: 20 }, (_, i) => [`KEY_${i}`, new Secret(`k${i}-${crypto.randomUUID()}`)]),
);

/** Through a launch, with 20 secrets looked for. */
async function launched(command, onChunk) {
  const output = { stdout: sink(onChunk), stderr: new PassThrough().resume() };
  await launch({ on, command, secrets, output });
}

/** The client's stream as bytes, which is what a terminal or a file takes. */
async function rawBytes(command, onChunk) {
  await raw(command, (chunk) => onChunk(Buffer.from(chunk)));
}

const ways = { raw, "raw, as bytes": rawBytes, relayed, launched };

async function cpuSeconds(way) {
  let seen = 0;
  const before = process.cpuUsage();
  await way(["cat", file], (chunk) => {
    seen += chunk.length;
  });
  const { user, system } = process.cpuUsage(before);
  if (seen !== megabytes << 20) throw new Error(`${seen} bytes arrived`);
  return (user + system) / 1e6;
}

for (const way of Object.values(ways)) await cpuSeconds(way);
const seconds = await interleaved(
  Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, () => cpuSeconds(way)])),
  5,
);
printTable(`Sandbox output, ${megabytes} MiB (this process's CPU time)`, [
  ["", "MB/s", "of raw", "of raw bytes"],
  ...Object.entries(seconds).map(([name, s]) => [
    name,
    ((megabytes * 1.048576) / s).toFixed(0),
    (seconds.raw / s).toFixed(2),
    (seconds["raw, as bytes"] / s).toFixed(2),
  ]),
]);

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
  Object.fromEntries(Object.entries(ways).map(([name, way]) => [name, () => delayMs(way)])),
  3,
);
printTable("Time until a line is here, ms (median)", [
  ["", "ms", "added"],
  ...Object.entries(delays).map(([name, ms]) => [
    name,
    ms.toFixed(2),
    (ms - delays.raw).toFixed(2),
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
