import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { emptyFolder } from "../support/command.ts";
import { runProgram } from "../support/node-program.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken("tok_");
const mask = "[REDACTED:API_TOKEN]";
const preload = ["--import", "nopeek/register"];
const register = 'import "nopeek/register";\n';
const env = { API_TOKEN: value };

const loggers = `
  import { createRequire } from "node:module";
  import pino from "pino";
  import winston from "winston";
  const value = process.env.API_TOKEN;
  const file = (name) => process.env.OUT + "/" + name;
  console.log("console", value, { value }, new Error(value).message);
  console.error("console", value);
  process.stdout.write(Buffer.from(value + "\\n").toString("hex"), "hex");
  pino().info({ value }, value);
  const logger = pino(pino.destination({ dest: file("pino.log"), sync: true }));
  const child = logger.child({ value });
  child.info(value);
  logger.error(new Error(value));
  const both = pino(pino.multistream([{ stream: process.stdout }, { stream: pino.destination({ dest: file("multi.log"), sync: true }) }]));
  both.info(value);
  const threaded = pino(pino.transport({ target: "pino/file", options: { destination: file("thread.log") } }));
  threaded.info({ value }, value);
  const shipped = [];
  class Shipping extends winston.Transport {
    log(info, next) { shipped.push(info); next(); }
  }
  const file2 = new winston.transports.File({ filename: file("winston.log") });
  const winstonLogger = winston.createLogger({
    defaultMeta: { value },
    transports: [new winston.transports.Console(), file2, new Shipping()],
  });
  winstonLogger.info("hello " + value, { deep: { value } });
  winstonLogger.child({ value }).warn(value);
  winston.add(new winston.transports.Console());
  winston.info(value);
  file2.on("finish", () => threaded.flush(() => console.log("shipped", JSON.stringify(shipped))));
  winstonLogger.end();
`;

function filesOf(folder: string): string {
  return ["pino.log", "multi.log", "thread.log", "winston.log"]
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("");
}

/** How often the program prints the value, to standard output and to files. */
const inAll = [18, 12];
const counts = (stdout: string, files: string, text: string) =>
  [stdout, files].map((output) => output.split(text).length - 1);

const ways = {
  "imported first": { program: register + loggers, nodeArgs: [] },
  "imported last": {
    program: loggers.replace("const value", `${register}const value`),
    nodeArgs: [],
  },
  preloaded: { program: loggers, nodeArgs: preload },
} as const;

it.each(Object.entries(ways))("masks console, streams, pino and winston: %s", async (_, way) => {
  const folder = emptyFolder();
  const run = await runProgram(way.program, { ...way, env: { ...env, OUT: folder } });
  expect(run).toMatchObject({ code: 0, stderr: `console ${mask}\n` });
  expect(run.stdout + filesOf(folder)).not.toContain(value);
  expect(counts(run.stdout, filesOf(folder), mask)).toEqual(inAll);
  expect(run.stdout).toContain(`console ${mask} { value: '${mask}' } ${mask}\n${mask}\n`);
});

it("control: without it the same program prints the value everywhere", async () => {
  const folder = emptyFolder();
  const run = await runProgram(loggers, { env: { ...env, OUT: folder } });
  expect(run.code).toBe(0);
  expect(counts(run.stdout, filesOf(folder), value)).toEqual(inAll);
});

it("masks in CommonJS programs", async () => {
  const program = `
    const logger = require("winston").createLogger({ transports: [new (require("winston").transports.Console)()] });
    logger.info(process.env.API_TOKEN);
    require("pino")().info(process.env.API_TOKEN);
    console.log(process.env.API_TOKEN);`;
  const run = await runProgram(program, { env, nodeArgs: preload, kind: "commonjs" });
  expect(run).toMatchObject({ code: 0, stderr: "" });
  expect(run.stdout).not.toContain(value);
  expect(run.stdout.split(mask)).toHaveLength(4);
});

describe("which secrets", () => {
  const print = (names: string) =>
    `${register}for (const name of ${JSON.stringify(names.split(" "))}) console.log(name + "=" + process.env[name]);`;

  it("variables with names of credentials, but for plain values", async () => {
    const variables = {
      HF_TOKEN: randomToken(""),
      PGPASSWORD: randomToken(""),
      MY_TEXT: randomToken(""),
      SHORT_KEY: "abc1234",
      USE_TOKEN: "enabled",
      KEY_REGION_KEY: "us-east-1",
      KEY_PATH_KEY: "/etc/ssl/private.pem",
    };
    const run = await runProgram(print(Object.keys(variables).join(" ")), { env: variables });
    const { HF_TOKEN: _, PGPASSWORD: __, ...plain } = variables;
    const lines = Object.entries(plain).map(([name, text]) => `${name}=${text}\n`);
    expect(run.stdout).toBe(
      `HF_TOKEN=[REDACTED:HF_TOKEN]\nPGPASSWORD=[REDACTED:PGPASSWORD]\n${lines.join("")}`,
    );
  });

  it("with NOPEEK_SECRETS those that it names, and no others", async () => {
    const variables = {
      HF_TOKEN: randomToken(""),
      MY_TEXT: randomToken(""),
      "odd name": randomToken(),
    };
    const env = { ...variables, NOPEEK_SECRETS: "MY_TEXT, odd name" };
    const run = await runProgram(`${register}console.log(Object.values(process.env).join(" "));`, {
      env,
    });
    expect(run.stdout).toContain(variables.HF_TOKEN);
    expect(run.stdout).toContain("[REDACTED:MY_TEXT]");
    expect(run.stdout).toContain("[REDACTED]");
    expect(run.stdout).not.toContain(variables.MY_TEXT);
    expect(run.stdout).not.toContain(variables["odd name"]);
  });

  it("secrets that the process makes and resolves", async () => {
    const program = `${register}
      import { createSecrets, Secret } from "nopeek";
      import { env } from "nopeek/adapters/env";
      console.log(new Secret("${value}x", { name: "MADE" }).reveal());
      const secrets = createSecrets({ providers: [env()] });
      console.log((await secrets.get("env://PLAIN_NAME")).reveal());`;
    const run = await runProgram(program, {
      env: { PLAIN_NAME: value.split("").reverse().join("") },
    });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toMatch(/^\[REDACTED:MADE\]\n\[REDACTED\]\n$/);
  });

  const later = {
    "dotenv, in the same turn": "dotenv.config({ path: process.env.DOTENV, quiet: true });",
    "an assignment": "process.env.LATER_TOKEN = value;",
    "Object.assign": "Object.assign(process.env, { LATER_TOKEN: value });",
    defineProperty:
      'Object.defineProperty(process.env, "LATER_TOKEN", { value, writable: true, enumerable: true, configurable: true });',
    loadEnvFile: "process.loadEnvFile(process.env.DOTENV);",
    "another environment": "process.env = { ...process.env, LATER_TOKEN: value };",
    "another environment, then an assignment":
      "process.env = { ...process.env }; process.env.LATER_TOKEN = value;",
    "a reference taken before": "taken.LATER_TOKEN = value;",
    "a name that is listed later":
      'process.env.OTHER = value; process.env.NOPEEK_SECRETS = "OTHER";',
  };
  it.each(Object.entries(later))("variables that are set later: %s", async (_, set) => {
    const program = `${register}
      import dotenv from "dotenv";
      const taken = process.env;
      const value = process.env.REVERSED.split("").reverse().join("");
      console.log("before", value);
      ${set}
      console.log("after", value);
      console.log(process.env.LATER_TOKEN ?? process.env.OTHER, Object.keys(process.env).includes("PATH"));`;
    const folder = emptyFolder({ ".env": `LATER_TOKEN=${value}\n` });
    const env = { REVERSED: value.split("").reverse().join(""), DOTENV: join(folder, ".env") };
    const run = await runProgram(program, { env });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const [before, after, name] = run.stdout.split("\n");
    // Control: nothing is known of it before.
    expect(before).toBe(`before ${value}`);
    expect(after).toMatch(/^after \[REDACTED:(?:LATER_TOKEN|OTHER)\]$/);
    expect(name).toMatch(/^\[REDACTED:(?:LATER_TOKEN|OTHER)\] true$/);
  });

  it("sets a variable that is too large to be masked, with a warning", async () => {
    const program = `${register}
      process.env.BIG_TOKEN = "ab".repeat(600_000);
      console.log(process.env.BIG_TOKEN.length);`;
    const run = await runProgram(program);
    expect(run).toMatchObject({ code: 0, stdout: "1200000\n" });
    expect(run.stderr).toContain("BIG_TOKEN is too large to be masked");
  });

  const held = {
    "a number": "1234567890123",
    "a long number": "12345678901234567890123n",
    "an object": "{ a: 1 }",
    nothing: "null",
    "a symbol": "Symbol()",
    "what cannot be made text": "Object.create(null)",
  };
  it.each(Object.entries(held))("sets a variable of another environment to %s", async (_, held) => {
    const program = `
      process.env = { ...process.env };
      process.env.MY_TOKEN = ${held};
      process.env.NOPEEK_SECRETS = ${held};
      console.log(typeof process.env.MY_TOKEN);
      process.env = new Proxy({}, { ownKeys: () => { throw new Error("of the program"); } });
      process.env = { get MY_TOKEN() { throw new Error("of the program"); } };
      delete process.env.NOPEEK_SECRETS;
      process.env.NEXT_TOKEN = "${value}";
      console.log(process.env.NEXT_TOKEN);`;
    const run = await runProgram(register + program);
    // Control: the same without it.
    const control = await runProgram(program);
    expect(control).toMatchObject({ code: 0, stderr: "" });
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toBe(control.stdout.replace(value, "[REDACTED:NEXT_TOKEN]"));
    expect(run.stderr).toContain("the value of MY_TOKEN cannot be read, so it is not masked");
    expect(run.stderr).not.toContain("of the program");
  });

  it("masks a number that is no plain one, and what is set when a list goes", async () => {
    const program = `${register}
      process.env = { NOPEEK_SECRETS: "OTHER", MY_TOKEN: "${value}" };
      process.env.OTHER = 12345678901234567890123n;
      console.log(String(process.env.OTHER), process.env.MY_TOKEN);
      delete process.env.NOPEEK_SECRETS;
      console.log(process.env.MY_TOKEN);`;
    const { stdout, stderr } = await runProgram(program);
    expect([stdout, stderr]).toEqual([`[REDACTED:OTHER] ${value}\n[REDACTED:MY_TOKEN]\n`, ""]);
  });

  it("leaves what only inherits from the environment as it is without it", async () => {
    const program = `
      const results = [];
      for (const env of [process.env, { FOO: "plain", PATH: "x" }]) {
        process.env = env;
        const derived = Object.create(process.env);
        derived.FOO = "x";
        derived.PATH = "y";
        Object.defineProperty(derived, "BAR", { value: "b", enumerable: true, configurable: true });
        Reflect.set(process.env, "BAZ", "z", derived);
        results.push({ ...derived }, [process.env.FOO, process.env.BAR, process.env.BAZ]);
        results.push(process.env.PATH === "y", delete derived.FOO, derived.FOO, process.env.FOO);
        class Env { constructor() { return process.env; } }
        class Own extends Env { constructor() { super(); this.QUX = "q"; } }
        results.push(new Own() === process.env, process.env.QUX, delete process.env.QUX, process.env.QUX);
      }
      process.env = Object.create(process.env);
      process.env.LAST = "l";
      results.push(Object.keys(process.env), process.env.PATH);
      console.log(JSON.stringify(results));`;
    const [run, control] = [await runProgram(register + program), await runProgram(program)];
    expect(run).toEqual(control);
    expect(JSON.parse(run.stdout).slice(0, 2)).toEqual([
      { FOO: "x", PATH: "y", BAR: "b", BAZ: "z" },
      [null, null, null],
    ]);
  });

  it("leaves the environment as programs expect it", async () => {
    const program = `${register}
      import { execFileSync } from "node:child_process";
      import { Worker } from "node:worker_threads";
      process.env.NEW_NAME = 7;
      delete process.env.GONE;
      const seen = execFileSync(process.execPath, ["-p", "process.env.NEW_NAME + ' ' + process.env.GONE"]);
      console.log(typeof process.env.NEW_NAME, "GONE" in process.env, { ...process.env }.NEW_NAME);
      console.log(String(seen).trim(), JSON.stringify(process.env).includes("NEW_NAME"));
      new Worker("console.log(process.env.NEW_NAME)", { eval: true });`;
    const run = await runProgram(program, { env: { GONE: "x" } });
    expect(run).toEqual({ code: 0, stderr: "", stdout: "string false 7\n7 undefined true\n7\n" });
  });
});
