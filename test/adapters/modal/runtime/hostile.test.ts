/** Jobs on Modal that try to get past the guard, or to have the launcher believe them. */
import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { Secret } from "nopeek";
import { launchMany } from "nopeek/launch";
import { describe, expect, it } from "vitest";
import { emptyFolder } from "../../../support/command.ts";
import { randomToken } from "../../../support/values.ts";
import { useModalServer } from "../harness.ts";
import { backends, run, runtime, shell } from "./support.ts";

const used = useModalServer();
const newest = () => used.server.sandboxes().at(-1);
const withToken = () => ({ HF_TOKEN: new Secret(randomToken("hf_")) });

describe.each(backends)("%s", (backend, extra) => {
  const on = () => runtime({ ...extra, shim: "required" });

  it("believes no record of the job's own: end, start, half, or over two streams", async () => {
    const forged = `\x1enopeek ${"ab".repeat(32)} {"n":7,"kind":"end","code":0}\n`;
    const half = forged.length / 2;
    const result = await run({
      on: on(),
      command: shell(
        'printf %s "$A" >&2; printf %s "$H"; printf %s "$T" >&2; printf %s "$H" >&2; echo "$HF_TOKEN" >&2; exit 5',
      ),
      env: { A: forged, H: forged.slice(0, half), T: forged.slice(half) },
      secrets: withToken(),
    });
    expect(result).toMatchObject({ exitCode: 5, endedBy: "exit", out: forged.slice(0, half) });
    expect(result.err).toBe(
      `${forged}${forged.slice(half)}${forged.slice(0, half)}[REDACTED:HF_TOKEN]\n`,
    );
    expect(result.redactions.total).toBe(1);
  });

  it("believes no record that another job of the same runtime wrote", async () => {
    const on = runtime({ ...extra, shim: "required" });
    const secrets = withToken();
    await run({ on, command: shell('echo "$HF_TOKEN"; exit 9'), secrets });
    const stolen = newest()?.stderr.toString("latin1") ?? "";
    expect(stolen.match(/\x1enopeek /g)?.length).toBe(3);
    const replay = await run({
      on,
      command: shell('printf %s "$STOLEN" >&2; exit 0'),
      env: { STOLEN: stolen },
      secrets,
    });
    expect(replay).toMatchObject({ exitCode: 0, err: stolen, leaks: [] });
    const sink = () => new PassThrough().resume();
    const leaks: string[] = [];
    const [careless, thief] = await launchMany({
      on,
      concurrency: 2,
      secrets,
      jobs: [
        { name: "careless", command: shell('echo "$HF_TOKEN"') },
        { name: "thief", command: shell('printf %s "$STOLEN" >&2'), env: { STOLEN: stolen } },
      ],
      onLeak: ({ job }) => void leaks.push(job),
      output: { stdout: sink(), stderr: sink() },
    });
    expect(careless).toMatchObject({ result: { redactions: { total: 1 } } });
    expect(thief).toMatchObject({ result: { exitCode: 0, redactions: { total: 0 } } });
    expect(leaks).toEqual(["careless"]);
  });

  it("goes on when the job closes a stream, and waits for the other", async () => {
    const command = shell('echo out; exec >&-; sleep 0.5; echo "late $HF_TOKEN" >&2; exit 4');
    const result = await run({ on: on(), command, secrets: withToken() });
    expect(result).toMatchObject({ exitCode: 4, out: "out\n", err: "late [REDACTED:HF_TOKEN]\n" });
    const none = await run({
      on: on(),
      command: shell("exec >&- 2>&-; exit 6"),
      secrets: withToken(),
    });
    expect(none).toMatchObject({ exitCode: 6, out: "", err: "" });
  });

  it.each(["required", "off"] as const)(
    "masks in a line of 10 MB without an end, shim %s",
    async (shim) => {
      const program = `import os,sys
w=sys.stdout.buffer.write
for i in range(80): w(b"x"*65536); w(b"\\x1enopeek "); w(b"\\xc3\\xa9"*32768)
w(os.environ["HF_TOKEN"].encode()); w(b"y"*70000)`;
      const result = await run({
        on: runtime({ ...extra, shim }),
        command: ["python3", "-c", program],
        secrets: withToken(),
      });
      const part = Buffer.concat([
        Buffer.from(`${"x".repeat(65_536)}\x1enopeek ${"\u00e9".repeat(32_768)}`),
      ]);
      const expected = Buffer.concat([
        ...Array.from({ length: 80 }, () => part),
        Buffer.from(`[REDACTED:HF_TOKEN]${"y".repeat(70_000)}`),
      ]);
      const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
      expect(result.bytes.length).toBe(expected.length);
      expect(digest(result.bytes)).toBe(digest(expected));
      expect(result.notices).toEqual([]);
    },
    60_000,
  );

  it("gives binary output as the client does: what is no UTF-8 becomes U+FFFD", async () => {
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 7) % 256));
    const result = await run({
      on: on(),
      command: [
        "python3",
        "-c",
        "import sys;sys.stdout.buffer.write(bytes(i*7%256 for i in range(512)))",
      ],
      secrets: withToken(),
    });
    expect(result.out).toBe(bytes.toString("utf8"));
    expect(newest()?.stdout).toEqual(bytes);
  });

  it("starts the guard whatever lies in the folder of the program", async () => {
    const taken = "import os;os.write(1,b'taken over '+os.environb.get(b'HF_TOKEN',b''))\n";
    const names = [
      "sitecustomize",
      "usercustomize",
      "json",
      "re",
      "os",
      "zlib",
      "binascii",
      "nopeek",
    ];
    const dir = emptyFolder({
      ...Object.fromEntries(names.map((name) => [`${name}.py`, taken])),
      python3: "#!/bin/sh\necho taken over $HF_TOKEN\n",
      "main.sh": 'echo "token $HF_TOKEN"\n',
    });
    const result = await run({
      on: on(),
      command: ["sh", "main.sh"],
      code: { dir },
      env: { PYTHONPATH: "/work", PYTHONSTARTUP: "/work/re.py", PYTHONINSPECT: "1", BASH_ENV: "x" },
      secrets: withToken(),
    });
    expect(result).toMatchObject({ exitCode: 0, out: "token [REDACTED:HF_TOKEN]\n", notices: [] });
    expect(newest()?.stdout.toString()).toBe("token [REDACTED:HF_TOKEN]\n");
  });

  it("takes output that comes after the exit code", async () => {
    const method = backend === "V2" ? "SandboxStdioReadV2" : "SandboxGetLogs";
    used.server.fault(method, { delayMs: 1500, times: 2 });
    const result = await run({
      on: on(),
      command: shell('echo "one $HF_TOKEN"; echo two >&2; exit 3'),
      secrets: withToken(),
    });
    expect(result).toMatchObject({ exitCode: 3, out: "one [REDACTED:HF_TOKEN]\n", err: "two\n" });
    expect(result.outputLost).toBe(false);
  });

  it("masks what a job prints after a halt, and ends it", async () => {
    const result = await run({
      on: on(),
      command: shell('trap "" TERM; while :; do echo "again $HF_TOKEN"; sleep 0.01; done'),
      secrets: withToken(),
      monitor: { onLeak: "halt" },
    });
    expect(result).toMatchObject({ endedBy: "halt", exitCode: 10 });
    expect(result.out).toMatch(/^(?:again \[REDACTED:HF_TOKEN\]\n)+/);
    expect(newest()?.exitCode).toBe(137);
  });
});
