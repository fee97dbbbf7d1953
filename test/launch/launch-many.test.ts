import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Secret } from "nopeek";
import { type JobResult, type LaunchManyOptions, launchMany, type Progress } from "nopeek/launch";
import { expect, it } from "vitest";
import { linePrefix } from "../../src/launch/line-prefix.ts";
import { randomToken } from "../support/values.ts";

const node = (program: string) => [process.execPath, "-e", program];
const shell = (script: string) => ["sh", "-c", script];

async function collect(options: Omit<LaunchManyOptions, "output">) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = [text(stdout), text(stderr)] as const;
  const results = await launchMany({ ...options, output: { stdout, stderr } });
  stdout.end();
  stderr.end();
  return { results, out: await texts[0], err: await texts[1] };
}

const codes = (results: readonly JobResult[]) =>
  results.map((one) => (one.status === "ended" ? one.result.exitCode : one.status));

it("runs jobs over one declaration, with a prefix before every line", async () => {
  const token = randomToken("hf_");
  const { results, out, err } = await collect({
    command: shell('echo "lr=$LR token=$HF_TOKEN"; printf "a\\nb" >&2; exit $CODE'),
    env: { CODE: "0" },
    secrets: { HF_TOKEN: new Secret(token) },
    jobs: [
      { name: "one", env: { LR: "0.1" } },
      { name: "second", env: { LR: "0.2", CODE: "4" } },
      { name: "c", command: shell("echo own command") },
    ],
    concurrency: 2,
  });
  expect(codes(results)).toEqual([0, 4, 0]);
  expect(results.map(({ name }) => name)).toEqual(["one", "second", "c"]);
  expect(out.split("\n").sort()).toEqual([
    "",
    "[c]      own command",
    "[one]    lr=0.1 token=[REDACTED:HF_TOKEN]",
    "[second] lr=0.2 token=[REDACTED:HF_TOKEN]",
  ]);
  expect(err.split("\n").sort()).toEqual(
    ["", "[one]    a", "[one]    b", "[second] a", "[second] b"].sort(),
  );
});

it("runs no more at a time than it may, and accounts for every job", async () => {
  const seen: Progress[] = [];
  const ended: string[] = [];
  const jobs = Array.from({ length: 12 }, (_, i) => ({
    name: `job-${i}`,
    command: i === 5 ? ["/nonexistent/program"] : shell(`sleep 0.05; exit ${i % 3}`),
  }));
  const { results } = await collect({
    jobs,
    concurrency: 3,
    onProgress: (progress) => void seen.push(progress),
    onResult: ({ name }) => void ended.push(name),
  });
  expect(codes(results)).toEqual([0, 1, 2, 0, 1, "failed", 0, 1, 2, 0, 1, 2]);
  expect(results[5]).toMatchObject({ status: "failed", code: "COMMAND_NOT_FOUND" });
  expect(Math.max(...seen.map(({ running }) => running))).toBe(3);
  expect(seen.every((p) => p.waiting + p.running + p.succeeded + p.failed + p.skipped === 12)).toBe(
    true,
  );
  expect(seen.at(-1)).toEqual({
    ...{ jobs: 12, waiting: 0, running: 0, succeeded: 4, failed: 8, skipped: 0 },
  });
  expect(ended.sort()).toEqual(jobs.map(({ name }) => name).sort());
});

const careless = node(
  "console.log(process.env.HF_TOKEN, 'is the token'); setTimeout(() => 0, 60000)",
);
const patient = node("console.log('works'); setTimeout(() => 0, 60000)");

it("stops the rest when one is halted, if asked", async () => {
  const begun = performance.now();
  const { results } = await collect({
    secrets: { HF_TOKEN: new Secret(randomToken("hf_")) },
    jobs: [
      ...[1, 2, 3].map((i) => ({ name: `patient-${i}`, command: patient })),
      { name: "careless", command: careless },
      { name: "late", command: patient },
    ],
    concurrency: 4,
    stopOnHalt: true,
    monitor: { onLeak: "halt" },
  });
  expect(performance.now() - begun).toBeLessThan(10_000);
  const endings = results.map((one) => (one.status === "ended" ? one.result.endedBy : one.status));
  expect(endings.slice(0, 4)).toEqual(["abort", "abort", "abort", "halt"]);
  expect(endings[4]).toMatch(/^(?:skipped|abort)$/);
  expect(codes(results)[3]).toBe(10);
});

it("lets the others go on otherwise", async () => {
  const { results } = await collect({
    secrets: { HF_TOKEN: new Secret(randomToken("hf_")) },
    jobs: [
      { name: "careless", command: careless },
      { name: "other", command: shell("sleep 0.5; echo done") },
    ],
    concurrency: 2,
    monitor: { onLeak: "halt" },
  });
  expect(codes(results)).toEqual([10, 0]);
});

it("stops all of them when the caller says so", async () => {
  const stop = new AbortController();
  const { results } = await collect({
    jobs: [1, 2, 3, 4].map((i) => ({ name: `job-${i}`, command: patient })),
    concurrency: 2,
    signal: stop.signal,
    onProgress: ({ running }) => {
      if (running === 2) setTimeout(() => stop.abort(), 300);
    },
  });
  expect(results.map(({ status }) => status)).toEqual(["ended", "ended", "skipped", "skipped"]);
});

it.each<[string, Partial<LaunchManyOptions>]>([
  ["no jobs", { jobs: [] }],
  ["a job without a name", { jobs: [{} as never] }],
  ["a name that is a path", { jobs: [{ name: "../x" }] }],
  ["one name twice", { jobs: [{ name: "a" }, { name: "a" }] }],
  ["no concurrency", { concurrency: 0 }],
  ["endless concurrency", { concurrency: Number.POSITIVE_INFINITY }],
])("refuses %s", async (_, options) => {
  const given = { jobs: [{ name: "a" }], command: ["true"], concurrency: 1, ...options };
  await expect(launchMany(given)).rejects.toMatchObject({ code: "DECLARATION_INVALID" });
});

it("refuses everything if one secret fails", async () => {
  const jobs = [{ name: "a" }, { name: "b" }];
  const results = launchMany({
    ...{ jobs, command: ["true"], concurrency: 2, secrets: { A: "env://A_NOT_THERE" } },
  });
  await expect(results).rejects.toMatchObject({ name: "SecretError" });
});

it.each([
  ["whole", (bytes: Buffer) => [bytes]],
  ["byte by byte", (bytes: Buffer) => [...bytes].map((byte) => Buffer.from([byte]))],
])("prefixes lines that come %s", async (_, cut) => {
  const sink = new PassThrough();
  const result = text(sink);
  const prefixed = linePrefix("[j] ", sink);
  for (const part of cut(Buffer.from("one\n\ntwo ü\r\n10%\r55%\r100%\nlast"))) prefixed.write(part);
  await new Promise<void>((settle) => prefixed.end(settle));
  sink.end();
  expect(await result).toBe("[j] one\n[j] \n[j] two ü\n[j] 100%\n[j] last\n");
});

it("does not keep a line without end in memory", async () => {
  const sink = new PassThrough();
  sink.resume();
  const prefixed = linePrefix("[j] ", sink);
  let written = 0;
  sink.on("data", (chunk: Buffer) => {
    written += chunk.length;
  });
  for (let i = 0; i < 64; i++) {
    await new Promise<void>((settle) =>
      prefixed.write(Buffer.alloc(16 * 1024, 0x61), () => settle()),
    );
  }
  expect(written).toBeGreaterThan(900 * 1024);
});
