import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { bin, emptyFolder } from "../support/command.ts";
import { isSlow } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";
import { ruleFinding, valueFinding, watching } from "../support/watching.ts";

it("a million findings, each of another text, take little memory and time", async () => {
  const watched = watching({ alertsPerMinute: 1_000_000 });
  const before = process.memoryUsage().heapUsed;
  const cpu = process.cpuUsage();
  const count = 1_000_000;
  for (let i = 0; i < count; i++) {
    const finding =
      i % 2 === 0 ? ruleFinding("hf-token", { fingerprint: `f-${i}` }) : valueFinding("OURS");
    watched.watch.masked(finding, i % 3 === 0 ? "stderr" : "stdout");
  }
  const { user, system } = process.cpuUsage(cpu);
  expect((process.memoryUsage().heapUsed - before) / 2 ** 20).toBeLessThan(64);
  expect((user + system) / 1000).toBeLessThan(10_000);
  const incident = await watched.end();
  expect(incident?.findings).toHaveLength(4);
  expect(incident?.findings.reduce((sum, { count }) => sum + count, 0)).toBe(count);
  // More different ones than are told one by one.
  expect(watched.lines.length).toBeLessThan(10_010);
  expect(incident?.suppressed).toBeGreaterThan(count / 2 - 10_010);
});

it("rules and names without end are counted together at last", async () => {
  const watched = watching();
  const count = 50_000;
  for (let i = 0; i < count; i++) watched.watch.masked(ruleFinding(`rule-${i}`), "stdout");
  const incident = await watched.end();
  expect(incident?.findings.length).toBeLessThan(1_010);
  expect(incident?.findings.reduce((sum, { count }) => sum + count, 0)).toBe(count);
});

it("what is counted together is counted as often as it was found", async () => {
  const watched = watching();
  for (let i = 0; i < 1_100; i++) watched.watch.masked(ruleFinding(`rule-${i}`), "stdout", 500);
  const beyond = ruleFinding("rule-1099");
  // Read, but counted only when it is masked.
  watched.watch.sighted(beyond, "stdout");
  watched.watch.masked(beyond, "stdout", 7);
  watched.watch.masked(beyond, "stderr", 3);
  const incident = await watched.end();
  const counts = incident?.findings.map(({ rule, stream, count }) => [rule, stream, count]) ?? [];
  // Control: the first ones.
  expect(counts.slice(0, 1_000).every(([, , count]) => count === 500)).toBe(true);
  expect(counts.slice(1_000)).toEqual([
    ["other", "stdout", 50_007],
    ["other", "stderr", 3],
  ]);
});

/** Runs the command on a program; what it wrote as a hash, and the most memory that it had, in MiB. */
async function measured(options: readonly string[], program: string, cwd: string, value: string) {
  const note = `process.on("exit", () => process.getBuiltinModule("fs").writeFileSync("rss", String(process.resourceUsage().maxRSS)))`;
  const hook = ["--import", `data:text/javascript,${encodeURIComponent(note)}`, "--"];
  const job = ["--", process.execPath, "-e", program];
  const child = spawn(
    process.execPath,
    [...hook, bin, "run", "--secret", "HF_TOKEN", ...options, ...job],
    {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", HF_TOKEN: value },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const hash = createHash("sha256");
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  const stderr = text(child.stderr);
  const code = await new Promise((settle) => child.on("close", settle));
  const rss = Number(readFileSync(join(cwd, "rss"), "utf8")) / 1024;
  return { code, bytes, hash: hash.digest("hex"), stderr: await stderr, rss };
}

/** A program that writes the same again and again, waiting for its reader. */
const repeating = (expression: string, times: number, then = "") => `
  const chunk = ${expression};
  let n = 0;
  const go = () => {
    while (n < ${times}) {
      n++;
      if (!process.stdout.write(chunk)) return process.stdout.once("drain", go);
    }
    ${then}
  };
  go();`;

it("so many leaks, with a sink that hangs: output, exit code and memory as documented", async () => {
  const thousands = isSlow ? 1_000 : 50;
  const value = randomToken("hf_");
  const cwd = emptyFolder();
  // Strict: on a busy machine the job may pause in the middle of a value.
  const options = ["--hold", "strict", "--alert-command", '["sleep","60"]', "--events", "e.jsonl"];
  const program = repeating(
    '(process.env.HF_TOKEN + "\\n").repeat(1000)',
    thousands,
    "process.exitCode = 5;",
  );
  const run = await measured(options, program, cwd, value);
  const count = thousands * 1000;
  const expected = "[REDACTED:HF_TOKEN]\n".repeat(1000);
  const hash = createHash("sha256");
  for (let i = 0; i < thousands; i++) hash.update(expected);
  expect(run).toMatchObject({ code: 5, bytes: count * 20, hash: hash.digest("hex") });
  expect(run.stderr.split("\n")).toEqual([
    "nopeek: leaked to stdout: HF_TOKEN (raw); masked",
    "nopeek: an alert did not reach the command (timeout)",
    `nopeek: masked ${count} values in the output: HF_TOKEN (raw ${count})`,
    "nopeek: 1 alert did not reach the command",
    "",
  ]);
  expect(run.rss).toBeLessThan(140);
}, 240_000);

it("a line without end, with a secret at its end: memory does not follow it", async () => {
  const mebibytes = isSlow ? 1_024 : 64;
  const value = randomToken("hf_");
  const cwd = emptyFolder();
  const program = repeating(
    "'loss=0.1 (x/y) '.repeat(1 << 20).slice(0, 1 << 20)",
    mebibytes,
    "process.stdout.write(process.env.HF_TOKEN);",
  );
  const run = await measured(["--hold", "strict", "--on-leak", "halt"], program, cwd, value);
  const line = "loss=0.1 (x/y) ".repeat(1 << 20).slice(0, 1 << 20);
  const hash = createHash("sha256");
  for (let i = 0; i < mebibytes; i++) hash.update(line);
  hash.update("[REDACTED:HF_TOKEN]");
  expect(run).toMatchObject({
    code: 10,
    bytes: mebibytes * 2 ** 20 + 19,
    hash: hash.digest("hex"),
  });
  expect(run.rss).toBeLessThan(140);
}, 240_000);
