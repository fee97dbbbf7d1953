// Redaction against the machine's limit (memcpy in the same process) and its peers; worst cases; end to
// end; lines of a logger; what building costs. `node bench/run.mjs redact`; RESULTS=1 writes the table to
// bench/results/redact.md.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMatcher, defaultRules, needlesOf } from "../dist/src/detect/index.js";
import { Secret } from "../dist/src/index.js";
import { createRedactor } from "../dist/src/redact/index.js";
import { fill, makeMix, makeTools, makeValues, randomFrom } from "./corpus.mjs";
import { median, printTable } from "./support.mjs";

const folder = mkdtempSync(join(tmpdir(), "nopeek-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const tables = [];
const table = (title, rows) => {
  printTable(title, rows);
  const lines = rows.map((row) => `| ${row.join(" | ")} |`);
  lines.splice(1, 0, `|${"---|".repeat(rows[0].length)}`);
  tables.push(`## ${title}\n\n${lines.join("\n")}\n`);
};

const values = makeValues(10_000);
const save = (name, bytes) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const mix = save("mix", makeMix(64 << 20, values));

function measure(cell, count, megabytes = 64, file = mix) {
  const script = join(import.meta.dirname, "redact-cells.mjs");
  const output = execFileSync(process.execPath, [script, cell, file, count, megabytes], {
    encoding: "utf8",
    maxBuffer: 1 << 20,
  });
  const { bytes, seconds, limit } = JSON.parse(output);
  const fraction = limit / seconds;
  return { seconds, fraction, rate: bytes / 2 ** 20 / seconds };
}
const shown = ({ rate, fraction }) =>
  `${rate.toFixed(rate < 10 ? 2 : 0)} (${fraction.toFixed(fraction < 0.001 ? 6 : 4)})`;

const counts = [10, 100, 1000, 10_000];
/** Peers that are slower by orders get less to do. */
const peers = [
  ["memcpy", 64],
  ["latin1", 64],
  ["utf8", 32],
  ["matcher", 64],
  ["matcherWithShort", 64],
  ["values", 64],
  ["unwrap", 64],
  ["rules", 64],
  ["all", 64],
  ["rulesAlone", 64],
  ["rulesRegExp", 16],
  ["indexOf", 4],
  ["regExp", 2],
  ["replaceAll", 2],
  ["ahocorasick", 4],
  ["zapier", 0.25],
  ["re2js", 0.0625],
];
const independent = new Set(["memcpy", "latin1", "utf8", "rulesAlone", "rulesRegExp"]);
const titles = {
  latin1: "latin1 there and back",
  utf8: "utf8 there and back",
  matcher: "nopeek: values as they are",
  matcherWithShort: "nopeek: one of them 8 bytes long",
  values: "nopeek: all forms",
  unwrap: "nopeek: all forms, unwrapped too",
  rules: "nopeek: all forms and rules",
  all: "nopeek: all of that",
  rulesAlone: "nopeek: rules, no secrets",
  rulesRegExp: "the rules as one RegExp",
  indexOf: "Buffer.indexOf, a value at a time",
  regExp: "RegExp alternation",
  replaceAll: "replaceAll, a value at a time",
  zapier: "@zapier/secret-scrubber",
};
table("MiB for a second of CPU (and as a part of memcpy), by number of secrets", [
  ["", ...counts],
  ...peers.map(([cell, megabytes]) => [
    titles[cell] ?? cell,
    ...counts.map((count, index) => {
      if (independent.has(cell) && index > 0) return "";
      if (cell === "re2js" && count > 100) return "-";
      if (cell === "zapier" && count > 1000) return "-";
      if (["values", "unwrap", "rules", "all"].includes(cell) && count > 1000) return "-";
      return shown(measure(cell, count, megabytes));
    }),
  ]),
]);

const tools = makeTools(randomFrom(99));
const secrets = values.slice(0, 1000);
const keywords = defaultRules.rules.flatMap(({ keywords }) => keywords);
const worst = {
  "values without their last byte": () => `x=${tools.pick(secrets).slice(0, -1)}\x01 `,
  "the same, cut every 4 bytes": () =>
    `x=${tools.pick(secrets).slice(0, -1)}\x01 `.replace(/.{4}/gs, "$&\n"),
  "prefixes only": () =>
    `${tools.pick(["ghp_", "sk-proj-", "AKIA", "ak-", "hf_", "eyJhbGci", "-----BEGIN "])}${tools.text(tools.letters, 5)} `,
  "one letter": () => "a".repeat(4096),
  "one long line": () =>
    `"${tools.text(tools.letters, 8)}":{"i":${tools.below(1e6)},"h":"${tools.text(tools.hexDigits, 16)}"},`,
  "keywords only": () => tools.pick(keywords),
  "quoted assignments": () => `password="${tools.text(tools.letters, 20)}",`,
  "URLs with colons": () => `://${tools.text("a:", 60)}`,
  "a key that never ends": () => `-----BEGIN PRIVATE KEY-----${tools.text(tools.letters, 4000)}`,
  "headers of JWTs": () =>
    ` eyJ${tools.text(tools.letters, 40)}.eyJ${tools.text(tools.letters, 40)}.`,
};
const only = (keyword) => [`${keyword} and nothing else`, () => keyword];
for (const keyword of [
  "password=",
  "password=`",
  "eyJ",
  "-----BEGIN ",
  "token",
  "://",
  "sk-",
  "authorization: ",
]) {
  const [title, make] = only(keyword);
  worst[title] = make;
}
table("worst cases, 1,000 secrets: part of memcpy, and the time of 16 MiB by that of 4 MiB", [
  ["", "values", "16 : 4", "rules and unwrapped", "16 : 4"],
  ...Object.entries(worst).map(([title, make], index) => {
    const file = save(`worst-${index}`, fill(16 << 20, make));
    return [
      title,
      ...["values", "all"].flatMap((cell) => {
        const whole = measure(cell, 1000, 16, file);
        const quarter = measure(cell, 1000, 4, file);
        return [shown(whole), (whole.seconds / quarter.seconds).toFixed(1)];
      }),
    ];
  }),
]);

{
  const script = join(import.meta.dirname, "redact-adversaries.mjs");
  const { count, slowest } = JSON.parse(
    execFileSync(process.execPath, [script, mix], { encoding: "utf8" }),
  );
  table(`each rule's own adversaries, repeated: the slowest of ${count} texts`, [
    ["rule", "text", "all rules"],
    ...slowest.map(({ id, text, ...rate }) => [id, `\`${text}\``, shown(rate)]),
  ]);
}

const envFile = save(
  "secrets.env",
  values
    .slice(0, 100)
    .filter((value) => !/['\n]/.test(value))
    .map((value, i) => `S${i}='${value}'\n`)
    .join(""),
);
const bin = join(import.meta.dirname, "../dist/src/cli/bin.js");
const node = `'${process.execPath}'`;
const pipe = save(
  "pipe.mjs",
  `import { Secret } from "${import.meta.dirname}/../dist/src/index.js";
import { createRedactor } from "${import.meta.dirname}/../dist/src/redact/index.js";
const values = ${JSON.stringify(values.slice(0, 100))};
const secrets = values.map((value) => new Secret(value));
const redactor = createRedactor({ secrets, rules: "none", unwrap: false });
process.stdin.pipe(redactor.stream()).pipe(process.stdout);`,
);
// Long enough that the start of a process and the work of the compiler are no matter.
const input = Array.from({ length: 16 }, () => mix).join(" ");
const ways = {
  "a bare Node pipe": `cat ${input} | ${node} -e 'process.stdin.pipe(process.stdout)'`,
  "a Node pipe with a redactor's stream, values only": `cat ${input} | ${node} ${pipe}`,
  "nopeek redact --rules none": `cat ${input} | ${node} ${bin} redact --rules none --env-file ${envFile}`,
  "nopeek redact": `cat ${input} | ${node} ${bin} redact --env-file ${envFile}`,
  "nopeek run --rules none -- cat": `${node} ${bin} run --rules none --env-file ${envFile} -- cat ${input}`,
  "nopeek run -- cat": `${node} ${bin} run --env-file ${envFile} -- cat ${input}`,
};
const cpuOf = (command) => {
  const script = `TIMEFORMAT='%U %S'; time (${command} > /dev/null 2> /dev/null)`;
  const { stderr } = {
    stderr: execFileSync("bash", ["-c", `exec 3>&2; { ${script}; } 2>&1`], { encoding: "utf8" }),
  };
  const [user = 0, system = 0] = stderr.trim().split(/\s+/).slice(-2).map(Number);
  return user + system;
};
const endToEnd = new Map(Object.keys(ways).map((name) => [name, []]));
for (let round = 0; round < 3; round++) {
  for (const [name, command] of Object.entries(ways)) endToEnd.get(name).push(cpuOf(command));
}
const bare = Math.min(...endToEnd.get("a bare Node pipe"));
table("end to end, 1 GiB, 100 secrets: CPU of all processes", [
  ["", "seconds", "of a bare pipe"],
  ...[...endToEnd].map(([name, seconds]) => {
    const best = Math.min(...seconds);
    return [name, best.toFixed(2), (bare / best).toFixed(2)];
  }),
]);

{
  const made = () => values.slice(0, 100).map((value) => new Secret(value));
  const bytesOf = (needles) => needles.reduce((sum, { bytes }) => sum + bytes.length, 0);
  globalThis.gc?.();
  // By the clock: who adds a secret waits so long. The compiler's threads take CPU beside it.
  const milliseconds = () => performance.now();
  const begun = milliseconds();
  const redactor = createRedactor({ secrets: made(), rules: "none" });
  redactor.redact("x");
  const built = milliseconds() - begun;
  const added = [];
  for (const value of values.slice(200, 220)) {
    const secret = new Secret(value);
    const from = milliseconds();
    redactor.add(secret);
    redactor.redact("x");
    added.push(milliseconds() - from);
  }
  const memory = () => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const needles = made().flatMap((secret) => needlesOf(secret));
  const before = memory();
  const matcher = createMatcher(needles);
  const after = memory();
  const line = `{"level":30,"time":1767225600000,"pid":4211,"hostname":"node-17","mod":"train.loop","step":1200,"metrics":{"loss":"0.41","max_tokens":4096},"msg":"checkpoint saved to the worker"}`;
  const perLine = (options) => {
    const one = createRedactor({ secrets: made(), ...options });
    const runs = Array.from({ length: 15 }, () => {
      const from = process.cpuUsage();
      for (let i = 0; i < 20_000; i++) one.redact(line);
      const { user, system } = process.cpuUsage(from);
      return ((user + system) * 1000) / 20_000;
    });
    return Math.min(...runs);
  };
  const latencies = (options) => {
    const stream = createRedactor({ secrets: made(), ...options }).stream();
    const chunk = Buffer.from(`${line}\n`);
    stream.resume();
    const times = [];
    for (let i = 0; i < 60_000; i++) {
      const from = performance.now();
      stream.write(chunk);
      const time = performance.now() - from;
      stream.read();
      if (i >= 20_000) times.push(time);
    }
    stream.destroy();
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length * 0.99)];
  };
  table("building, and single lines of 182 bytes; 100 secrets in all forms", [
    ["", ""],
    ["needles", needles.length],
    ["bytes of needles", bytesOf(needles)],
    ["building all, cold", `${built.toFixed(0)} ms`],
    ["adding one, the slowest of 20", `${Math.max(...added).toFixed(1)} ms`],
    ["adding one, the median", `${median(added).toFixed(1)} ms`],
    ["adding one, in so many of 20 under 5 ms", added.filter((time) => time < 5).length],
    [
      "memory for each byte of needles",
      globalThis.gc ? ((after - before) / bytesOf(needles)).toFixed(1) : "needs --expose-gc",
    ],
    ["redact(line), values", `${perLine({ rules: "none", unwrap: false }).toFixed(0)} ns`],
    ["redact(line), values and rules", `${perLine({ unwrap: false }).toFixed(0)} ns`],
    ["write(line), p99, values", `${(latencies({ rules: "none" }) * 1000).toFixed(1)} us`],
    ["write(line), p99, all", `${(latencies({}) * 1000).toFixed(1)} us`],
  ]);
  if (matcher.pending(matcher.start()) !== 0)
    throw new Error("unreachable: keeps the matcher alive");
}

if (process.env.RESULTS === "1") {
  const head = `# Redaction\n\nTwo shared virtual CPUs of a server, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}.\n\`node bench/run.mjs redact\` makes these tables; ratios within a run say more than rates.\n`;
  mkdirSync(join(import.meta.dirname, "results"), { recursive: true });
  writeFileSync(join(import.meta.dirname, "results/redact.md"), [head, ...tables].join("\n"));
}
