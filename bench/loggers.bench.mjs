// What masking costs in a logger: records a second with 100 secrets in all their forms, against the
// bare logger, and against pino's own `redact` of paths. Each writes a clean record, as nearly all
// are, to /dev/null. All ways of one library take turns in one process, a few thousand records each:
// neighbours on the machine disturb them alike. CPU time, of the quiet quarter of the turns.
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
  const text = "batch done, checkpoint follows";
  const [records, warmUp, turns] = [3_000, 8, 60];
  const nextTurn = () => new Promise((settle) => setImmediate(settle));
  // { name: [log, before] }: what logs one record, and what is done before its turn.
  const compare = async (ways) => {
    const costs = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
    for (let turn = 0; turn < warmUp + turns; turn++) {
      for (const [name, [log, before]] of Object.entries(ways)) {
        before?.();
        const start = process.cpuUsage();
        for (let i = 0; i < records; i++) {
          log();
          // Loggers leave work to the end of a turn.
          if (i % 100 === 99) await nextTurn();
        }
        const { user, system } = process.cpuUsage(start);
        if (turn >= warmUp) costs[name].push((user + system) / records);
      }
    }
    const quiet = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 4)];
    const result = Object.entries(costs).map(([name, list]) => [name, quiet(list)]);
    process.stderr.write(JSON.stringify(result));
  };`;

const pinoLoggers = `
  import pino from "pino";
  const logger = (options) =>
    pino(options, pino.destination({ dest: "/dev/null", sync: true, minLength: 4096 }));
  const way = (logger) => [() => logger.info(record, text)];`;

const programs = {
  pino: `${head}${pinoLoggers}
    import { redactPino } from "nopeek/log/pino";
    await compare({
      bare: way(logger({})),
      redactPino: way(redactPino(logger({}), redactor)),
      "its own redact, 3 paths": way(logger({ redact: ["user.name", "user.path", "url"] })),
    });`,
  "pino under register": `import "nopeek/register";${head}${pinoLoggers}
    await compare({ register: way(logger({})) });`,
  winston: `${head}
    import winston from "winston";
    import { redactWinston } from "nopeek/log/winston";
    const logger = () => winston.createLogger({
      transports: [new winston.transports.Stream({ stream: createWriteStream("/dev/null") })],
    });
    const way = (logger) => [() => logger.info(text, record)];
    await compare({ bare: way(logger()), redactWinston: way(redactWinston(logger(), redactor)) });`,
  // Formatted by util.inspect, and a system call for each record, as a file or terminal takes.
  console: `${head}
    import { redactConsole, redactStdio } from "nopeek/log";
    const { stdout } = process;
    const methods = ["write", "end", "_write", "_writev"].filter((name) => name in stdout);
    const taken = () => Object.fromEntries(methods.map((name) => [name, stdout[name]]));
    const bare = taken();
    redactStdio(redactor);
    const guarded = taken();
    redactConsole(redactor);
    const { _stdout: view } = console;
    const use = (stream, methods) => () => {
      console._stdout = stream;
      Object.assign(stdout, methods);
    };
    const log = () => console.log(text, record);
    await compare({
      bare: [log, use(stdout, bare)],
      redactConsole: [log, use(view, bare)],
      redactStdio: [log, use(stdout, guarded)],
    });`,
};

function costsOf(program, rules) {
  const run = spawnSync(process.execPath, ["--input-type=module", "-"], {
    input: program,
    env: { ...process.env, RULES: rules },
    stdio: ["pipe", "ignore", "pipe"],
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stderr);
}

const rows = [["logger", "us a record", "of bare"]];
for (const rules of ["none", "default"]) {
  let bare;
  for (const [library, program] of Object.entries(programs)) {
    // Its redactor has rules in any case.
    if (library.endsWith("register") && rules === "none") continue;
    for (const [way, cost] of costsOf(program, rules)) {
      if (way === "bare") bare = cost;
      const isMasked = way !== "bare" && !way.includes("own");
      const name = `${library}, ${way}${isMasked && rules === "default" ? ", with rules" : ""}`;
      rows.push([name, cost.toFixed(2), (bare / cost).toFixed(2)]);
    }
  }
}
printTable("loggers, 100 secrets in all forms, clean records", rows);
