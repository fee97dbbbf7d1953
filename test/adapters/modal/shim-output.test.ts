/** Output through the shim: every byte, no memory, no delay, no reader. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { randomToken } from "../../support/values.ts";
import { endOfShim, py, runInShim, sh, startInShim, until, whyNoPython } from "./shim-harness.ts";

const slow = process.env["SLOW"] === "1";

describe.skipIf(whyNoPython !== null)("output", () => {
  it("of any bytes is the same, and as fast as its reader", async () => {
    const mib = slow ? 64 : 4;
    const program = `import os, sys, hashlib, random
h = hashlib.sha256()
for i in range(${mib}):
    b = random.randbytes(1 << 20) if hasattr(random, "randbytes") else os.urandom(1 << 20)
    h.update(b)
    sys.stdout.buffer.write(b)
print(h.hexdigest(), end="", file=sys.stderr)`;
    const run = await runInShim({ command: py(program), env: { TOKEN: randomToken() } });
    expect(run.stdout.length).toBe(mib << 20);
    expect(run.stderr.toString()).toBe(createHash("sha256").update(run.stdout).digest("hex"));
  });

  it("of one endless line takes no memory", async () => {
    const mib = slow ? 256 : 24;
    const program = `import os, sys
def peak(): return int([l for l in open("/proc/%d/status" % os.getppid()) if "VmHWM" in l][0].split()[1])
v = os.environ["TOKEN"]
sys.stdout.write(v[:9] * 100000); sys.stdout.flush()
before = peak()
for i in range(${mib}): sys.stdout.write(("x" * 1000 + v[:20]) * 1024)
sys.stdout.flush()
print(peak() - before, file=sys.stderr)`;
    const child = startInShim({ command: py(program), env: { TOKEN: randomToken() } });
    let bytes = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    const run = await endOfShim(child, { keepStdout: false });
    expect(bytes).toBe(900_000 + mib * 1020 * 1024);
    expect(Number(run.stderr.toString())).toBeLessThan(8192);
  });

  it("waits for a reader that stalls", async () => {
    const program = `import sys, os
for i in range(64):
    sys.stdout.write("x" * 65535 + "\\n"); sys.stdout.flush()
    os.write(2, b"%d " % i)`;
    const child = startInShim({ command: py(program), env: { TOKEN: randomToken() } });
    child.stdout.pause();
    let progress = "";
    child.stderr.on("data", (chunk) => {
      progress += chunk;
    });
    await until(child.stderr, "0 ");
    await new Promise((settle) => setTimeout(settle, 300));
    expect(Number(progress.trim().split(" ").at(-1))).toBeLessThan(30);
    const run = await endOfShim(child);
    expect(run.stdout.length).toBe(64 * 65_536);
    expect(run.code).toBe(0);
  });

  it("that pauses in the middle of a value shows four bytes, and masks the rest", async () => {
    const token = randomToken();
    const program = `import os, sys, time
v = os.environ["TOKEN"]
sys.stdout.write("> " + v[:20]); sys.stdout.flush()
sys.stdin.readline()
sys.stdout.write(v[20:] + " done\\n")`;
    for (const hold of ["pause", "strict"] as const) {
      const child = startInShim({ command: py(program), env: { TOKEN: token }, hold, input: null });
      const ended = endOfShim(child);
      await until(child.stdout, hold === "pause" ? `> ${token.slice(0, 4)}` : "> ");
      child.stdin.end("\n");
      const shown = hold === "pause" ? token.slice(0, 4) : "";
      expect((await ended).stdout.toString()).toBe(`> ${shown}[REDACTED:TOKEN] done\n`);
    }
  });

  it("ends where the job closes it, and where nobody reads it", async () => {
    const closing = await runInShim({
      command: sh("echo a; exec >&-; echo $TOKEN >&2; sleep 0.2; exit 4"),
      env: { TOKEN: randomToken() },
    });
    expect([closing.stdout.toString(), closing.stderr.toString(), closing.code]).toEqual([
      "a\n",
      "[REDACTED:TOKEN]\n",
      4,
    ]);
    const child = startInShim({
      command: sh("yes; echo code $? >&2"),
      env: { TOKEN: randomToken() },
    });
    await once(child.stdout, "data");
    child.stdout.destroy();
    const piped = await endOfShim(child, { keepStdout: false });
    expect(piped.stderr.toString()).toMatch(/^(?:yes: .*\n)?code (?:141|1)\n$/);
  });

  it("keeps records out of lines and characters", async () => {
    const program = `import os, time
v = os.environ["TOKEN"]
os.write(1, v.encode() + b"\\n")
os.write(2, b"caf\\xc3"); time.sleep(0.4); os.write(2, b"\\xa9 au lait\\n")
os.write(1, v.encode() + b"\\n"); time.sleep(0.1)
os.write(2, b"end\\n")`;
    const run = await runInShim({ command: py(program), env: { TOKEN: randomToken() } });
    expect(run.rawStderr.toString()).toContain("café");
    expect(run.stderr.toString()).toBe("café au lait\nend\n");
    expect(run.records.map(({ number }) => number)).toEqual(run.records.map((_, i) => i));
  });
});
