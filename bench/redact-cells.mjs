// One cell of the redaction benchmark, in a process of its own: what a peer makes of memory and of the
// compiler must not touch the next. Prints JSON; the parent is redact.bench.mjs.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { scrub } from "@zapier/secret-scrubber";
import AhoCorasick from "ahocorasick";
import { RE2JS } from "re2js";
import { createMatcher, defaultRules, needlesOf } from "../dist/src/detect/index.js";
import { Secret } from "../dist/src/index.js";
import { createRedactor } from "../dist/src/redact/index.js";
import { makeValues } from "./corpus.mjs";

const chunkBytes = 64 * 1024;
const [cell, file, count, megabytes] = process.argv.slice(2);
const corpus = readFileSync(file).subarray(0, Number(megabytes) * 2 ** 20);
const values = makeValues(Number(count));

const cpuSeconds = (run) => {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};
const eachChunk = (take) => () => {
  for (let at = 0; at < corpus.length; at += chunkBytes) {
    take(corpus.subarray(at, Math.min(corpus.length, at + chunkBytes)), at);
  }
};
const eachText = (take) => eachChunk((chunk) => Buffer.from(take(chunk.latin1Slice()), "latin1"));
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const longestFirst = (texts) => texts.toSorted((a, b) => b.length - a.length);

/** The matcher alone, with the values as they are: no other forms, no output. */
const matcher = (given) => () => {
  const needles = given.flatMap((value) =>
    needlesOf(new Secret(value)).filter(({ bytes }) => bytes.equals(Buffer.from(value))),
  );
  const made = createMatcher(needles);
  return () => {
    const state = made.start();
    eachChunk((chunk, at) => made.scan(chunk, state, at, () => undefined))();
  };
};

/** A redacting stream in all forms, without the machinery of streams around it. */
const stream = (options) => () => {
  const redactor = createRedactor({
    secrets: values.map((value) => new Secret(value)),
    ...options,
  });
  return () => {
    const made = redactor.stream({ hold: "strict" });
    made.push = () => true;
    eachChunk((chunk) => made._transform(chunk, "buffer", () => undefined))();
    made._flush(() => undefined);
  };
};

/** The default rules as one regular expression. */
function rulesAsPattern() {
  const run = (chars) => `[${chars.replace(/[\]\\]/g, "\\$&")}]`;
  const step = ({ text, chars, min = 0, max }) =>
    text === undefined
      ? `${run(chars)}{${min},${max}}`
      : `(?:${[text].flat().map(escaped).join("|")})`;
  const anyCase = (keyword) => keyword.replace(/[a-z]/g, (c) => `[${c}${c.toUpperCase()}]`);
  const rules = defaultRules.rules.map(({ keywords, ignoreCase, left, shapes }) => {
    const keyword = keywords.map((k) => (ignoreCase ? anyCase(k) : escaped(k))).join("|");
    const ways = shapes.map((steps) => steps.map(step).join("")).join("|");
    return `${left === "any" ? "" : "(?<![A-Za-z0-9_-])"}(?:${keyword})(?:${ways})`;
  });
  return new RegExp(rules.join("|"), "g");
}

const copy = Buffer.alloc(chunkBytes);
const memcpy = eachChunk((chunk) => chunk.copy(copy));
const short = [...values.slice(1), randomBytes(6).toString("base64")];

const cells = {
  memcpy: () => memcpy,
  indexOf: () => {
    const needles = values.map((value) => Buffer.from(value));
    return eachChunk((chunk) => {
      for (const needle of needles) chunk.indexOf(needle);
    });
  },
  latin1: () => eachText((text) => text),
  utf8: () => eachChunk((chunk) => Buffer.from(chunk.utf8Slice())),
  regExp: () => {
    const pattern = new RegExp(longestFirst(values).map(escaped).join("|"), "g");
    return eachText((text) => text.replace(pattern, "[REDACTED]"));
  },
  replaceAll: () =>
    eachText((text) => values.reduce((all, value) => all.replaceAll(value, "[REDACTED]"), text)),
  re2js: () => {
    const pattern = RE2JS.compile(
      longestFirst(values)
        .map((value) => RE2JS.quote(value))
        .join("|"),
    );
    return eachText((text) => pattern.matcher(text).replaceAll("[REDACTED]"));
  },
  ahocorasick: () => {
    const automaton = new AhoCorasick(values);
    return eachChunk((chunk) => automaton.search(chunk.latin1Slice()));
  },
  zapier: () => eachText((text) => scrub(text, values)),
  matcher: matcher(values),
  matcherWithShort: matcher(short),
  values: stream({ rules: "none", unwrap: false }),
  unwrap: stream({ rules: "none" }),
  rules: stream({ unwrap: false }),
  all: stream({}),
  rulesAlone: stream({ secrets: [], unwrap: false }),
  rulesRegExp: () => {
    const pattern = rulesAsPattern();
    return eachText((text) => text.replace(pattern, "[REDACTED]"));
  },
};

const run = cells[cell]();
run();
let seconds = Number.POSITIVE_INFINITY;
let limit = Number.POSITIVE_INFINITY;
// The best of some: the machine's other work only ever adds.
const begun = performance.now();
for (let pass = 0; pass < 7 && (pass === 0 || performance.now() - begun < 4000); pass++) {
  seconds = Math.min(seconds, cpuSeconds(run));
  limit = Math.min(limit, cpuSeconds(memcpy));
}
console.log(JSON.stringify({ bytes: corpus.length, seconds, limit }));
