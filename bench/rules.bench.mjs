// What looking for formats costs, on output in which nothing is secret: all rules, the first dozen, none,
// and secretlint on the same text, in the chunks in which it is quickest.
import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import { defaultRules } from "../dist/src/detect/index.js";
import { createRedactor } from "../dist/src/redact/index.js";
import { makeMix } from "./corpus.mjs";
import { interleaved, printTable } from "./support.mjs";

const megabyte = 1_000_000;
const chunkBytes = 65_536;
const rounds = 25;

/** The rules that came first; the assignments of these were of quoted values only. */
const first = new Set([
  "github-token",
  "github-app-token",
  "github-fine-grained-token",
  "openai-key",
  "anthropic-key",
  "sk-key",
  "aws-access-key-id",
  "huggingface-token",
  "gitlab-token",
  "modal-token",
  "private-key",
  "jwt",
  "url-password",
  "authorization-header",
  "bearer-token",
]);
const quoted = new Set(["password-assignment", "secret-assignment", "key-assignment"]);
const firstRules = {
  name: "first",
  rules: defaultRules.rules.flatMap((rule) => {
    if (first.has(rule.id)) return [rule];
    return quoted.has(rule.id) ? [{ ...rule, shapes: rule.shapes.slice(0, 1) }] : [];
  }),
};

const text = Buffer.from(makeMix(5 * megabyte, []));
const chunks = [];
for (let at = 0; at < text.length; at += chunkBytes)
  chunks.push(text.subarray(at, at + chunkBytes));
const asText = chunks.map((chunk) => chunk.toString());

/** Megabytes of text a second of processor time. */
async function speedOf(run) {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return text.length / megabyte / ((user + system) / 1e6);
}

const redacting = (rules) => {
  const redactor = createRedactor({ secrets: [], rules });
  return () =>
    speedOf(async () => {
      const stream = redactor.stream({ hold: "strict" });
      stream.resume();
      for (const chunk of chunks) {
        if (!stream.write(chunk)) await new Promise((resolve) => stream.once("drain", resolve));
      }
      stream.end();
      await new Promise((resolve) => stream.once("end", resolve));
    });
};
const config = { rules: [{ id: "preset", rule: creator, rules: [] }] };
const linting = () =>
  speedOf(async () => {
    for (const content of asText) {
      const source = { content, filePath: "train.log", ext: ".log", contentType: "text" };
      await lintSource({ source, options: { config, noPhysicFilePath: true } });
    }
  });

const speeds = await interleaved(
  {
    none: redacting("none"),
    first: redacting([firstRules]),
    all: redacting("default"),
    secretlint: linting,
  },
  rounds,
);
const row = (name, speed, limit) => [name, speed.toFixed(0), limit];
printTable(
  `rules on ${(text.length / megabyte).toFixed(1)} MB of healthy output, in chunks of 64 KiB`,
  [
    ["", "MB/s of CPU", "ratio"],
    row("no rules", speeds.none, ""),
    row(`first rules (${firstRules.rules.length})`, speeds.first, ""),
    row(
      `all rules (${defaultRules.rules.length})`,
      speeds.all,
      `${(speeds.all / speeds.first).toFixed(2)} of first (at least 0.7), ${(speeds.all / speeds.none).toFixed(2)} of none (at least 0.1)`,
    ),
    row(
      "secretlint 11.7.1, chunked",
      speeds.secretlint,
      `all rules: ${(speeds.all / speeds.secretlint).toFixed(1)} x (at least 1)`,
    ),
  ],
);
