// Throughput of a redacting stream against a Transform that does nothing, replaceAll in a loop and
// one alternation RegExp (both on whole chunks: they miss what a chunk boundary cuts).
import { randomBytes } from "node:crypto";
import { Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { Secret } from "../dist/src/index.js";
import { createRedactor } from "../dist/src/redact/index.js";
import { interleaved, printTable } from "./support.mjs";

const chunkBytes = 64 * 1024;
const lines = [
  (i) =>
    `epoch ${i % 90} step ${i} loss=${(1 / (1 + i)).toFixed(6)} lr=3.0e-04 tok/s=${10_000 + (i % 999)}\n`,
  (i) =>
    `{"level":30,"time":17${i},"msg":"batch done","sha":"${(i * 2654435761).toString(16)}","gpu":${i % 8}}\n`,
  (i) =>
    `\r ${i % 100}%|${"#".repeat(i % 40).padEnd(40)}| ${i}/9999 [00:${i % 60}<01:10, 12.3it/s]`,
  () => `  File "/opt/train/loop.py", line 88, in step\n    loss.backward()\n`,
];
const text = Array.from({ length: 60_000 }, (_, i) => lines[i % lines.length](i)).join("");
const corpus = Buffer.from(text.repeat(Math.ceil((16 << 20) / text.length))).subarray(0, 16 << 20);

const through = (transform) =>
  new Transform({ transform: (chunk, _, done) => done(null, transform(chunk)) });

async function secondsOf(stream) {
  stream.resume();
  const begun = performance.now();
  for (let at = 0; at < corpus.length; at += chunkBytes) {
    if (!stream.write(corpus.subarray(at, at + chunkBytes))) {
      await new Promise((settle) => stream.once("drain", settle));
    }
  }
  stream.end();
  await finished(stream);
  return (performance.now() - begun) / 1000;
}

const rows = [
  [
    "secrets",
    "pass-through",
    "nopeek",
    "replaceAll",
    "RegExp",
    "of pass-through",
    "x replaceAll",
    "x RegExp",
  ],
];
for (const count of [10, 100, 1000]) {
  const values = Array.from({ length: count }, () => `tok_${randomBytes(18).toString("hex")}`);
  const redactor = createRedactor({ secrets: values.map((value) => new Secret(value)) });
  const pattern = new RegExp(values.join("|"), "g");
  const replaceAll = (chunk) => {
    let text = chunk.toString("latin1");
    for (const value of values) text = text.replaceAll(value, "[REDACTED]");
    return Buffer.from(text, "latin1");
  };
  const seconds = await interleaved(
    {
      pass: () => secondsOf(through((chunk) => chunk)),
      nopeek: () => secondsOf(redactor.stream()),
      replaceAll: () => secondsOf(through(replaceAll)),
      regExp: () =>
        secondsOf(
          through((chunk) =>
            Buffer.from(chunk.toString("latin1").replace(pattern, "[REDACTED]"), "latin1"),
          ),
        ),
    },
    count === 1000 ? 1 : 3,
  );
  const rate = (name) => (corpus.length / 2 ** 20 / seconds[name]).toFixed(0);
  rows.push([
    count,
    ...["pass", "nopeek", "replaceAll", "regExp"].map((name) => `${rate(name)} MiB/s`),
    (seconds.pass / seconds.nopeek).toFixed(3),
    (seconds.replaceAll / seconds.nopeek).toFixed(1),
    (seconds.regExp / seconds.nopeek).toFixed(1),
  ]);
}
printTable("stream, 64 KiB chunks; nopeek looks for all forms, the others for the raw value", rows);
