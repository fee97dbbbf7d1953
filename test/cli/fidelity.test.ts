import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bin, emptyFolder, finish, firstLine, job, nopeek, start } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

const env = { HF_TOKEN: randomToken("hf_") };
const withSecret = ["run", "--secret", "HF_TOKEN"];

const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Whether a process runs; a zombie does not. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean, limitMs = 5000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!condition() && Date.now() < deadline) await sleep(10);
  expect(condition()).toBe(true);
}

describe("exit codes", () => {
  it.each([0, 3, 12, 126, 127])("keeps %i", async (code) => {
    expect((await nopeek([...withSecret, ...job(`process.exit(${code})`)], { env })).code).toBe(
      code,
    );
  });

  it.each([
    ["SIGKILL", 137],
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGSEGV", 139],
  ])("gives 128 + n after %s", async (signal, code) => {
    const run = await nopeek(
      [...withSecret, ...job(`process.kill(process.pid, "${signal}"); setTimeout(() => {}, 5000)`)],
      { env },
    );
    expect(run.code).toBe(code);
  });

  it("gives 127, 126 and 124 where it has to itself", async () => {
    const cwd = emptyFolder({ "not-executable": "echo", script: "#!/no/such/interpreter\n" });
    chmodSync(join(cwd, "script"), 0o755);
    const table = [
      [["--", "no-such-program"], 127, "no-such-program: command not found"],
      [["--", "./missing"], 127, "command not found"],
      [["--", "./not-executable"], 126, "cannot be executed"],
      [["--", cwd], 126, "cannot be executed"],
      [["--", "./script"], 126, "interpreter"],
      [["--timeout", "300ms", ...job("setTimeout(() => {}, 20000)")], 124, "time limit"],
    ] as const;
    for (const [args, code, message] of table) {
      const run = await nopeek([...withSecret, ...args], { cwd, env });
      expect(run.code, args.join(" ")).toBe(code);
      expect(run.stderr).toContain(message);
    }
  });
});

describe("signals", () => {
  it("ends the group, and what left it, when it is told to end", async () => {
    const cwd = emptyFolder();
    // A grandchild in the group, one in a session of its own, and one that ignores the signal.
    const script = `
      sleep 300 & echo $! >> pids
      setsid sleep 300 & sleep 0.1; pgrep -f "sleep 300" -n >> pids
      setsid sh -c 'trap "" TERM; echo $$ >> pids; sleep 300' &
      sleep 0.3; echo ready; wait`;
    const run = start([...withSecret, "--grace", "400ms", "--", "sh", "-c", script], { cwd, env });
    await firstLine(run);
    const pids = readFileSync(join(cwd, "pids"), "utf8").trim().split("\n").map(Number);
    expect(pids.length).toBeGreaterThanOrEqual(3);
    expect(pids.every(isAlive)).toBe(true);
    const begun = Date.now();
    run.kill("SIGTERM");
    expect((await finish(run)).code).toBe(143);
    expect(Date.now() - begun).toBeLessThan(3000);
    await until(() => !pids.some(isAlive), 500);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const)(
    "sends %s on",
    async (signal) => {
      const program = `process.on("${signal}", () => { console.log("got it"); process.exit(9); }); console.log("ready"); setTimeout(() => {}, 20000)`;
      const run = start([...withSecret, ...job(program)], { env });
      const ended = finish(run);
      await firstLine(run);
      run.kill(signal);
      expect(await ended).toMatchObject({ code: 9, stdout: "ready\ngot it\n" });
    },
  );

  it("kills a job that does not end after SIGTERM and the grace time", async () => {
    const program = `process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000)`;
    const run = start([...withSecret, "--grace", "200ms", ...job(program)], { env });
    const ended = finish(run);
    const pid = Number(await firstLine(run));
    run.kill("SIGTERM");
    expect((await ended).code).toBe(137);
    expect(isAlive(pid)).toBe(false);
  });

  it("ends what the command left running, and says so", async () => {
    const cwd = emptyFolder();
    const run = await nopeek(
      [...withSecret, "--", "sh", "-c", "sleep 300 & echo $! > pid; echo bye"],
      { cwd, env },
    );
    expect(run).toMatchObject({
      code: 0,
      stdout: "bye\n",
      stderr: "nopeek: ended 1 process that the command left running\n",
    });
    expect(isAlive(Number(readFileSync(join(cwd, "pid"), "utf8")))).toBe(false);
  });

  it("lets what the command left running finish its output first", async () => {
    const run = await nopeek(
      [...withSecret, "--", "sh", "-c", "(sleep 0.4; echo late) & echo early"],
      { env },
    );
    expect(run).toMatchObject({ code: 0, stdout: "early\nlate\n", stderr: "" });
  });

  it("passes signals through a nested run", async () => {
    const program = `process.on("SIGTERM", () => process.exit(8)); console.log(process.env.HF_TOKEN, process.env.NOPEEK_PARENT_RUNS !== undefined); setTimeout(() => {}, 20000)`;
    const inner = [process.execPath, "--", bin, ...withSecret, ...job(program)];
    const run = start([...withSecret, "--", ...inner], { env });
    const ended = finish(run);
    await firstLine(run);
    run.kill("SIGTERM");
    const { code, stdout } = await ended;
    expect([code, stdout]).toEqual([8, "[REDACTED:HF_TOKEN] true\n"]);
  });

  it("keeps codes and signals as PID 1", async ({ skip }) => {
    const unshare = [
      "unshare",
      ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"],
    ] as const;
    if (spawnSync(unshare[0], [...unshare[1], "true"]).status !== 0)
      skip("no user and PID namespaces here");
    const inside = [process.execPath, "--", bin, ...withSecret];
    const environment = { ...env, PATH: process.env["PATH"] ?? "" };
    const plain = spawnSync(unshare[0], [...unshare[1], ...inside, ...job("process.exit(7)")], {
      env: environment,
    });
    expect(plain.status).toBe(7);
    const program = `process.on("SIGTERM", () => process.exit(6)); console.log("ready"); setTimeout(() => {}, 20000)`;
    const script = `"$@" & pid=$!; sleep 1; kill -TERM $pid; wait $pid; exit $?`;
    const child = spawnSync(
      "sh",
      [
        "-c",
        `${unshare[0]} ${unshare[1].join(" ")} sh -c '${script.replaceAll("'", "'\\''")}' sh "$@"`,
        "sh",
        ...inside,
        ...job(program),
      ],
      { env: environment },
    );
    expect(child.status).toBe(6);
  });
});

describe("output", () => {
  const size = 64 * 1024 * 1024;

  it.each([
    ["random bytes", () => randomBytes(size)],
    [
      "text",
      () =>
        Buffer.from("epoch 3 step 12 loss=0.4321 acc=0.91 café\n".repeat(1_560_000)).subarray(
          0,
          size,
        ),
    ],
  ] as const)(
    "copies 64 MiB of %s",
    async (_, make) => {
      const bytes = make();
      const run = await nopeek([...withSecret, "--", "cat"], { env, input: bytes });
      expect(run.code).toBe(0);
      expect(sha(run.bytes)).toBe(sha(bytes));
    },
    60_000,
  );

  it("loses nothing to a reader that stalls, and keeps its memory", async () => {
    const program =
      "const b = Buffer.alloc(1 << 20, 'loss=0.1 \\n'); let n = 48; const go = () => { while (n-- > 0) if (!process.stdout.write(b)) return process.stdout.once('drain', go); }; go()";
    const run = start([...withSecret, ...job(program)], { env });
    run.stdout.pause();
    await sleep(700);
    const before = residentKiB(run.pid ?? 0);
    await sleep(3000);
    const grown = residentKiB(run.pid ?? 0) - before;
    const { code, bytes } = await finish(run);
    expect([code, bytes.length]).toEqual([0, 48 << 20]);
    expect(grown).toBeLessThan(32 * 1024);
  }, 60_000);

  it("copies one line of 256 MiB in bounded memory", async () => {
    const program =
      "const b = Buffer.alloc(1 << 20, 'x'); let n = 256; const go = () => { while (n-- > 0) if (!process.stdout.write(b)) return process.stdout.once('drain', go); }; go()";
    const run = start([...withSecret, ...job(program)], { env });
    let total = 0;
    let highest = 0;
    let lowest = Number.POSITIVE_INFINITY;
    run.stdout.on("data", (chunk: Buffer) => {
      total += chunk.length;
      const now = residentKiB(run.pid ?? 0);
      if (now > 0) [highest, lowest] = [Math.max(highest, now), Math.min(lowest, now)];
    });
    const code = await new Promise((settle) => run.on("close", settle));
    expect([code, total]).toEqual([0, 256 << 20]);
    expect(highest - lowest).toBeLessThan(32 * 1024);
  }, 60_000);

  it("is quiet when the reader goes away", async () => {
    const child = spawnSync(
      "sh",
      ["-c", `"$@" | head -n 1`, "sh", process.execPath, "--", bin, ...withSecret, "--", "yes"],
      { env: { ...env, PATH: process.env["PATH"] ?? "" } },
    );
    expect([String(child.stdout), String(child.stderr)]).toEqual(["y\n", ""]);
  });

  it("is a pipe that programs can open by its name", async () => {
    const program =
      "echo one > /dev/stdout; echo two > /dev/stderr; test -p /dev/stdout && echo pipe";
    const run = await nopeek([...withSecret, "--", "sh", "-c", program], { env });
    expect(run).toMatchObject({ stdout: "one\npipe\n", stderr: "two\n" });
  });

  it("passes a progress tick on within 50 ms", async () => {
    const program =
      "let n = 0; const t = setInterval(() => { process.stdout.write('\\r' + Date.now() + ' ' + '#'.repeat(n % 10) + ' h'); if (++n === 40) clearInterval(t); }, 60)";
    const run = start([...withSecret, ...job(program)], { env });
    const delays: number[] = [];
    run.stdout.on("data", (chunk: Buffer) => {
      const written = Number(/\r(\d+)/.exec(chunk.toString())?.[1]);
      if (written > 0) delays.push(Date.now() - written);
    });
    await new Promise((settle) => run.on("close", settle));
    expect(delays.length).toBeGreaterThan(30);
    // One tick in ten may meet a busy machine.
    expect(delays.sort((a, b) => a - b)[Math.floor(delays.length * 0.9)]).toBeLessThan(50);
  });
});

function residentKiB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

it("puts no value on any command line of its own", async () => {
  const run = start([...withSecret, ...job("setTimeout(() => {}, 1500)")], { env });
  await sleep(700);
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1");
      } catch {
        return "";
      }
    });
  expect(
    lines.filter((line) => line.includes("setTimeout(() => {}, 1500)")).length,
  ).toBeGreaterThanOrEqual(2);
  expect(lines.join("\n")).not.toContain(env.HF_TOKEN);
  await finish(run);
});
