/**
 * A search for a leaked value through plain and gzip logs, beside reading (and unpacking) the same
 * files, with 200 places planted in many forms; and its memory. `SLOW=1`: 1 GiB. Run it after a build.
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  createReadStream,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGunzip, gzipSync } from "node:zlib";
import { Secret } from "nopeek";
import { scan } from "nopeek/scan";
import { makeMix, makeTools, makeValues, randomFrom } from "./corpus.mjs";
import { median, printTable } from "./support.mjs";

if (process.argv[2] === "--memory") {
  const limit = Number(process.argv[5]);
  const paths = process.argv.slice(6, 6 + limit);
  await scan(paths, { secrets: [new Secret(process.argv[4])], rules: process.argv[3] });
  console.log(process.resourceUsage().maxRSS);
  process.exit(0);
}

const goal = 0.5;
const MiB = 1024 * 1024;
const fileBytes = 16 * MiB;
const count = (process.env.SLOW === "1" ? 1024 : 64) / 16;
const rounds = process.env.SLOW === "1" ? 3 : 5;
const folder = mkdtempSync(join(tmpdir(), "nopeek-bench-"));
const tools = makeTools(randomFrom(99));
const value = `${tools.text(tools.letters, 20)}/${tools.text(tools.letters, 18)}+`;
const secret = new Secret(value, { name: "HF_TOKEN" });

const forms = {
  raw: value,
  json: JSON.stringify({ auth: `Bearer ${value}` }),
  base64: Buffer.from(value).toString("base64"),
  basic: Buffer.from(`user:${value}`).toString("base64"),
  base64url: Buffer.from(value).toString("base64url"),
  hex: Buffer.from(value).toString("hex"),
  upper: Buffer.from(value).toString("hex").toUpperCase(),
  percent: encodeURIComponent(value),
  form: new URLSearchParams({ token: value }).toString(),
  wrapped: `${value.slice(0, 20)}\n    ${value.slice(20)}`,
  coloured: `${value.slice(0, 9)}\u001b[31m${value.slice(9)}\u001b[0m`,
  colons: Buffer.from(value)
    .toString("hex")
    .replace(/..(?=.)/g, "$&:"),
};

/** Files of ordinary logs; every second one is packed. Places are inserted between lines. */
function makeFiles() {
  const places = new Set();
  const bodies = Array.from({ length: 4 }, (_, index) =>
    makeMix(fileBytes, makeValues(10), 1000 + index),
  );
  const names = Object.keys(forms);
  let planted = 0;
  for (let file = 0; file < count; file++) {
    const own = Math.floor((200 * (file + 1)) / count) - Math.floor((200 * file) / count);
    const parts = [];
    let from = 0;
    let lines = 0;
    const body = bodies[file % bodies.length];
    const isPacked = file % 2 === 1;
    const name = join(folder, `${String(file).padStart(3, "0")}.log${isPacked ? ".gz" : ""}`);
    for (let place = 0; place < own; place++) {
      const at = body.indexOf(10, Math.floor((fileBytes * (place + 0.5)) / own)) + 1;
      const piece = body.subarray(from, at);
      lines += linesOf(piece);
      const form = names[planted++ % names.length];
      const line = Buffer.from(`planted ${forms[form]}\n`);
      parts.push(piece, line);
      places.add(`${name}:${lines + 1}`);
      lines += linesOf(line);
      from = at;
    }
    const content = Buffer.concat([...parts, body.subarray(from)]);
    writeFileSync(name, isPacked ? gzipSync(content, { level: 6 }) : content);
  }
  return places;
}

function linesOf(bytes) {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

const names = () =>
  Array.from({ length: count }, (_, file) =>
    join(folder, `${String(file).padStart(3, "0")}.log${file % 2 === 1 ? ".gz" : ""}`),
  );

/** Read as they are. */
async function readOnly() {
  const buffer = Buffer.allocUnsafe(512 * 1024);
  let bytes = 0;
  for (const name of names()) {
    const fd = openSync(name, "r");
    for (let read = 1; read > 0; bytes += read) read = readSync(fd, buffer);
    closeSync(fd);
  }
  return bytes;
}

/** Read, and unpacked where they are packed: what anybody who searches has to do first. */
async function readAndUnpack() {
  let bytes = 0;
  for (const name of names()) {
    const source = createReadStream(name, { highWaterMark: 512 * 1024 });
    const stream = name.endsWith(".gz")
      ? source.pipe(createGunzip({ chunkSize: 256 * 1024 }))
      : source;
    for await (const chunk of stream) bytes += chunk.length;
  }
  return bytes;
}

async function timed(work) {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, ms: performance.now() - start, cpuMs: (user + system) / 1000 };
}

try {
  const places = makeFiles();
  const work = {
    read: readOnly,
    "read and unpack": readAndUnpack,
    "scan, values": () => scan([folder], { secrets: [secret], rules: "none" }),
    "scan, values and rules": () => scan([folder], { secrets: [secret] }),
  };
  const times = Object.fromEntries(Object.keys(work).map((name) => [name, []]));
  let found;
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(work)) {
      const { result, ms, cpuMs } = await timed(run);
      times[name].push({ ms, cpuMs });
      if (name === "scan, values") found = result;
    }
  }
  const hits = new Set(found.findings.map(({ file, line }) => `${file}:${line}`));
  const missed = [...places].filter((place) => !hits.has(place)).length;
  const packedBytes = names().reduce((sum, name) => sum + statSync(name).size, 0);
  const of = (name, key) => median(times[name].map((each) => each[key]));
  const rows = [["", "ms", "CPU ms", "MB/s unpacked", "speed, of read and unpack", "CPU", ""]];
  for (const name of Object.keys(work)) {
    // By round: a neighbour then disturbs both.
    const by = (key) =>
      median(times[name].map((each, round) => times["read and unpack"][round][key] / each[key]));
    const ratio = by("ms");
    rows.push([
      name,
      of(name, "ms").toFixed(0),
      of(name, "cpuMs").toFixed(0),
      ((name === "read" ? packedBytes : found.bytes) / 1000 / of(name, "ms")).toFixed(0),
      ratio.toFixed(2),
      by("cpuMs").toFixed(2),
      name === "scan, values" ? `goal >= ${goal}: ${ratio >= goal}` : "",
    ]);
  }
  printTable(
    `scan: ${(found.bytes / MiB).toFixed(0)} MiB in ${count} files, half of them gzip`,
    rows,
  );
  const memory = (files) => {
    const args = [import.meta.filename, "--memory", "none", value, String(files), ...names()];
    return Number(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout) / 1024;
  };
  // Four are read at once: from then on it is to be flat.
  const some = [1, 4, 16, 64].filter((files) => files <= count);
  printTable("scan: places and memory", [
    ["planted", "found at their lines", "others", ...some.map((files) => `MiB, ${files} files`)],
    [
      places.size,
      `${places.size - missed} (goal: all)`,
      hits.size - (places.size - missed),
      ...some.map((files) => memory(files).toFixed(0)),
    ],
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
