// Each rule's own adversaries: its keywords and an example, again and again, as they are and as names with
// a value, the same or each time another one, against memcpy of a file. Prints JSON: how many there are, and the slowest ones; the parent is
// redact.bench.mjs.
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { defaultRules, expandTemplate } from "../dist/src/detect/index.js";
import { createRedactor } from "../dist/src/redact/index.js";

const bytes = 256 * 1024;
const chunkBytes = 64 * 1024;
const behind = ["", "=", '="', "=`", ": ", "_1=", ":\\"];
const letters = "abcdefghijklmnopqrstuvwxyz";
/** Two letters, others each time: nothing that was judged before helps. */
const changing = (index) => letters[index % 26] + letters[Math.floor(index / 26) % 26];
const repeated = (make) => {
  let text = "";
  for (let index = 0; text.length < bytes; index++) text += make(index);
  return Buffer.from(text.slice(0, bytes), "latin1");
};
const units = defaultRules.rules.flatMap(
  ({ id, keywords: [keyword = ""], good: [example = ""] }) => [
    ...[...behind.map((text) => keyword + text), expandTemplate(example, randomInt)].map(
      (text) => ({
        id,
        text,
        bytes: Buffer.alloc(bytes, text, "latin1"),
      }),
    ),
    {
      id,
      text: `${keyword}=ab=`,
      bytes: repeated((index) => `${keyword}=${changing(index)}=`),
    },
    {
      id,
      text: `${keyword}=Qwen2Forab=`,
      bytes: repeated((index) => `${keyword}=Qwen2For${changing(index)}=`),
    },
  ],
);

const cpuSeconds = (run) => {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};
const redactor = createRedactor({ secrets: [] });
const redact = (text) => {
  const stream = redactor.stream({ hold: "strict" });
  stream.push = () => true;
  for (let at = 0; at < bytes; at += chunkBytes) {
    stream._transform(text.subarray(at, at + chunkBytes), "buffer", () => undefined);
  }
  stream._flush(() => undefined);
};
const corpus = readFileSync(process.argv[2]);
const copy = Buffer.alloc(chunkBytes);
const copyAll = () => {
  for (let at = 0; at < corpus.length; at += chunkBytes) {
    corpus.subarray(at, at + chunkBytes).copy(copy);
  }
};

const best = units.map(() => Number.POSITIVE_INFINITY);
let limit = Number.POSITIVE_INFINITY;
// The compiler learns all of them before one is measured alone; the best of some rounds.
for (let round = 0; round < 5; round++) {
  for (const [index, unit] of units.entries()) {
    best[index] = Math.min(
      best[index],
      cpuSeconds(() => redact(unit.bytes)),
    );
  }
  for (let i = 0; i < 3; i++)
    limit = Math.min(limit, (cpuSeconds(copyAll) * bytes) / corpus.length);
}
const slowest = units
  .map(({ id, text }, index) => ({
    id,
    text: text.slice(0, 32),
    rate: bytes / 2 ** 20 / best[index],
    fraction: limit / best[index],
  }))
  .sort((a, b) => a.rate - b.rate)
  .slice(0, 5);
console.log(JSON.stringify({ count: units.length, slowest }));
