/** What the shim does around a command: masks, records, codes and signals. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratch } from "../../support/scratch.ts";
import { awkwardPassword, randomToken } from "../../support/values.ts";
import {
  endOfShim,
  isGone,
  py,
  runInShim,
  sh,
  startInShim,
  until,
  whyNoPython,
} from "./shim-harness.ts";

const startRecord = { kind: "start", number: 0, withheld: [], plain: [], missing: [] };

describe.skipIf(whyNoPython !== null)("the shim", () => {
  it("masks both streams, keeps every other byte, and gives input and exit code", async () => {
    const token = randomToken();
    const run = await runInShim({
      command: sh('echo "out $TOKEN"; echo "err $TOKEN" >&2; cat; exit 3'),
      env: { TOKEN: token },
      input: "typed \xff\n",
    });
    expect(run.stdout.toString()).toBe("out [REDACTED:TOKEN]\ntyped \xff\n");
    expect(run.stderr.toString()).toBe("err [REDACTED:TOKEN]\n");
    expect(run.code).toBe(3);
    expect(run.rawStderr.includes(token)).toBe(false);
    const found = { kind: "found", name: "TOKEN", form: "raw", strength: "strong", count: 1 };
    expect(run.records[0]).toEqual(startRecord);
    expect(run.records.slice(1, 3)).toEqual(
      expect.arrayContaining([
        { ...found, number: expect.any(Number), stream: "stdout" },
        { ...found, number: expect.any(Number), stream: "stderr" },
      ]),
    );
    expect(run.records.slice(3)).toEqual([{ kind: "end", number: 3, code: 3, signal: undefined }]);
  });

  it("counts masks by name, form and stream", async () => {
    const program = `import os, base64, sys
v = os.environ["TOKEN"]
for i in range(1000): print(v)
print(v.encode().hex(), v[:-1], sep="\\n")
print(repr(os.environ["PASSWORD"]), file=sys.stderr)`;
    const env = { TOKEN: randomToken(), PASSWORD: awkwardPassword() };
    const run = await runInShim({ command: py(program), env });
    const counts = new Map<string, number>();
    for (const record of run.records) {
      if (record.kind !== "found") continue;
      const key = `${record.name} ${record.form} ${record.stream}`;
      counts.set(key, (counts.get(key) ?? 0) + record.count);
    }
    expect(Object.fromEntries(counts)).toEqual({
      "TOKEN raw stdout": 1000,
      "TOKEN hex stdout": 1,
      "PASSWORD python stderr": 1,
    });
    expect(run.records.length).toBeLessThan(50);
    // Control: what is no form stays.
    expect(run.stdout.toString()).toContain(env.TOKEN.slice(0, -1));
  });

  it.each([
    ["a missing program", ["nopeek-no-such-program"], 127, /: command not found\n$/],
    ["a folder", ["/"], 126, /: cannot be executed \(EACCES\)\n$/],
    ["a file that is not executable", ["/etc/passwd"], 126, /: cannot be executed/],
    ["a signal", sh("kill -KILL $$"), 137, /^$/],
    ["its own 78", sh("exit 78"), 78, /^$/],
  ])("ends with the code that a shell gives: %s", async (_, command, code, message) => {
    const run = await runInShim({ command, env: { TOKEN: randomToken() } });
    expect(run.stderr.toString()).toMatch(message);
    expect(run.code).toBe(code);
    const signal = code === 137 ? "SIGKILL" : undefined;
    expect(run.records.at(-1)).toMatchObject({ kind: "end", code, signal });
  });

  it("tells a program without its interpreter from one that does not exist", async () => {
    const path = join(scratch(), "script");
    writeFileSync(path, "#!/nopeek/no/such/interpreter\n", { mode: 0o755 });
    const run = await runInShim({ command: [path] });
    expect(run.stderr.toString()).toContain("its interpreter does not exist");
    expect(run.code).toBe(126);
  });

  it("refuses a command that holds a value which only the container knows", async () => {
    const token = randomToken();
    const hex = Buffer.from(token).toString("hex");
    for (const item of [token, `--token=${token}`, hex]) {
      const run = await runInShim({ command: ["echo", "started", item], env: { TOKEN: token } });
      expect([run.code, run.stdout.toString()]).toEqual([77, ""]);
      expect(run.stderr.toString()).toContain("argument 2 of the command holds the value of TOKEN");
      expect(run.rawStderr.includes(item)).toBe(false);
    }
  });

  it("forwards signals to the process group, and gives the code that the job ends with", async () => {
    const line =
      'trap "echo got; exit 5" TERM; (trap "echo child" TERM; echo up; sleep 9 & wait); wait';
    const child = startInShim({ command: sh(line), env: { TOKEN: randomToken() } });
    const ended = endOfShim(child);
    await until(child.stdout, "up");
    child.kill("SIGTERM");
    const run = await ended;
    expect(run.stdout.toString()).toContain("got");
    expect(run.stdout.toString()).toContain("child");
    expect(run.code).toBe(5);
  });

  it("gives 128 + n when a forwarded signal ends the job", async () => {
    const child = startInShim({ command: sh("echo up; exec sleep 9") });
    const ended = endOfShim(child);
    await until(child.stdout, "up");
    child.kill("SIGINT");
    const run = await ended;
    expect([run.code, run.signal]).toEqual([130, null]);
    expect(run.records.at(-1)).toMatchObject({ kind: "end", code: 130, signal: "SIGINT" });
  });
});

describe.skipIf(whyNoPython !== null)("the end", () => {
  const leaves = (line: string) => runInShim({ command: sh(line), env: { TOKEN: randomToken() } });

  it.each([
    ["in the group", "sleep 60 & echo $!; echo bye"],
    ["in the group, with output closed", "sleep 60 >/dev/null 2>&1 & echo $!; echo bye"],
    ["out of the group", 'setsid sh -c "echo \\$\\$; exec sleep 60" & sleep 0.3; echo bye'],
    [
      "deaf to SIGTERM",
      `sh -c 'trap "" TERM; echo $$; sleep 60 & wait; sleep 60' & sleep 0.2; echo bye`,
    ],
  ])("leaves no process behind: %s", async (_, line) => {
    const begun = performance.now();
    const run = await leaves(line);
    const [pid = ""] = run.stdout.toString().split("\n");
    expect(isGone(Number(pid))).toBe(true);
    expect(run.stdout.toString()).toContain("bye");
    expect(run.code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(8000);
  });

  it("comes after what a child still writes, masked", async () => {
    const run = await leaves("(sleep 0.4; echo late $TOKEN; sleep 0.4; echo later) & echo now");
    expect(run.stdout.toString()).toBe("now\nlate [REDACTED:TOKEN]\nlater\n");
  });

  it("leaves no zombie while the job runs", async () => {
    const program = `import os, subprocess, time
for i in range(20): subprocess.run(["sh", "-c", "sleep 0.05 &"])
time.sleep(0.5)
def stat(p):
    try: return open("/proc/%s/stat" % p).read().rpartition(")")[2].split()
    except OSError: return ["?", "0"]
print([s for s in map(stat, filter(str.isdigit, os.listdir("/proc"))) if s[1] == str(os.getppid()) and s[0] == "Z"])`;
    const run = await runInShim({ command: py(program), env: { TOKEN: randomToken() } });
    expect(run.stdout.toString()).toBe("[]\n");
  });
});
