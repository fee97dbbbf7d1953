/** `nopeek run --on modal` and `nopeek doctor`, as built, against the test server. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ModalServer } from "nopeek/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { emptyFolder, finish, firstLine, nopeek, start } from "../support/command.ts";
import { startSearchedModal } from "../support/modal.ts";
import { isSlow } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

let server: ModalServer;
beforeAll(async () => {
  server = await startSearchedModal();
});
afterAll(() => server.close());

const token = randomToken("hf_");
const env = () => ({ ...server.env(), HF_TOKEN: token });
const config = (runtimes: object, launches: object = {}) =>
  JSON.stringify({ secrets: { HF_TOKEN: "env://HF_TOKEN" }, runtimes, launches });
const modal = { app: "train", image: "python:3.12-slim", timeoutMs: 60_000 };
const onModal = ["run", "--on", "modal", "--timeout", "60s", "--secret", "HF_TOKEN"];

it("runs a script of this folder on Modal as it does here", async () => {
  const script = 'echo "token=$HF_TOKEN"; exit 7\n';
  const cwd = emptyFolder({ "train.sh": script, ".env": "HF_TOKEN=\n" });
  const run = await nopeek([...onModal, "--", "sh", "train.sh"], { cwd, env: env() });
  expect(run).toMatchObject({ code: 7, stdout: "token=[REDACTED:HF_TOKEN]\n" });
  const lines = run.stderr.trimEnd().split("\n");
  expect(lines).toEqual([
    expect.stringContaining("files of this folder are uploaded"),
    expect.stringContaining("not uploaded, for they may hold credentials: .env"),
    "nopeek: leaked to stdout: HF_TOKEN (raw); masked",
    expect.stringMatching(/^nopeek: masked 1 value in the output: HF_TOKEN \(raw 1\)$/),
  ]);
  expect(server.sandboxes().at(-1)?.stdout.toString()).toBe("token=[REDACTED:HF_TOKEN]\n");
  const here = await nopeek(["run", "--secret", "HF_TOKEN", "--", "sh", "train.sh"], {
    cwd,
    env: env(),
  });
  expect(here).toMatchObject({ code: 7, stdout: run.stdout });
});

it("takes runtimes and launches of the configuration", async () => {
  const cwd = emptyFolder({
    "nopeek.config.json": config(
      { gpu: { kind: "modal", ...modal, gpu: "T4" } },
      { train: { on: "gpu", command: ["sh", "main.sh"], code: { dir: "src" } } },
    ),
  });
  const src = join(cwd, "src");
  mkdirSync(src);
  writeFileSync(join(src, "main.sh"), "echo runs");
  const run = await nopeek(["run", "train"], { cwd, env: env() });
  expect(run).toMatchObject({ code: 0, stdout: "runs\n", stderr: "" });
  expect(server.sandboxes().at(-1)).toMatchObject({ backend: "V1" });
  const here = await nopeek(["run", "train", "--on", "local"], { cwd, env: { HF_TOKEN: token } });
  expect(here).toMatchObject({ code: 0, stdout: "runs\n", stderr: "" });
});

it.each([
  ["no time limit", ["run", "--on", "modal", "--", "true"], 64, /--timeout 8h/],
  ["an unknown runtime", ["run", "--on", "moon", "--", "true"], 64, /known are local, modal/],
  [
    "options of Modal for a local run",
    ["run", "--gpu", "T4", "--", "true"],
    64,
    /--gpu needs --on modal/,
  ],
  ["a wrong option", [...onModal, "--app", "../x", "--", "true"], 78, /app must be/],
  ["--all alone", ["doctor", "--all"], 64, /--all needs --end/],
  ["doctor of what is unknown", ["doctor", "--on", "moon"], 64, /known are/],
])("refuses %s", async (_, args, code, message) => {
  const run = await nopeek(args, { env: env() });
  expect(run).toMatchObject({ code, stdout: "" });
  expect(run.stderr).toMatch(message);
});

it("says 2 if it cannot look", async () => {
  const run = await nopeek(["doctor"], {
    env: { ...server.env(), MODAL_TOKEN_SECRET: "as-wrong" },
  });
  expect(run).toMatchObject({ code: 2, stdout: "" });
  expect(run.stderr).toMatch(/modal token new/);
});

it("doctor tells of an app that does not exist, and says 2 if it was named", async () => {
  const named = await nopeek(["doctor", "--app", "misspelt"], { env: env() });
  expect(named).toMatchObject({
    code: 2,
    stdout: expect.stringMatching(/^modal: there is no app misspelt; /),
  });
  const cwd = emptyFolder({
    "nopeek.config.json": config({ gpu: { kind: "modal", ...modal, app: "new" } }),
  });
  const configured = await nopeek(["doctor"], { cwd, env: env() });
  expect(configured).toMatchObject({ code: 0, stdout: expect.stringMatching(/no app new; /) });
  const report = await nopeek(["doctor", "--json", "--end"], { cwd, env: env() });
  expect(JSON.parse(report.stdout)).toMatchObject({
    jobs: [],
    missingApps: [{ runtime: "gpu", app: "new" }],
  });
  // To look makes no app: a run does.
  expect((await nopeek(["doctor", "--app", "misspelt"], { env: env() })).code).toBe(2);
  await nopeek([...onModal, "--app", "misspelt", "--", "true"], { env: env() });
  expect(server.sandboxes().length).toBeGreaterThan(0);
  expect(await nopeek(["doctor", "--app", "misspelt"], { env: env() })).toMatchObject({
    code: 0,
    stdout: "nothing is left behind\n",
  });
});

it("Ctrl-C ends the sandbox, and waits until it is gone", async () => {
  const child = start([...onModal, "--", "sh", "-c", "echo works; exec sleep 60"], { env: env() });
  await firstLine(child);
  const ended = finish(child);
  const asked = performance.now();
  child.kill("SIGINT");
  expect((await ended).code).toBe(137);
  expect(performance.now() - asked).toBeLessThan(2000);
  expect(server.sandboxes().at(-1)?.exitCode).toBe(137);
});

it(
  "finds and ends what launchers that were killed have left",
  async () => {
    const rounds = isSlow ? 50 : 5;
    const before = server.sandboxes().length;
    const dir = emptyFolder({ "main.sh": "echo works; exec sleep 300" });
    const children = [];
    for (let i = 0; i < rounds; i++) {
      const gpu = i % 2 === 0 ? [] : ["--gpu", "T4"];
      const code = i % 3 === 0 ? ["--code", dir, "--", "sh", "main.sh"] : ["--", "sleep", "300"];
      const child = start([...onModal, ...gpu, ...code], { env: env() });
      const gone = new Promise((settle) => child.once("exit", settle));
      // At any moment: before the first request, in the middle of the start, while the job runs.
      if (i === 0) while (server.sandboxes().length === before) await sleep(10);
      else await sleep(300 + Math.random() * 1500);
      child.kill("SIGKILL");
      children.push(gone);
    }
    await Promise.all(children);
    // A request that was under way has its effect by then.
    await sleep(300);
    const left = server
      .sandboxes()
      .slice(before)
      .filter(({ exitCode }) => exitCode === null);
    expect(left.length).toBeGreaterThan(0);
    for (const { definition, tags } of left) {
      expect(definition["timeoutSecs"]).toBe(120);
      expect(tags).toMatchObject({
        nopeek: "run",
        "nopeek-run": expect.stringMatching(/^[\w-]{36}$/),
        "nopeek-launcher": expect.stringMatching(/^\w{12}\.\d+\.\d+$/),
      });
    }
    // One whose launcher lives is left alone.
    const child = start([...onModal, "--", "sh", "-c", "echo works; exec sleep 300"], {
      env: env(),
    });
    await firstLine(child);
    const doctor = await nopeek(["doctor", "--json"], { env: env() });
    expect(doctor.code).toBe(1);
    const { jobs } = JSON.parse(doctor.stdout);
    expect(jobs).toHaveLength(left.length + 1);
    expect(jobs.filter((job: { launcher: string }) => job.launcher === "running")).toHaveLength(1);
    // The next run tells of them too.
    const next = await nopeek([...onModal, "--", "sleep", "1"], { env: env() });
    expect(next.stderr).toContain(`${left.length} sandbox`);
    expect(next.stderr).toContain("nopeek doctor --end");
    const end = await nopeek(["doctor", "--end"], { env: env() });
    expect(end.code).toBe(0);
    expect(end.stdout.match(/^ended/gm)).toHaveLength(left.length);
    const running = server.sandboxes().filter(({ exitCode }) => exitCode === null);
    expect(running).toHaveLength(1);
    child.kill("SIGTERM");
    await finish(child);
    expect(await nopeek(["doctor"], { env: env() })).toMatchObject({
      code: 0,
      stdout: "nothing is left behind\n",
    });
  },
  isSlow ? 300_000 : 60_000,
);
