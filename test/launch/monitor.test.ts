import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { createSecrets, Secret } from "nopeek";
import { env } from "nopeek/adapters/env";
import { defaultRules, reviewRules } from "nopeek/detect";
import { type LaunchOptions, launch, type RunningJob, type Runtime } from "nopeek/launch";
import { createMonitor, type MonitorEvent } from "nopeek/monitor";
import { describe, expect, it, vi } from "vitest";
import { emptyFolder } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

/** Ends in a character with which no form of it begins, so that its mask need not wait for a pause. */
const token = `${randomToken("hf_")}.`;
const node = (program: string) => [process.execPath, "-e", program];

/** Runs a launch and gives what it wrote, said and recorded as well, with times. */
async function run(options: LaunchOptions) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = Promise.all([text(stdout), text(stderr)]);
  const events: (MonitorEvent & { at: number })[] = [];
  const notices: string[] = [];
  const record = (event: MonitorEvent) => void events.push({ ...event, at: Date.now() });
  const result = await launch({
    output: { stdout, stderr },
    onNotice: (notice) => void notices.push(notice),
    ...options,
    monitor: { record, ...options.monitor },
  });
  const ended = Date.now();
  stdout.end();
  stderr.end();
  const [out, err] = await texts;
  return { ...result, out, err, events, notices, ended };
}

const secrets = { HF_TOKEN: new Secret(token) };

describe("a leak", () => {
  it("is told by default, and the job goes on", async () => {
    const result = await run({
      command: node("console.log(process.env.HF_TOKEN); process.exitCode = 3"),
      secrets,
    });
    expect(result).toMatchObject({
      endedBy: "exit",
      exitCode: 3,
      out: "[REDACTED:HF_TOKEN]\n",
      notices: ["leaked to stdout: HF_TOKEN (raw); masked"],
      incident: {
        findings: expect.arrayContaining([
          expect.objectContaining({ name: "HF_TOKEN", action: "alert", count: 1 }),
        ]),
        rotations: [],
      },
    });
    expect(result.incident?.halted).toBeUndefined();
    expect(JSON.stringify([result.incident, result.events])).not.toContain(token);
  });

  it("halts the job where that is asked: TERM, exit code 10, all output until then", async () => {
    const program = `
      process.on("SIGTERM", () => { console.log("saving"); process.exit(0); });
      for (let i = 0; i < 5000; i++) console.log("line " + i);
      process.stdout.write(Buffer.from(process.env.HF_TOKEN).toString("base64"));
      setTimeout(() => console.log("late"), 20000);`;
    const result = await run({ command: node(program), secrets, monitor: { onLeak: "halt" } });
    expect(result).toMatchObject({ endedBy: "halt", exitCode: 10 });
    expect(result.incident?.halted).toMatchObject({ name: "HF_TOKEN", stream: "stdout" });
    const lines = Array.from({ length: 5000 }, (_, i) => `line ${i}\n`).join("");
    expect(result.out).toBe(`${lines}[REDACTED:HF_TOKEN]saving\n`);
    expect(result.notices[0]).toBe("leaked to stdout: HF_TOKEN (base64); masked; halting the job");
    const types = result.events.filter(({ type }) => type !== "finding").map(({ type }) => type);
    expect(types).toEqual(["halt"]);
    expect(new Set(result.events.map(({ runId }) => runId))).toEqual(new Set([result.runId]));
  });

  it("of a job that has ended meanwhile counts all the same", async () => {
    for (let i = 0; i < 5; i++) {
      const result = await run({
        command: ["sh", "-c", 'printf %s "$HF_TOKEN"'],
        secrets,
        monitor: { onLeak: "halt" },
      });
      expect(result).toMatchObject({ endedBy: "halt", exitCode: 10, out: "[REDACTED:HF_TOKEN]" });
    }
  });

  it("while the job is being stopped is told by the exit code; it gets no second signal", async () => {
    const program = `
      process.on("SIGTERM", () => console.log("TERM", process.env.HF_TOKEN));
      console.log("up");
      setInterval(() => {}, 1000);`;
    const stop = new AbortController();
    const stdout = new PassThrough();
    stdout.once("data", () => stop.abort());
    const written = text(stdout);
    const result = await run({
      command: node(program),
      secrets,
      output: { stdout },
      monitor: { onLeak: "halt" },
      signal: stop.signal,
      graceMs: 500,
    });
    stdout.end();
    expect(result).toMatchObject({ endedBy: "halt", exitCode: 10 });
    expect(await written).toBe("up\nTERM [REDACTED:HF_TOKEN]\n");
  });

  it.each([
    ["a short value", { secrets: { PIN: new Secret("q7x9z1w5") } }],
    ["another's value", { env: { URL: `https://me:${randomToken("")}@host/` } }],
    ["nothing", {}],
  ])("halts for %s never", async (_, more) => {
    new Secret("env" in more ? more.env.URL : randomToken(), { name: "FOREIGN" });
    const result = await run({
      command: node("console.log(process.env.PIN, process.env.URL, 'x'.repeat(100))"),
      ...more,
      monitor: { onLeak: "halt+rotate", rotate: async () => undefined },
    });
    expect(result).toMatchObject({ endedBy: "exit", exitCode: 0 });
    expect(result.incident?.rotations ?? []).toEqual([]);
    const masked = Object.keys(more).length > 0;
    expect(result.redactions.total).toBe(masked ? 1 : 0);
    expect(result.incident?.findings.some(({ name }) => name !== undefined) ?? false).toBe(masked);
  });

  it("is rotated once for each secret, under the run's id, after the halt", async () => {
    const rotated: (string | undefined)[] = [];
    const other = randomToken();
    const result = await run({
      command: node(
        "console.log(process.env); console.error(process.env); setInterval(() => {}, 1000)",
      ),
      secrets: { HF_TOKEN: new Secret(token), OTHER: new Secret(other) },
      graceMs: 500,
      monitor: {
        onLeak: "halt+rotate",
        rotate: async ({ name, runId }) => void rotated.push(`${name} ${runId}`),
      },
    });
    expect(result.exitCode).toBe(10);
    expect(rotated.sort()).toEqual([`HF_TOKEN ${result.runId}`, `OTHER ${result.runId}`]);
    const order = result.events.map(({ type }) => type);
    expect(order.indexOf("halt")).toBeGreaterThan(order.indexOf("finding"));
    expect(order.indexOf("rotation")).toBeGreaterThan(order.indexOf("halt"));
    expect(new Set(result.events.map(({ runId }) => runId))).toEqual(new Set([result.runId]));
    expect(result.out + result.err).not.toContain(token);
  });
});

describe("a halt", () => {
  /** Parent, child and a grandchild that leaves the group and ignores SIGTERM; then the leak. */
  const tree = (onTerm: string) => `
    const { spawn } = require("child_process");
    const fs = require("fs");
    const here = "require('fs').writeFileSync(process.env.PIDS + '/' + process.pid, ''); setInterval(() => {}, 1000);";
    const stay = "process.on('SIGTERM', () => {});" + here;
    const child = "require('child_process').spawn(process.execPath, ['-e', " + JSON.stringify(stay) + "], { detached: true, stdio: 'inherit' });" + here;
    process.on("SIGTERM", () => { ${onTerm} });
    eval(here);
    spawn(process.execPath, ["-e", child], { stdio: "inherit" });
    const waiting = setInterval(() => {
      if (fs.readdirSync(process.env.PIDS).length < 3) return;
      clearInterval(waiting);
      process.stdout.write(process.env.HF_TOKEN);
    }, 5);`;

  /** How long it takes until all of them are gone. */
  function untilGone(pids: readonly number[]): Promise<number> {
    const begun = performance.now();
    return new Promise((settle) => {
      const look = () => {
        if (pids.some(isAlive)) setTimeout(look, 2);
        else settle(performance.now() - begun);
      };
      look();
    });
  }

  it.each([
    ["ends", "process.exit(0)"],
    ["ignores the signal", ""],
  ])("ends the whole tree within the grace time when the parent %s", async (_, onTerm) => {
    const graceMs = 400;
    const takenMs: number[] = [];
    // A busy machine may be late; it is not late every time.
    for (let attempt = 0; attempt < 6 && !takenMs.some((ms) => ms < graceMs + 100); attempt++) {
      const folder = emptyFolder();
      let gone: Promise<number> | undefined;
      const result = await run({
        command: node(tree(onTerm)),
        env: { PIDS: folder },
        secrets,
        graceMs,
        monitor: {
          onLeak: "halt",
          record(event) {
            if (event.type !== "finding" || event.name === undefined) return;
            gone ??= untilGone(readdirSync(folder).map(Number));
          },
        },
      });
      expect(result).toMatchObject({ endedBy: "halt", exitCode: 10, out: "[REDACTED:HF_TOKEN]" });
      const pids = readdirSync(folder).map(Number);
      expect(pids).toHaveLength(3);
      expect(pids.filter(isAlive)).toEqual([]);
      takenMs.push((await gone) ?? Number.POSITIVE_INFINITY);
    }
    expect(Math.min(...takenMs)).toBeLessThan(graceMs + 100);
  });

  it("reaches a runtime of one's own through its kill", async () => {
    const signals: string[] = [];
    const sandbox: Runtime = {
      name: "sandbox",
      async start(): Promise<RunningJob> {
        const stdout = new PassThrough();
        let end: (code: { code: number }) => void = () => undefined;
        stdout.write(`token ${token}`);
        const ended = new Promise<{ code: number }>((settle) => {
          end = settle;
        });
        return {
          stdout,
          stderr: Readable.from([]),
          ended,
          kill(signal) {
            signals.push(signal);
            if (signal !== "SIGKILL") return;
            stdout.end();
            end({ code: 137 });
          },
          cleanUp: async () => 0,
        };
      },
    };
    const result = await run({
      on: sandbox,
      command: ["train"],
      secrets,
      graceMs: 50,
      monitor: { onLeak: "halt" },
    });
    expect(signals).toEqual(["SIGTERM", "SIGKILL"]);
    expect(result).toMatchObject({
      endedBy: "halt",
      exitCode: 10,
      out: "token [REDACTED:HF_TOKEN]",
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

it("detects within 50 ms of the write, also what stands at the end of the output so far", async () => {
  const count = 120;
  const values = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`T${i}`, new Secret(randomToken())]),
  );
  const program = `
    const sleep = (ms) => new Promise((settle) => setTimeout(settle, ms));
    (async () => {
      await sleep(200);
      for (let i = 0; i < ${count}; i++) {
        const now = performance.timeOrigin + performance.now();
        process.stdout.write("T" + i + " " + now + " " + process.env["T" + i]);
        await sleep(12);
        process.stdout.write("\\n");
      }
    })();`;
  let p99 = Number.POSITIVE_INFINITY;
  // A busy machine may be late; it is not late three times.
  for (let attempt = 0; attempt < 3 && p99 >= 50; attempt++) {
    const seen = new Map<string, number>();
    const result = await run({
      command: node(program),
      secrets: values,
      monitor: {
        record(event) {
          if (event.type === "finding" && event.name !== undefined) {
            seen.set(event.name, performance.timeOrigin + performance.now());
          }
        },
      },
    });
    const delays = [...result.out.matchAll(/(T\d+) ([\d.]+) \[REDACTED:\1\]/g)].map(
      ([, name = "", written]) => (seen.get(name) ?? Number.POSITIVE_INFINITY) - Number(written),
    );
    expect(delays).toHaveLength(count);
    p99 = delays.sort((a, b) => a - b)[Math.floor(count * 0.99)] ?? Number.POSITIVE_INFINITY;
  }
  expect(p99).toBeLessThan(50);
}, 30_000);

describe("before the start", () => {
  it("a wrong table is refused before anything is resolved", async () => {
    const monitor = { onLeak: "stop" as "halt" };
    await expect(
      launch({ command: ["true"], secrets: { A: "env://A" }, monitor }),
    ).rejects.toMatchObject({
      code: "MONITOR_INVALID",
    });
  });

  it("a monitor that is none, and an alert command with a secret in it, are refused", async () => {
    const start = (monitor: unknown) =>
      launch({ command: ["true"], secrets, monitor: monitor as LaunchOptions["monitor"] });
    await expect(start(null)).rejects.toMatchObject({ code: "MONITOR_INVALID" });
    await expect(start("halt")).rejects.toMatchObject({ code: "MONITOR_INVALID" });
    const alerts = [{ command: ["page-me", `--auth=${Buffer.from(token).toString("base64")}`] }];
    await expect(start({ alerts })).rejects.toMatchObject({
      code: "COMMAND_HOLDS_SECRET",
      message: expect.stringContaining(
        "argument 1 of an alert command holds the value of HF_TOKEN",
      ),
    });
  });

  it("a command can be refused, and nothing runs", async () => {
    const monitor = createMonitor({
      onFinding: [{ rule: "path-traversal", stream: "command", action: "halt" }],
    });
    let started = 0;
    const on: Runtime = {
      name: "none",
      start: () => {
        started++;
        throw new Error("started");
      },
    };
    const command = ["train", "--data", "../../etc"];
    await expect(launch({ on, command, monitor })).rejects.toMatchObject({
      code: "COMMAND_REFUSED",
    });
    expect(started).toBe(0);
  });

  it("the address of a webhook is resolved like a secret, and masked in the output", async () => {
    const address = `https://127.0.0.1:9/${randomToken("")}`;
    const from = createSecrets({ providers: [env({ vars: { HOOK: address } })] });
    const result = await run({
      command: node(
        `console.log(Buffer.from("${Buffer.from(address).toString("hex")}", "hex").toString())`.replace(
          /"(\w{40})(\w+)"/,
          '"$1" + "$2"',
        ),
      ),
      from,
      monitor: { alerts: [{ webhook: "env://HOOK" }] },
    });
    expect(result.out).toBe("[REDACTED:ALERT_WEBHOOK]\n");
    // It leaked, and the alert about it went nowhere: nobody listens there.
    expect(result.incident?.alerts).toEqual([{ sink: "webhook", sent: 0, failed: 1, dropped: 0 }]);
    expect(JSON.stringify([result.incident, result.events, result.notices])).not.toContain(address);
  });

  it("a webhook that is missing or not https is an error, and nothing runs", async () => {
    const vars = { PLAIN: "http://example.com/hook" };
    const from = createSecrets({ providers: [env({ vars })] });
    const alert = (webhook: string) => ({ monitor: { alerts: [{ webhook }] } });
    const start = (webhook: string) => launch({ command: ["true"], from, ...alert(webhook) });
    await expect(start("env://NONE")).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
    await expect(start("env://PLAIN")).rejects.toMatchObject({ code: "ENDPOINT_REFUSED" });
  });
});

it("a line of ours does not cut a line of the job's, unless that stays open", async () => {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const chunks: string[] = [];
  const stderr = new Writable({
    write(chunk, _, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const written = (end: string) =>
    vi.waitFor(() => expect(chunks.join("").endsWith(end)).toBe(true), { interval: 1 });
  let end: (code: { code: number }) => void = () => undefined;
  const ended = new Promise<{ code: number }>((settle) => {
    end = settle;
  });
  const started: RunningJob = {
    stdout: out,
    stderr: err,
    ended,
    kill: () => undefined,
    cleanUp: async () => 0,
  };
  const launched = launch({
    on: { name: "own", start: async () => started },
    command: ["train"],
    secrets,
    output: { stdout: new PassThrough().resume(), stderr },
    onNotice: (notice, isMidLine) =>
      void chunks.push(`${isMidLine === true ? "\n" : ""}> ${notice}\n`),
  });
  err.write("50% ");
  await written("50% ");
  out.write(`${token}\n`);
  err.write("done\n");
  await written("masked\n");
  err.write("bar ");
  await written("bar ");
  err.write(token);
  await written("masked\n");
  err.end(" end\n");
  out.end();
  end({ code: 0 });
  await launched;
  expect(chunks.join("")).toBe(
    "50% done\n> leaked to stdout: HF_TOKEN (raw); masked\nbar [REDACTED:HF_TOKEN]\n> leaked to stderr: HF_TOKEN (raw); masked\n end\n",
  );
});

describe("text to review", () => {
  const line = 'os.system(f"rm -rf {user_input}")';
  // A program in a file: as an argument it would be judged too.
  const program = (text: string) => {
    const folder = emptyFolder({ "job.cjs": `console.log(${text})` });
    return [process.execPath, join(folder, "job.cjs")];
  };
  const printing = () => program(JSON.stringify(line));
  const reviewed = { rule: "shell-injection", severity: "review", action: "review" };

  it("is told to the monitor alone: it is no leak, no mask, and stops nothing", async () => {
    const leaks: unknown[] = [];
    const onLeak = (leak: unknown) => void leaks.push(leak);
    const result = await run({ command: printing(), onLeak, monitor: { onLeak: "halt" } });
    expect(result).toMatchObject({ endedBy: "exit", exitCode: 0, out: `${line}\n`, notices: [] });
    expect(result.redactions).toEqual({ total: 0, counts: [] });
    expect(leaks).toEqual([]);
    expect(result.incident?.findings).toMatchObject([{ ...reviewed, isMasked: false, count: 1 }]);
    expect(result.events).toMatchObject([{ type: "finding", ...reviewed, stream: "stdout" }]);
    expect(JSON.stringify(result.events)).not.toContain("user_input");
    // The control: what is masked is told to all.
    const leaking = await run({
      command: node("console.log(process.env.T)"),
      secrets: { T: new Secret(token) },
      onLeak,
    });
    expect(leaks).toHaveLength(1);
    expect(leaking.redactions.total).toBe(1);
  });

  it("is never called masked, whatever a table makes of it", async () => {
    const alerted = await run({
      command: printing(),
      monitor: { onFinding: [{ rule: "shell-*", action: "halt" }] },
    });
    expect(alerted).toMatchObject({ endedBy: "exit", exitCode: 0 });
    expect(alerted.notices).toEqual(["warning: shell-injection on stdout; please review it"]);
    const id = "no-metrics";
    const shapes = [[{ chars: "a-z", max: 8 }]];
    const rule = {
      id,
      title: "x",
      does: "report",
      severity: "high",
      keywords: ["METRIC"],
      shapes,
      good: [],
      bad: [],
    } as const;
    const own = await run({
      command: program("'METRICxy'"),
      rules: [{ name: "own", rules: [rule] }],
    });
    expect(own).toMatchObject({
      out: "METRICxy\n",
      notices: ["found on stdout: no-metrics; not masked"],
      redactions: { total: 0 },
    });
  });

  it.each([
    ["by default", {}, 1],
    ["beside the rules of one's own", { rules: [] }, 1],
    ["once where the pack is named too", { rules: [defaultRules, reviewRules] }, 1],
    ["with a monitor that is made", { monitor: createMonitor() }, 1],
    ["not where the monitor does not review", { monitor: { review: false } }, 0],
    ["not with such a monitor that is made", { monitor: createMonitor({ review: false }) }, 0],
    ["not without rules", { rules: "none" }, 0],
  ] as const)("is looked for %s", async (_, options, count) => {
    const stdout = new PassThrough();
    const { incident } = await launch({
      command: printing(),
      ...options,
      output: { stdout: stdout.resume() },
    });
    expect(incident?.findings.map((finding) => finding.count) ?? []).toEqual(count ? [count] : []);
  });
});
