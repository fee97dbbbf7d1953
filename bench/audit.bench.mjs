/**
 * What an audit log costs: durable records a second beside bare writes and flushes of the same bytes
 * in the same groups, and verifying beside HMAC and JSON.parse of the same lines. Run it after a build.
 */
import { createHmac, createSecretKey, randomBytes, randomUUID } from "node:crypto";
import fs, {
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "nopeek";
import { opaque, openAuditLog, verifyAuditLog } from "nopeek/audit";
import { createRedactor } from "nopeek/redact";
import { interleaved, median, printTable } from "./support.mjs";

const goals = { write: 0.8, verify: 0.5 };
const rounds = 9;
/** Many short turns: a neighbour that uses the disk then disturbs both alike. */
const turns = 61;
const folder = realpathSync(mkdtempSync(join(tmpdir(), "nopeek-bench-")));
const key = new Secret(randomBytes(32).toString("hex"), { name: "AUDIT_KEY" });
const correlationId = opaque("id", randomUUID());
const event = { type: "run.notice", correlationId, code: "plain-values", count: 3 };
let places = 0;
const newPlace = () => {
  places++;
  return { dir: join(folder, `log${places}`), anchors: join(folder, `anchors${places}`) };
};

try {
  const rows = [
    ["callers", "bare records/s", "audit records/s", "ratio", `goal >= ${goals.write}`],
  ];
  for (const [callers, each] of [
    [1, 40],
    [8, 30],
    [64, 20],
  ]) {
    rows.push(await durable(callers, each));
  }
  printTable("audit: durable records (median of interleaved rounds, ratio by round)", rows);
  printTable("audit: verify", await verifying());
} finally {
  rmSync(folder, { recursive: true });
}

/** So many callers, each of which waits for its record before it adds the next. */
async function closedLoop(callers, each, append) {
  const start = performance.now();
  const one = async () => {
    for (let count = 0; count < each; count++) await append();
  };
  await Promise.all(Array.from({ length: callers }, one));
  return (callers * each * 1000) / (performance.now() - start);
}

async function durable(callers, each) {
  const log = await openAuditLog({ ...newPlace(), key, clean: (text) => text });
  const line = `${"x".repeat(await bytesOfRecord(callers))}\n`;
  const bare = bareWriter(join(folder, `bare${callers}`));
  const ratios = [];
  const seen = { bare: [], audit: [] };
  for (let round = 0; round < turns; round++) {
    const turn = {
      bare: await closedLoop(callers, each, () => bare.append(line)),
      audit: await closedLoop(callers, each, () => log.append(event)),
    };
    for (const name of ["bare", "audit"]) seen[name].push(turn[name]);
    ratios.push(turn.audit / turn.bare);
  }
  await log.close();
  bare.close();
  const ratio = median(ratios);
  const perSecond = (name) => Math.round(median(seen[name])).toLocaleString("en");
  return [callers, perSecond("bare"), perSecond("audit"), ratio.toFixed(2), ratio >= goals.write];
}

/** How many bytes a record takes without its break, in groups of so many. */
async function bytesOfRecord(callers) {
  const place = newPlace();
  const log = await openAuditLog({ ...place, key, clean: (text) => text });
  const path = join(place.dir, log.fileName);
  const { length } = readFileSync(path);
  await Promise.all(Array.from({ length: callers }, () => log.append(event)));
  const group = readFileSync(path).length - length;
  await log.close();
  return Math.ceil(group / callers) - 1;
}

/** The least there is to do: what is there is written and flushed, and its callers are told. */
function bareWriter(path) {
  const fd = openSync(path, "a");
  let lines = [];
  let waiting = [];
  let busy = false;
  const flush = () => {
    const [text, group] = [Buffer.from(lines.join("")), waiting];
    [lines, waiting] = [[], []];
    fs.write(fd, text, (error) => {
      if (error) throw error;
      fs.fdatasync(fd, (failed) => {
        if (failed) throw failed;
        for (const settle of group) settle();
        setImmediate(() => {
          busy = waiting.length > 0;
          if (busy) flush();
        });
      });
    });
  };
  return {
    append: (line) =>
      new Promise((settle) => {
        lines.push(line);
        waiting.push(settle);
        if (busy) return;
        busy = true;
        setImmediate(flush);
      }),
    close: () => fs.closeSync(fd),
  };
}

async function verifying() {
  const place = newPlace();
  const redactor = createRedactor();
  const log = await openAuditLog({ ...place, key, clean: (text) => redactor.redact(text) });
  for (let group = 0; group < 50; group++) {
    await Promise.all(Array.from({ length: 1000 }, () => log.append(event)));
  }
  await log.close();
  const [name] = readdirSync(place.dir);
  const path = join(place.dir, name);
  redactor[Symbol.dispose]();
  const chain = createSecretKey(randomBytes(32));
  const timed = (work) => async () => {
    const start = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  };
  const ms = await interleaved(
    {
      bare: timed(() => {
        const bytes = readFileSync(path);
        for (let start = 0; start < bytes.length; ) {
          const end = bytes.indexOf(10, start);
          const line = bytes.subarray(start, end);
          createHmac("sha256", chain).update(line).digest("hex");
          JSON.parse(line.toString());
          start = end + 1;
        }
      }),
      verify: timed(async () => {
        const { ok, records } = await verifyAuditLog({ ...place, key });
        if (!ok || records < 50_000) throw new Error("the log does not verify");
      }),
    },
    rounds,
  );
  const ratio = ms.bare / ms.verify;
  return [
    ["", "CPU ms for 50,000 records", "ratio", `goal >= ${goals.verify}`],
    ["HMAC and JSON.parse", ms.bare.toFixed(0), "", ""],
    ["verifyAuditLog", ms.verify.toFixed(0), ratio.toFixed(2), ratio >= goals.verify],
  ];
}
