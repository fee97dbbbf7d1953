// Throughput of the shim of jobs on Modal, with 20 secrets in all forms: `cat` of a file as the job,
// everything it takes in processor time (whole processes, start included), and beside it the same
// pipe through a Python program that only copies: the most that Python can do. Goal: 20 MB/s.
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shimSource } from "../dist/adapters/modal/shim/source.js";
import { interleaved, printTable } from "./support.mjs";

const megabytes = 32;
const token = () => `tok_${randomBytes(18).toString("hex")}`;
const password = () => `p@ss "w'ö\\rd/<&>%+$${randomBytes(8).toString("hex")}=~€`;
const pem = () =>
  generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
const account = () => JSON.stringify({ type: "service_account", private_key: pem(), id: token() });
const times = (count, make) => Array.from({ length: count }, make);

const secretSets = {
  "20 tokens": times(20, token),
  "12 tokens, 4 passwords, 3 keys, 1 account": [
    ...times(12, token),
    ...times(4, password),
    ...times(3, pem),
    account(),
  ],
};

const logLines = [
  (i) =>
    `epoch ${i % 90} step ${i} loss=${(1 / (1 + i)).toFixed(6)} lr=3.0e-04 tok/s=${10_000 + (i % 999)}\n`,
  (i) =>
    `{"level":30,"time":17${i},"msg":"batch done","sha":"${(i * 2654435761).toString(16)}","gpu":${i % 8}}\n`,
  (i) =>
    `\r ${i % 100}%|${"#".repeat(i % 40).padEnd(40)}| ${i}/9999 [00:${i % 60}<01:10, 12.3it/s]`,
  () => `  File "/opt/train/loop.py", line 88, in step\n    loss.backward()\n`,
];
const log = (i) => logLines[i % logLines.length](i);
const outputs = {
  "training log, a leak every 2,000 lines": (i, values) =>
    log(i) + (i % 2000 === 0 ? `${values[(i / 2000) % values.length]}\n` : ""),
  "the same in colours": (i) => `\x1b[1;3${i % 8}m${log(i)}\x1b[0m`,
  "a leak every 10 lines": (i, values) =>
    log(i) + (i % 10 === 0 ? `key=${values[(i / 10) % values.length]}\n` : ""),
  "values without their last byte": (i, values) => `${values[i % values.length].slice(0, -1)}\n`,
  "one line": (i) => log(i).replace(/[\r\n]/g, " "),
};

function corpus(line, values) {
  const parts = [];
  for (let i = 0, size = 0; size < megabytes * 1e6; i++) {
    parts.push(line(i, values));
    size += parts.at(-1).length;
  }
  return parts.join("");
}

/** Runs a command and gives the processor time that it and its children took. */
const meter = `
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)`;
const copy = `
import os
while True:
    data = os.read(0, 65536)
    if not data: break
    os.write(1, data)`;

function cpuSeconds(command, variables = {}) {
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin", ...variables };
  const run = spawnSync("python3", ["-c", meter, ...command], { env, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${run.stderr}`);
  return Number(run.stdout);
}

function shimmed(file, values) {
  const variables = Object.fromEntries(values.map((value, i) => [`SECRET_${i}`, value]));
  const declared = Object.keys(variables);
  const config = {
    ...{ runId: "bench", hold: "pause", declared, weak: [], keep: declared, allowed: ["PATH"] },
    ...{ never: [], credentials: [[], []], files: {} },
  };
  const { boot, packed } = shimSource();
  const command = ["python3", "-I", "-S", "-c", boot, packed, JSON.stringify(config), "cat", file];
  const key = randomBytes(32).toString("hex");
  return () => cpuSeconds(command, { ...variables, NOPEEK_SHIM_KEY: key });
}

const folder = mkdtempSync(join(tmpdir(), "nopeek-bench-"));
try {
  const file = join(folder, "log");
  const rows = [["secrets; output", "cat", "Python copy", "shim", "of the copy"]];
  for (const [secrets, values] of Object.entries(secretSets)) {
    for (const [output, line] of Object.entries(outputs)) {
      const text = corpus(line, values);
      writeFileSync(file, text);
      const seconds = await interleaved(
        {
          cat: () => cpuSeconds(["sh", "-c", `cat "${file}" | cat`]),
          copy: () => cpuSeconds(["sh", "-c", `cat "${file}" | python3 -c '${copy}'`]),
          shim: shimmed(file, values),
        },
        3,
      );
      const rate = (name) => `${(Buffer.byteLength(text) / 1e6 / seconds[name]).toFixed(0)} MB/s`;
      rows.push([
        `${secrets}; ${output}`,
        ...["cat", "copy", "shim"].map(rate),
        (seconds.copy / seconds.shim).toFixed(3),
      ]);
    }
  }
  writeFileSync(file, "");
  const start = await interleaved(
    {
      python: () => cpuSeconds(["python3", "-c", ""]),
      shim: shimmed(file, secretSets["20 tokens"]),
    },
    5,
  );
  printTable("shim, bytes a second of processor time", rows);
  console.log(
    `  start: ${(start.shim * 1000).toFixed(0)} ms; of Python alone ${(start.python * 1000).toFixed(0)} ms`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
