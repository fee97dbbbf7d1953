/** What a job in the shim finds: its environment, its files, and nothing of the shim itself. */
import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratch } from "../../support/scratch.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../../support/values.ts";
import { endOfShim, py, runInShim, sh, shimKey, startInShim, whyNoPython } from "./shim-harness.ts";

describe.skipIf(whyNoPython !== null)("what a job finds", () => {
  it("is the declared variables and an allow-list, not the rest of an attached secret", async () => {
    const secrets = { TOKEN: randomToken(), SIBLING: randomToken(), OTHER_KEY: randomToken() };
    const plain = { LANG: "C", PYTHONPATH: "/x", MODAL_TASK_ID: "ta-1", NCCL_DEBUG: "INFO" };
    const run = await runInShim({
      command: sh("env | cut -d= -f1 | sort | tr '\\n' ' '"),
      declared: ["TOKEN"],
      keep: ["MY_*", "RUN_TOKEN"],
      env: { ...secrets, ...plain, MY_SET: "1", MY_KEY: "k", RUN_TOKEN: "x", LD_PRELOAD: "" },
    });
    const names = run.stdout.toString().trim().split(" ");
    const kept = [
      "LANG",
      "MODAL_TASK_ID",
      "MY_SET",
      "NCCL_DEBUG",
      "PATH",
      "PYTHONPATH",
      "RUN_TOKEN",
      "TOKEN",
    ];
    expect(names.filter((name) => !/^(?:PWD|_|SHLVL|OLDPWD)$/.test(name))).toEqual(kept);
    expect(run.records[0]).toMatchObject({
      withheld: ["LD_PRELOAD", "MY_KEY", "OTHER_KEY", "SIBLING"],
    });
  });

  it("is its own values as they were given", async () => {
    const env = { TOKEN: `${awkwardPassword()}\n\ttwo`, PYTHONUNBUFFERED: "", LC_ALL: "POSIX" };
    const program = `import os, hashlib
print(hashlib.sha256(os.environb[b"TOKEN"]).hexdigest(), repr(os.environ["PYTHONUNBUFFERED"]))
print("LC_CTYPE" in open("/proc/self/environ").read())`;
    const run = await runInShim({ command: py(program), declared: ["TOKEN"], env });
    const digest = createHash("sha256").update(env.TOKEN).digest("hex");
    expect(run.stdout.toString()).toBe(`${digest} ''\nFalse\n`);
  });

  it("holds no key and no undeclared value, in no process above it", async () => {
    const env = { TOKEN: randomToken(), SIBLING: randomToken() };
    const program = `import os, hashlib
pid = os.getppid()
for name in ("environ", "cmdline"):
    for p in (pid, os.getpid()):
        data = open("/proc/%d/%s" % (p, name), "rb").read()
        print(name, len(data) > 0 or name == "environ", data.hex())
print([os.readlink("/proc/self/fd/" + n) for n in os.listdir("/proc/self/fd") if int(n) > 2][:9])`;
    const run = await runInShim({ command: py(program), declared: ["TOKEN"], env });
    const shown = run.stdout.toString();
    expect(shown).toContain("[REDACTED:TOKEN]");
    const hexOf = (value: string) => Buffer.from(value).toString("hex");
    for (const value of [env.SIBLING, shimKey.reveal(), "NOPEEK_SHIM_KEY"]) {
      expect(shown).not.toContain(hexOf(value));
    }
    // The environment of the shim itself is empty but for what Python needs: one mask, not two.
    expect(shown.match(/REDACTED/g)?.length).toBe(1);
    expect(shown).toContain(hexOf("-I"));
    expect(shown).not.toContain("memfd");
  });

  it("is no door into the shim for the same user", async () => {
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const env = { TOKEN: randomToken() };
    const program = `import os
pid = os.getppid()
for name in ("environ", "mem", "fd/1", "fd/2"):
    try:
        open("/proc/%d/%s" % (pid, name), "wb" if "/" in name else "rb")
        print(name, "is open")
    except PermissionError:
        print(name, "is closed")
print(open("/proc/self/environ").read() != "")`;
    const child = startInShim({ command: py(program), env, user: nobody });
    const run = await endOfShim(child);
    const closed = ["environ", "mem", "fd/1", "fd/2"].map((name) => `${name} is closed\n`);
    expect(run.stdout.toString()).toBe(`${closed.join("")}True\n`);
  });

  it("is no way to print past the shim by killing it", async () => {
    const env = { TOKEN: randomToken() };
    const line = 'trap "" PIPE; kill -9 $PPID; sleep 0.3; echo $TOKEN; echo $TOKEN >&2; true';
    const run = await runInShim({ command: sh(line), env });
    expect(run.signal).toBe("SIGKILL");
    expect(run.stdout.toString()).toBe("");
    expect(run.stderr.toString()).toBe("");
    // What tells the launcher: there is a start, and no end.
    expect(run.records.map(({ kind }) => kind)).toEqual(["start"]);
  });

  it("is a private file where a secret was declared as one, gone at the end", async () => {
    const pem = privateKeyPem().trimEnd();
    const bytes = Buffer.from([0, 255, ...Buffer.from(randomToken())]);
    const run = await runInShim({
      command: sh(
        'stat -c %a "$KEY_FILE" "$(dirname "$KEY_FILE")"; cat "$KEY_FILE"; echo; base64 < "$BYTES"; echo "$KEY_FILE"',
      ),
      env: { KEY_FILE: pem, BYTES: bytes.toString("base64") },
      files: [
        { name: "KEY_FILE", encoding: "text" },
        { name: "BYTES", encoding: "base64" },
      ],
    });
    const [mode, folderMode, masked, encoded, path = ""] = run.stdout.toString().split("\n");
    expect([mode, folderMode]).toEqual(["600", "700"]);
    expect(masked).toBe("[REDACTED:KEY_FILE]");
    expect(encoded).toMatch(/^\[REDACTED:BYTES\]=*$/);
    expect(path).toMatch(/\/nopeek-\w+\/KEY_FILE$/);
    expect(existsSync(path)).toBe(false);
  });

  it("names values that are no secrets, and masks them where that is asked", async () => {
    const env = { FLAG: "true", REGION: "us-east-1", PIN: "q7x1", MISSING: "" };
    const command = sh("echo $FLAG $REGION $PIN");
    const run = await runInShim({ command, env });
    expect(run.stdout.toString()).toBe("true us-east-1 q7x1\n");
    expect(run.records[0]).toMatchObject({
      plain: ["FLAG", "PIN", "REGION"],
      missing: ["MISSING"],
    });
    const weak = await runInShim({ command, env, allowWeak: ["PIN", "REGION"] });
    expect(weak.stdout.toString()).toBe("true [REDACTED:REGION] [REDACTED:PIN]\n");
  });

  it("names no variable that may be a value", async () => {
    const token = randomToken("hf_");
    const run = await runInShim({ command: ["true"], declared: [], env: { [token]: "HF_TOKEN" } });
    expect(run.rawStderr.includes(token)).toBe(false);
    expect(run.records[0]).toMatchObject({ withheld: [] });
  });

  it("masks the password of a proxy that is passed on", async () => {
    const password = randomToken();
    const run = await runInShim({
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of the shell.
      command: sh("echo $HTTPS_PROXY; echo ${HTTPS_PROXY#*:}; exit 0"),
      declared: [],
      env: { HTTPS_PROXY: `http://me:${password}@proxy:1` },
    });
    expect(run.stdout.includes(password)).toBe(false);
    expect(run.stdout.toString()).toContain("[REDACTED:HTTPS_PROXY]");
  });

  it("does not change the program: modules of the folder and variables of Python", async () => {
    const folder = scratch();
    for (const name of ["json", "re", "select", "hmac", "subprocess", "zlib"]) {
      writeFileSync(join(folder, `${name}.py`), "raise SystemExit('taken over')\n");
    }
    const env = { TOKEN: randomToken(), PYTHONPATH: folder, PYTHONSTARTUP: join(folder, "re.py") };
    const run = await runInShim({
      command: sh("echo $TOKEN"),
      declared: ["TOKEN"],
      env,
      cwd: folder,
    });
    expect(run.stdout.toString()).toBe("[REDACTED:TOKEN]\n");
  });
});
