// What the monitor adds to redaction: CPU time of redacting a log with it, as a ratio to without it.
import { randomBytes } from "node:crypto";
import { defaultRules, reviewRules } from "../dist/src/detect/index.js";
import { Secret } from "../dist/src/index.js";
import { createMonitor } from "../dist/src/monitor/index.js";
import { createRedactor } from "../dist/src/redact/index.js";
import { interleaved, printTable } from "./support.mjs";

const token = randomBytes(24).toString("base64url");
const secret = new Secret(token, { name: "TOKEN" });
const rounds = 7;

const lines = [
  "Epoch 3: 100%|##########| 1563/1563 [00:42<00:00, 36.9it/s, loss=0.32 (avg 0.41)]",
  '{"step": 1200, "loss": 0.251, "lr": 0.0001, "grad_norm": 1.02}',
  '  File "../train.py", line 88, in <module>',
  "2026-01-01 00:00:00,123 INFO trainer: saved checkpoint to /data/runs/7/ckpt-1200.pt",
];
const repeat = (text, bytes) => Buffer.from(text.repeat(Math.ceil(bytes / text.length)));
const logs = {
  "healthy log, 16 MiB": repeat(`${lines.join("\n")}\n`, 16 << 20),
  "one line without end, 16 MiB": repeat("loss=0.1 (avg 0.2) ", 16 << 20),
  "a leak in every line, 2 MiB": repeat(`token=${token}\n`, 2 << 20),
  "shell calls in every line, 4 MiB": repeat('os.system("rm " + name)\n', 4 << 20),
};

/** CPU milliseconds of one pass, in the pieces that a pipe gives. */
async function pass(log, withMonitor) {
  const monitor = createMonitor();
  const watch = monitor.watch({ runId: "r", isInjected: () => true, say: () => undefined });
  watch.guard(() => undefined);
  const rules = withMonitor ? [defaultRules, reviewRules] : "default";
  const redactor = createRedactor({ secrets: [secret], rules });
  let count = 0;
  const stream = redactor.stream(
    withMonitor
      ? {
          onFinding: (finding) => watch.masked(finding, "stdout"),
          onSight: (finding) => watch.sighted(finding, "stdout"),
        }
      : { onFinding: () => count++ },
  );
  stream.resume();
  const before = process.cpuUsage();
  for (let at = 0; at < log.length; at += 65_536) {
    if (!stream.write(log.subarray(at, at + 65_536))) {
      await new Promise((settle) => stream.once("drain", settle));
    }
  }
  await new Promise((settle) => stream.end(settle));
  const { user, system } = process.cpuUsage(before);
  await watch.end();
  return (user + system) / 1000;
}

const rows = [["log", "without", "with", "ratio"]];
for (const [name, log] of Object.entries(logs)) {
  const times = await interleaved(
    { without: () => pass(log, false), with: () => pass(log, true) },
    rounds,
  );
  rows.push([
    name,
    `${times.without.toFixed(0)} ms`,
    `${times.with.toFixed(0)} ms`,
    (times.with / times.without).toFixed(2),
  ]);
}
printTable("CPU time of redaction with the monitor, to without it", rows);
