// What masking costs in a logger: records a second with 100 secrets in all their forms, against the
// bare logger, and against pino's own `redact` of paths. Each writes a clean record, as nearly all
// are, to /dev/null in a process of its own; CPU time, as neighbours on the machine disturb clocks.
import { spawnSync } from "node:child_process";
import { printTable } from "./support.mjs";

const head = `
  import { randomBytes } from "node:crypto";
  import { createWriteStream } from "node:fs";
  import { Secret } from "nopeek";
  import { createRedactor } from "nopeek/redact";
  const values = Array.from({ length: 100 }, () => "tok_" + randomBytes(18).toString("base64url"));
  const secrets = values.map((value, i) => new Secret(value, { name: "T" + i }));
  const redactor = createRedactor({ secrets, unwrap: false, rules: process.env.RULES });
  const record = { epoch: 3, step: 1200, loss: 0.4231, lr: 0.0003, gpu: "cuda:0", tokens: 10422,
    user: { name: "trainer", path: "/data/runs/7" }, url: "https://example.org/metrics?run=7" };
  const turn = () => new Promise((settle) => setImmediate(settle));
  const run = async (log) => {
    const batch = async (count) => {
      for (let i = 0; i < count; i++) {
        log(record, "batch done, checkpoint follows");
        // Loggers leave work to the end of a turn.
        if (i % 100 === 99) await turn();
      }
    };
    await batch(20_000);
    const costs = [];
    for (let i = 0; i < 5; i++) {
      const before = process.cpuUsage();
      await batch(30_000);
      const { user, system } = process.cpuUsage(before);
      costs.push((user + system) / 30_000);
    }
    process.stderr.write(String(Math.min(...costs)));
  };`;

const pinoTo = (options, wrap) => `${head}
  import pino from "pino";
  import { redactPino } from "nopeek/log/pino";
  const bare = pino(${options}, pino.destination({ dest: "/dev/null", sync: true, minLength: 4096 }));
  const logger = ${wrap};
  await run((record, text) => logger.info(record, text));`;
const winstonTo = (wrap) => `${head}
  import winston from "winston";
  import { redactWinston } from "nopeek/log/winston";
  const stream = createWriteStream("/dev/null");
  const bare = winston.createLogger({ transports: [new winston.transports.Stream({ stream })] });
  const logger = ${wrap};
  await run((record, text) => logger.info(text, record));`;
const consoleWith = (setUp) => `${head}
  import { redactConsole, redactStdio } from "nopeek/log";
  ${setUp}
  await run((record, text) => console.log(text, record));`;

const candidates = {
  "pino, bare": pinoTo("{}", "bare"),
  "pino, redactPino": pinoTo("{}", "redactPino(bare, redactor)"),
  "pino, its own redact, 3 paths": pinoTo('{ redact: ["user.name", "user.path", "url"] }', "bare"),
  "pino, under register": `import "nopeek/register";${pinoTo("{}", "bare")}`,
  "winston, bare": winstonTo("bare"),
  "winston, redactWinston": winstonTo("redactWinston(bare, redactor)"),
  "console, bare": consoleWith(""),
  "console, redactConsole": consoleWith("redactConsole(redactor);"),
  "console, redactStdio": consoleWith("redactStdio(redactor);"),
};

function microsecondsOf(program, rules) {
  const run = spawnSync(process.execPath, ["--input-type=module", "-"], {
    input: program,
    env: { ...process.env, RULES: rules },
    stdio: ["pipe", "ignore", "pipe"],
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return Number(run.stderr);
}

const best = new Map();
for (let round = 0; round < 3; round++) {
  for (const [name, program] of Object.entries(candidates)) {
    for (const rules of name.includes("bare") || name.includes("own")
      ? ["none"]
      : ["none", "default"]) {
      const key = `${name}${rules === "none" ? "" : ", with rules"}`;
      best.set(
        key,
        Math.min(best.get(key) ?? Number.POSITIVE_INFINITY, microsecondsOf(program, rules)),
      );
    }
  }
}
const rows = [["logger", "us a record", "of bare"]];
for (const [name, microseconds] of best) {
  const bare = best.get(`${name.split(",")[0]}, bare`);
  rows.push([name, microseconds.toFixed(2), (bare / microseconds).toFixed(2)]);
}
printTable("loggers, 100 secrets in all forms, clean records", rows);
