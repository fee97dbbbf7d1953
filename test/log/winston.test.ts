import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { inspect } from "node:util";
import { Secret, SecretError } from "nopeek";
import { redactFormat, redactWinston } from "nopeek/log/winston";
import { createRedactor } from "nopeek/redact";
import { expect, it, vi } from "vitest";
import winston from "winston";
import Transport from "winston-transport";
import { emptyFolder } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const redactor = createRedactor({ secrets: [new Secret(value, { name: "T" })], unwrap: false });
const mask = "[REDACTED:T]";
const { format } = winston;
type Info = Record<PropertyKey, unknown>;

/** Ships the records themselves. */
class Shipping extends Transport {
  readonly shipped: Info[] = [];

  override log(info: Info, next: () => void): void {
    this.shipped.push(info);
    this.emit("logged", info);
    next();
  }
}

/** All that a record says, whoever asks. */
const told = (records: readonly unknown[]) =>
  inspect(records, { depth: 20, showHidden: true }) + JSON.stringify(records);

function expectMasked(records: readonly unknown[]): void {
  expect(told(records)).toContain(mask);
  expect(told(records)).not.toContain(value);
}

it("masks transports that ship records, at any depth, in keys and symbols", () => {
  const transport = new Shipping();
  const logger = winston.createLogger({
    format: format.combine(format.splat(), format.json()),
    defaultMeta: { service: value },
    transports: [transport],
  });
  expect(redactWinston(logger, redactor)).toBe(logger);
  logger.info("text %s", value, { meta: { [value]: [value] } });
  logger.info({ message: value, [Symbol("own")]: value });
  logger.error(new Error(value, { cause: value }));
  logger.child({ child: value }).warn("x", new Map([[value, value]]));
  expect(transport.shipped).toHaveLength(4);
  for (const info of transport.shipped) expectMasked([info]);
});

it("masks after a transport's own format, which makes the line anew", () => {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _, next) {
      lines.push(String(chunk));
      next();
    },
  });
  const own = new Shipping({ format: format.printf(({ message }) => `${message} ${value}`) });
  const logger = winston.createLogger({
    transports: [
      own,
      new winston.transports.Stream({ stream, format: format.printf(() => `own ${value}`) }),
      new winston.transports.Stream({ stream, format: format.simple() }),
    ],
  });
  redactWinston(logger, redactor);
  logger.info(value, { field: value });
  expect(lines).toEqual([`own ${mask}\n`, `info: ${mask} {"field":"${mask}"}\n`]);
  expectMasked(own.shipped);
});

it("masks files, streams of objects and listeners", async () => {
  const filename = join(emptyFolder(), "log");
  const seen: unknown[] = [];
  const stream = new Writable({
    objectMode: true,
    write(info, _, next) {
      seen.push(info);
      next();
    },
  });
  const file = new winston.transports.File({ filename });
  const logger = redactWinston(
    winston.createLogger({ transports: [file, new winston.transports.Stream({ stream })] }),
    redactor,
  );
  file.on("logged", (info) => seen.push(info));
  logger.on("data", (info) => seen.push(info));
  logger.info("with", { field: value });
  const finished = new Promise((settle) => file.on("finish", settle));
  logger.end();
  await finished;
  expect(readFileSync(filename, "utf8")).toBe(
    `{"field":"${mask}","level":"info","message":"with"}\n`,
  );
  expect(seen).toHaveLength(3);
  expectMasked(seen);
});

/** What a stream transport writes of a record whose line is clean until it was read `clean` times. */
function linesOfFickle(clean: number, by: typeof redactor | null): string {
  let text = "";
  const stream = new Writable({
    write(chunk, _, next) {
      text += chunk;
      next();
    },
  });
  const fickle = {
    transform: (info: Info) => {
      let count = 0;
      const get = () => (count++ < clean ? "clean" : value);
      return Object.defineProperty(info, Symbol.for("message"), { get });
    },
  };
  const transports = [new winston.transports.Stream({ stream })];
  const logger = winston.createLogger({ format: fickle as never, transports });
  if (by !== null) redactWinston(logger, by);
  logger.info("text");
  return text;
}

it("masks a line that answers differently each time", () => {
  for (const clean of [0, 1, 2, 3, 4]) {
    expect(linesOfFickle(clean, redactor)).toMatch(/^(?:clean|\[REDACTED:T\])\n$/);
  }
  // Control: it is read once without us, and with us when it is masked.
  expect(linesOfFickle(0, null)).toBe(`${value}\n`);
  expect(linesOfFickle(1, redactor)).toBe("clean\n");
});

it("masks records of a transport that tells of them only later", async () => {
  const heard: unknown[] = [];
  const stream = new Writable({
    objectMode: true,
    write(info, _, next) {
      heard.push(info);
      next();
    },
  });
  const transport = new winston.transports.Stream({
    stream: new Writable({ write: (_, __, next) => next() }),
  });
  const logger = redactWinston(winston.createLogger({ transports: [transport] }), redactor);
  logger.info("first", { field: value });
  // Winston tells in the next turn: this listener hears of the first record too.
  transport.on("logged", (info) => heard.push(info));
  logger.info("second", { field: value });
  await new Promise((settle) => setImmediate(settle));
  Object.assign(transport, { isObjectMode: true, _stream: stream });
  logger.info("third", { field: value });
  await new Promise((settle) => setImmediate(settle));
  expect(heard).toHaveLength(4);
  expectMasked(heard);
});

it("masks what is added, piped or configured later", () => {
  const logger = redactWinston(winston.createLogger({ transports: [new Shipping()] }), redactor);
  const later = new Shipping();
  const piped: unknown[] = [];
  logger.add(later);
  logger.pipe(
    new Writable({
      objectMode: true,
      write(info, _, next) {
        piped.push(info);
        next();
      },
    }),
  );
  logger.info(value);
  expectMasked(later.shipped);
  expectMasked(piped);
  const configured = new Shipping();
  logger.configure({ transports: [configured], format: format.printf(() => value) });
  logger.info(value);
  expectMasked(configured.shipped);
});

it("masks transports that write records themselves, and those of the old kind", () => {
  const written: unknown[] = [];
  class Writing extends Shipping {
    override _write(info: unknown, _: unknown, next: () => void): void {
      written.push(info);
      next();
    }
  }
  // The old kind is called with level, text and record.
  const old = Object.assign(new Transport(), {
    name: "old",
    log: (level: string, text: string, meta: unknown, next: () => void) => {
      written.push(level, text, meta);
      next();
    },
  });
  vi.mocked(console.error).mockImplementation(() => undefined);
  const logger = winston.createLogger({ transports: [new Writing(), old as never] });
  vi.mocked(console.error).mockClear();
  redactWinston(logger, redactor);
  logger.info(value, { field: value });
  expect(written).toHaveLength(4);
  expectMasked(written);
});

it("masks what handlers of exceptions and rejections log", () => {
  const [atOnce, later] = [new Shipping(), new Shipping()];
  const logger = winston.createLogger({
    transports: [new Shipping()],
    exceptionHandlers: [atOnce],
    exitOnError: false,
  });
  try {
    redactWinston(logger, redactor);
    logger.rejections.handle(later);
    for (const handler of [logger.exceptions, logger.rejections]) {
      const error = Object.assign(new Error(value), { request: { token: value } });
      logger.write({ ...handler.getAllInfo(error), rejection: true, level: "error" });
    }
    expect(atOnce.shipped).not.toHaveLength(0);
    expect(later.shipped).not.toHaveLength(0);
    expectMasked(atOnce.shipped);
    expectMasked(later.shipped);
  } finally {
    logger.exceptions.unhandle();
    logger.rejections.unhandle();
  }
});

it("masks batches", () => {
  const batches: unknown[] = [];
  const transport = Object.assign(new Shipping(), {
    logv: (infos: unknown, next: () => void) => {
      batches.push(infos);
      next();
    },
  });
  const logger = redactWinston(winston.createLogger({ transports: [transport] }), redactor);
  transport.cork();
  logger.info(value);
  logger.info(value);
  transport.uncork();
  expectMasked(batches);
});

it("masks what winston prints itself: records without a transport, unknown levels", () => {
  const printed: unknown[] = [];
  const take = (...args: unknown[]) => void printed.push(args);
  vi.mocked(console.error).mockImplementation(take);
  redactWinston(winston.createLogger({ transports: [] }), redactor).info(value);
  const logger = winston.createLogger({ transports: [new Shipping()] });
  redactWinston(logger, redactor).log(value, "text");
  expect(printed).toHaveLength(2);
  expectMasked(printed);
  vi.mocked(console.error).mockClear();
});

it("masks once, and leaves other loggers alone", () => {
  const [masked, bare] = [new Shipping(), new Shipping()];
  const logger = winston.createLogger({ transports: [masked] });
  redactWinston(redactWinston(logger, redactor), redactor).info(value);
  winston.createLogger({ transports: [bare] }).info(value);
  expect(masked.shipped[0]?.["message"]).toBe(mask);
  expect(bare.shipped[0]?.["message"]).toBe(value);
});

it("has a format for loggers that are yet to be made", () => {
  const transport = new Shipping();
  const logger = winston.createLogger({
    format: format.combine(format.json(), redactFormat(redactor)),
    transports: [transport],
  });
  logger.info(value, { field: value });
  expectMasked(transport.shipped);
});

it("leaves clean records as they are", () => {
  const transport = new Shipping();
  const logger = redactWinston(winston.createLogger({ transports: [transport] }), redactor);
  const record = { level: "info", message: 'a "quoted"\ntext', loss: 0.5 };
  logger.log(record);
  expect(transport.shipped[0]).toBe(record);
});

it.each([
  ["an empty object", {}],
  ["winston itself", winston],
  ["a stream", new Writable()],
])("refuses %s", (_, logger) => {
  expect(() => redactWinston(logger, redactor)).toThrow(SecretError);
  expect(() => redactWinston(logger, redactor)).toThrow(
    expect.objectContaining({ code: "LOGGER_UNSUPPORTED" }),
  );
});

it("writes JSON where masks stand for numbers", () => {
  const pin = 9_000_000_000 + Math.floor(Math.random() * 999_999_999);
  using redactor = createRedactor({ secrets: [new Secret(`${pin}`, { name: "PIN" })] });
  const transport = new Shipping();
  const logger = winston.createLogger({ format: format.json(), transports: [transport] });
  redactWinston(logger, redactor).info("x", { n: pin, list: [pin] });
  const line = String(transport.shipped[0]?.[Symbol.for("message")]);
  expect(JSON.parse(line)).toMatchObject({ n: "[REDACTED:PIN]", list: ["[REDACTED:PIN]"] });
});
