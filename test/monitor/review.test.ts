import { defaultRules, reviewRules } from "nopeek/detect";
import type { MonitorEvent } from "nopeek/monitor";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { isSlow } from "../support/scratch.ts";
import { watching } from "../support/watching.ts";

const redactor = createRedactor({ secrets: [], rules: [defaultRules, reviewRules] });

/** What is to review in output, as rule and number; with the events. */
async function review(
  text: string | Buffer,
  cut: (bytes: Buffer) => Iterable<Buffer> = (b) => [b],
) {
  const watched = watching();
  const detectors = new Map<string | undefined, string>();
  const bytes = Buffer.from(text);
  let written = 0;
  const chunks = redactor.chunks({
    onFinding: (finding) => {
      detectors.set(finding.rule, finding.detector ?? "");
      watched.watch.masked(finding, "stdout");
    },
  });
  for (const piece of cut(bytes)) written += chunks.write(piece).length;
  written += chunks.end().length;
  // All of it is left as it is.
  expect(written).toBe(bytes.length);
  const incident = await watched.end();
  const counts: Record<string, number> = {};
  for (const { rule, count } of incident?.findings ?? []) {
    const detector = detectors.get(rule) ?? "";
    counts[detector] = (counts[detector] ?? 0) + count;
  }
  return { counts, events: watched.events, lines: watched.lines, incident };
}

function* byByte(bytes: Buffer): Iterable<Buffer> {
  for (let i = 0; i < bytes.length; i++) yield bytes.subarray(i, i + 1);
}

describe("the seed's examples", () => {
  const bad = {
    "path-traversal": ['open("../../etc/passwd")'],
    "shell-injection": ['os.system(f"rm -rf {user_input}")'],
  };
  const good = [
    'api_key = os.environ.get("API_KEY")',
    'modal.Secret.from_name("my-secrets")',
    "from pathlib import Path",
    'safe_path = Path("/data") / "cats" / filename',
    'subprocess.run(["rm", "-rf", safe_path])',
    '@app.function(secrets=[modal.Secret.from_name("my-secrets")])',
    'api_key = os.environ["API_KEY"]  # Safe',
    'export API_KEY="your-key-here"',
    'modal.Secret.from_dotenv("my-secrets")',
    'volume = modal.Volume.from_name("data")',
    '@app.function(volumes={"/data": volume})',
  ];

  it.each(Object.entries(bad))("bad ones fire as %s, with their action", async (rule, lines) => {
    for (const line of lines) {
      const { counts, events, lines: said } = await review(`${line}\n`);
      expect([line, counts]).toEqual([line, { [rule]: 1 }]);
      expect(events).toEqual([
        expect.objectContaining({ type: "finding", severity: "review", action: "review" }),
      ]);
      // For review: nobody is called.
      expect(said).toEqual([]);
    }
  });

  it("good ones are silent", async () => {
    expect((await review(good.join("\n"))).counts).toEqual({});
  });

  it("as arguments of a command they are judged before the launch", async () => {
    const watched = watching();
    watched.watch.judge(["python", "-c", 'os.system(f"rm -rf {user_input}")'], []);
    watched.watch.judge(["python", "train.py", "--data", "../../etc/passwd"], [3]);
    watched.watch.judge(["python", "train.py", "--data", "x/%2e%2e%2fetc"], []);
    watched.watch.judge(["python", "train.py", "--lr=0.1", "/data/cats"], []);
    watched.watch.masked({ rule: "x", fingerprint: "x" }, "stdout");
    const incident = await watched.end();
    const command = incident?.findings.filter(({ stream }) => stream === "command");
    expect(command?.map(({ rule, count }) => [rule, count])).toEqual([
      ["shell-injection", 1],
      ["path-traversal", 2],
    ]);
  });
});

describe("commands", () => {
  it("are refused where a line of the table says so, before anything runs", async () => {
    const watched = watching({
      onFinding: [{ rule: "shell-injection", stream: "command", action: "halt" }],
    });
    const refused = () => watched.watch.judge(["sh", "-c", "train; rm -rf $DIR"], []);
    expect(refused).toThrowError(
      expect.objectContaining({
        code: "COMMAND_REFUSED",
        message: expect.stringMatching(/^argument 2 of the command: shell-injection is refused/),
      }),
    );
    expect(() => watched.watch.judge(["train", "--out", "../x"], [2])).not.toThrow();
    // The same table leaves the output alone.
    for (const finding of redactor.find('os.system("rm " + name)\n')) {
      watched.watch.masked(finding, "stdout");
    }
    expect(watched.halts).toBe(0);
    await watched.end();
  });

  it.each([..."|;&`$()"])("%s in an argument is what a shell reads", async (character) => {
    const watched = watching({
      onFinding: [{ rule: "shell-*", stream: "command", action: "halt" }],
    });
    expect(() => watched.watch.judge(["train", `a${character}b`], [])).toThrow("argument 1");
    expect(() => watched.watch.judge(["train", "a-b_c.d/e:f,g=h"], [])).not.toThrow();
    await watched.end();
  });
});

const suspicious: Readonly<Record<string, readonly string[]>> = {
  "shell-injection": [
    'os.system("rm -rf " + path)',
    "os.popen(f'ls {folder}')",
    'subprocess.run(f"tar xf {name}", shell=True)',
    "subprocess.Popen(cmd, shell=True)",
    'subprocess.call("ls %s" % name, shell = True)',
    "child_process.exec(`git clone $" + "{url}`)",
    'execSync("curl " + url)',
    '  File "run.py", line 3, in main: os.system("echo {}".format(x))',
  ],
  "path-traversal": [
    'with open("../../../etc/shadow") as f:',
    "cat ../../secrets/prod.env",
    "torch.load('../../checkpoints/x.pt')",
    "GET /files/..%2f..%2fetc/passwd",
    "GET /files/%2e%2e%5cwindows",
    "tar: extracting ../../bin/sh",
    'np.load("..\\\\..\\\\data.npy")',
    "cp ../.ssh/id_rsa /tmp",
  ],
};

const healthy = [
  '  File "../train.py", line 88, in <module>',
  '    File "../../lib/python3/site-packages/torch/nn/modules/module.py", line 1511, in _call_impl',
  "../aten/src/ATen/native/cuda/Loss.cu:1292: operator(): block: [0,0,0] Assertion failed",
  "pip install -r ../requirements.txt",
  "Epoch 3: 100%|##########| 1563/1563 [00:42<00:00, 36.9it/s, loss=0.32 (avg 0.41)]",
  'subprocess.run(["nvidia-smi", "-L"], check=True)',
  'os.system("clear")',
  "optimizer.step(); scheduler.step() && done",
  "loading checkpoint shards: 50%|#####     | 1/2 [00:01<00:01, 1.2s/it]",
  "wandb: Run data is saved locally in ./wandb/run-20261122_020202-abc",
  "loss: 0.25.. lr: 1e-4 .. grad_norm: 1.0",
  "100%2 done, range 1..10",
  'RuntimeError: Expected all tensors to be on the same device (got "cuda:0" and "cpu")',
];

describe("output", () => {
  it.each(Object.entries(suspicious))("shows %s in calls of many kinds", async (rule, lines) => {
    for (const line of lines)
      expect([line, (await review(line)).counts]).toEqual([line, { [rule]: 1 }]);
  });

  it("of healthy training is not flagged", async () => {
    for (const line of healthy) expect([line, (await review(line)).counts]).toEqual([line, {}]);
    const lines = Array.from({ length: 50_000 }, (_, i) => `${healthy[i % healthy.length]} ${i}`);
    expect((await review(lines.join("\n"))).counts).toEqual({});
    expect((await review(lines.slice(0, 200).join("\r"))).counts).toEqual({});
  });

  it("is seen alike in one piece, byte by byte, in pieces, and between tqdm's carriage returns", async () => {
    const lines = [...Object.values(suspicious).flat(), ...healthy];
    const expected = { "shell-injection": 8, "path-traversal": 8 };
    for (const end of ["\n", "\r\n", "\r"]) {
      const text = Buffer.from(lines.join(end));
      expect((await review(text)).counts).toEqual(expected);
      expect((await review(text, byByte)).counts).toEqual(expected);
      for (const size of [7, 64, 500]) {
        const pieces = function* (bytes: Buffer) {
          for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
        };
        expect((await review(text, pieces)).counts).toEqual(expected);
      }
    }
  });

  it("in a line without end is found wherever it stands", async () => {
    const hit = ' os.system("rm " + name) ';
    for (const before of [0, 100, 3_800, 4_090, 4_096, 8_000, 100_000]) {
      const text = `${"x ".repeat(before / 2)}${hit}${"y ".repeat(3_000)}`;
      for (const cut of [(b: Buffer) => [b], byByte]) {
        const { counts } = await review(text, cut);
        expect([before, Object.keys(counts)]).toEqual([before, ["shell-injection"]]);
      }
      expect(Object.keys((await review(`${text}\nnext\n`)).counts)).toEqual(["shell-injection"]);
    }
  });

  it("is told once for the same text, and limited in rate; all is counted", async () => {
    const same = await review('os.system("rm " + a)\n'.repeat(500));
    expect([same.counts, same.events.length]).toEqual([{ "shell-injection": 500 }, 1]);
    const text = Array.from({ length: 500 }, (_, i) => `os.system("rm ${i} " + a)\n`).join("");
    const many = await review(text);
    expect([many.counts, many.events.length]).toEqual([{ "shell-injection": 500 }, 20]);
    expect(many.incident?.suppressed).toBe(480);
  });

  it("stands in no event, and its fingerprint is keyed", async () => {
    const { events, incident } = await review('os.system("hunter2 " + a)\n');
    expect(JSON.stringify([events, incident])).not.toContain("hunter2");
    expect((events[0] as MonitorEvent & { fingerprint: string }).fingerprint).toMatch(
      /^process:\w{32}$/,
    );
  });

  it("is not looked at where review is off", async () => {
    const watched = watching({ review: false });
    watched.watch.judge(["sh", "-c", "a; b"], []);
    expect(await watched.end()).toBeUndefined();
  });
});

describe("hostile text", () => {
  const bytes = (isSlow ? 16 : 1) * 1024 * 1024;
  const seeds = [
    "os.system(",
    'os.system(f"',
    "subprocess.run(shell=True ",
    "subprocess.subprocess.",
    "system(a+",
    "system(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ",
    'system("',
    "../",
    "..\\",
    "open(../",
    "cat cat cat ../../",
    "%2e%2e",
    "..%",
    "open ",
    "load",
    ".",
    "(",
    "\\",
    "'",
    " ",
  ];
  const shapes: Readonly<Record<string, (seed: string) => string>> = {
    "one line": (seed) => seed.repeat(bytes / seed.length),
    "many lines": (seed) => `${seed.repeat(10)}\n`.repeat(bytes / (seed.length * 10 + 1)),
  };

  it.each(Object.keys(shapes))("costs no more than time for its length: %s", async (shape) => {
    for (const seed of seeds) {
      const text = Buffer.from(shapes[shape]?.(seed) ?? "");
      const before = process.cpuUsage();
      await review(text);
      const { user, system } = process.cpuUsage(before);
      expect([seed, (user + system) / 1000 < (bytes / 1024 / 1024) * 2_000]).toEqual([seed, true]);
    }
  });
});
