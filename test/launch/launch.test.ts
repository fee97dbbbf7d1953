import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { createSecrets, defineSecrets, Secret } from "nopeek";
import { env } from "nopeek/adapters/env";
import { type Job, type Leak, launch, local, type Runtime } from "nopeek/launch";
import { expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const token = randomToken("hf_");
const node = (program: string) => [process.execPath, "-e", program];

/** Runs a launch and gives what it wrote as well. */
async function collect(options: Omit<Parameters<typeof launch>[0], "output">) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = [text(stdout), text(stderr)];
  const result = await launch({ ...options, output: { stdout, stderr } });
  stdout.end();
  stderr.end();
  const [out, err] = await Promise.all(texts);
  return { ...result, out, err };
}

it("resolves, injects, masks and reports", async () => {
  const leaks: Leak[] = [];
  const run = await collect({
    on: local(),
    command: node(
      "console.log(process.env.HF_TOKEN); console.error(process.env.OTHER); process.exitCode = 4",
    ),
    secrets: { HF_TOKEN: "env://SOURCE", OTHER: new Secret(token.split("").reverse().join("")) },
    from: createSecrets({ providers: [env({ vars: { SOURCE: token } })] }),
    onLeak: (leak) => void leaks.push(leak),
  });
  expect(run).toMatchObject({
    endedBy: "exit",
    exitCode: 4,
    out: "[REDACTED:HF_TOKEN]\n",
    err: "[REDACTED:OTHER]\n",
    outputLost: false,
  });
  expect(run.redactions).toEqual({
    total: 2,
    counts: expect.arrayContaining([
      { name: "HF_TOKEN", form: "raw", strength: "strong", count: 1 },
    ]),
  });
  expect(leaks.map(({ stream, name }) => [stream, name]).sort()).toEqual([
    ["stderr", "OTHER"],
    ["stdout", "HF_TOKEN"],
  ]);
  expect(JSON.stringify(run)).not.toContain(token);
});

it("takes declarations made by defineSecrets", async () => {
  const run = await collect({
    command: node("console.log(process.env.A, process.env.B)"),
    secrets: defineSecrets({ A: "env://A", B: { from: "env://B", optional: true } }),
    from: createSecrets({ providers: [env({ vars: { A: token } })] }),
  });
  expect(run.out).toBe("[REDACTED:A] undefined\n");
});

it("masks what the process comes to know while the job runs", async () => {
  const late = randomToken();
  const half = late.length / 2;
  const launched = collect({
    // Half and half: the whole value would be refused in the command.
    command: node(
      `setTimeout(() => console.log("${late.slice(0, half)}" + "${late.slice(half)}"), 300)`,
    ),
  });
  setTimeout(() => new Secret(late, { name: "LATE" }), 50);
  expect((await launched).out).toBe("[REDACTED:LATE]\n");
});

it.each([
  ["timeoutMs", [Number.NaN, -1, 0, "60"], [1e12, Number.POSITIVE_INFINITY]],
  ["graceMs", [Number.NaN, -1, "60"], [0, 1e12]],
] as const)(
  "takes only a time for %s, and one that is longer than a timer's",
  async (name, wrong, right) => {
    const started: string[] = [];
    const launched = (ms: unknown) =>
      collect({
        command: node("setTimeout(() => console.log('done'), 50)"),
        [name]: ms as number,
        onStart: (runId) => void started.push(runId),
      });
    for (const ms of wrong) {
      await expect(launched(ms)).rejects.toMatchObject({ code: "DECLARATION_INVALID" });
    }
    expect(started).toEqual([]);
    for (const ms of right) {
      expect(await launched(ms)).toMatchObject({ endedBy: "exit", exitCode: 0, out: "done\n" });
    }
  },
);

it("stops on abort, with SIGTERM first", async () => {
  const program =
    "process.on('SIGTERM', () => { console.log('saving'); process.exit(0); }); console.log('up'); setTimeout(() => {}, 20000)";
  const stop = new AbortController();
  const stdout = new PassThrough();
  stdout.once("data", () => stop.abort());
  const output = text(stdout);
  const run = await launch({ command: node(program), signal: stop.signal, output: { stdout } });
  stdout.end();
  expect(run).toMatchObject({ endedBy: "abort", exitCode: 0 });
  expect(await output).toBe("up\nsaving\n");
});

it("rejects before the start and never after it", async () => {
  await expect(launch({ command: ["no-such-program"] })).rejects.toMatchObject({
    code: "COMMAND_NOT_FOUND",
  });
  await expect(launch({ command: ["x"], cwd: "/no/such/folder" })).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
  });
  await expect(launch({ command: ["x"], secrets: { A: "env://A" } })).rejects.toMatchObject({
    code: "SCHEME_UNKNOWN",
  });
  await expect(launch({ command: ["x"], env: { "A=B": "c" } })).rejects.toMatchObject({
    code: "DECLARATION_INVALID",
  });
  await expect(
    launch({ command: ["x"], secrets: { A: new Secret("ab\0cdefgh12") } }),
  ).rejects.toMatchObject({ code: "SECRET_NOT_TEXT" });
  await expect(
    launch({ command: ["x"], secrets: { A: new Secret("z".repeat(200_000)) } }),
  ).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
  const broken = new PassThrough();
  broken.destroy();
  expect(
    await launch({ command: node("console.log(1)"), output: { stdout: broken } }),
  ).toMatchObject({ endedBy: "exit" });
});

it("refuses root where it is asked to", async ({ skip }) => {
  if (process.getuid?.() !== 0) skip("not root here");
  await expect(launch({ command: ["true"], refuseRoot: true })).rejects.toMatchObject({
    code: "ROOT_REFUSED",
  });
});

it("gives a runtime of one's own a checked job", async () => {
  const jobs: Job[] = [];
  const recorder: Runtime = {
    name: "recorder",
    start: async (job) => {
      jobs.push(job);
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      stdout.end(`hello ${token}\n`);
      stderr.end();
      return {
        stdout,
        stderr,
        ended: Promise.resolve({ code: 0 }),
        kill: () => undefined,
        cleanUp: async () => 0,
      };
    },
  };
  const run = await collect({
    on: recorder,
    command: ["train"],
    secrets: { HF_TOKEN: new Secret(token) },
    env: { SEED: "1" },
  });
  expect(run.out).toBe("hello [REDACTED:HF_TOKEN]\n");
  expect(jobs[0]).toMatchObject({ command: ["train"], secrets: [{ name: "HF_TOKEN", as: "env" }] });
  expect(JSON.stringify(jobs[0]?.env)).not.toContain(token);
  expect(jobs[0]?.env).toMatchObject({
    SEED: "1",
    NOPEEK_SECRETS: "HF_TOKEN",
    NOPEEK_RUN_ID: run.runId,
  });
});
