import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Secret, SecretError } from "nopeek";
import { redactDestination, redactLine, redactPino } from "nopeek/log/pino";
import { createRedactor } from "nopeek/redact";
import { pino } from "pino";
import { expect, it } from "vitest";
import { emptyFolder } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const redactor = createRedactor({ secrets: [new Secret(value, { name: "T" })], unwrap: false });
const mask = "[REDACTED:T]";

function lines() {
  const written: string[] = [];
  return { written, stream: { write: (line: string) => void written.push(line) } };
}

it("gives back the same logger and masks its children, older and younger", () => {
  const { written, stream } = lines();
  const logger = pino({}, stream);
  const older = logger.child({ value }, { msgPrefix: `${value} ` });
  expect(redactPino(logger, redactor)).toBe(logger);
  older.info("x");
  logger.child({ value }).child({ again: value }).warn(value);
  expect(written.join("")).not.toContain(value);
  expect(written.join("").split(mask)).toHaveLength(6);
});

it("leaves other loggers of the same pino alone", () => {
  const { written, stream } = lines();
  redactPino(pino({}, lines().stream), redactor);
  pino({}, stream).info(value);
  expect(written[0]).toContain(value);
});

it("masks after a hook of the user, and after serializers, formatters and mixins", () => {
  const { written, stream } = lines();
  const logger = pino(
    {
      hooks: { streamWrite: (line) => line.replace("PLACE", value) },
      serializers: { user: () => ({ value }) },
      formatters: { log: (object) => ({ ...object, formatted: value }) },
      mixin: () => ({ mixed: value }),
    },
    stream,
  );
  redactPino(logger, redactor);
  logger.info({ user: {} }, "PLACE");
  expect(written[0]).not.toContain(value);
  expect(written[0]?.split(mask)).toHaveLength(5);
});

it("masks once, however often it is asked", () => {
  const { written, stream } = lines();
  const logger = pino({}, stream);
  redactPino(redactPino(logger, redactor), redactor);
  const hooks = Reflect.get(logger, Symbol.for("pino.hooks"));
  redactPino(logger.child({}), redactor);
  expect(Reflect.get(logger, Symbol.for("pino.hooks"))).toBe(hooks);
  logger.info(value);
  expect(JSON.parse(written[0] ?? "").msg).toBe(mask);
});

it("masks the objects that destinations with metadata get, and what their logger tells", () => {
  const seen: unknown[] = [];
  const inner = {
    [Symbol.for("pino.metadata")]: true,
    lastObj: {} as object,
    lastMsg: "",
    lastLogger: {} as { bindings(): unknown },
    write(line: string) {
      seen.push(line, this.lastObj, this.lastMsg, this.lastLogger.bindings());
    },
  };
  for (const destination of [inner, pino.multistream([{ stream: inner }])]) {
    const logger = redactPino(pino({}, destination), redactor);
    logger.child({ bound: value }).info({ field: value }, `message ${value}`);
  }
  expect(JSON.stringify(seen)).not.toContain(value);
  expect(seen.slice(1, 4)).toEqual([{ field: mask }, `message ${mask}`, { bound: mask }]);
  expect(seen).toHaveLength(8);
});

it("masks metadata with the redactors of all loggers that share a destination", () => {
  const other = randomToken();
  const second = createRedactor({ secrets: [new Secret(other, { name: "U" })] });
  const destination = { [Symbol.for("pino.metadata")]: true, lastObj: {}, write: () => undefined };
  const logger = redactPino(pino({}, destination), redactor);
  redactPino(pino({}, destination), second);
  logger.info({ value, other });
  expect(destination.lastObj).toEqual({ value: mask, other: "[REDACTED:U]" });
});

it("refuses metadata destinations that cannot be masked", () => {
  const destination = Object.freeze({
    [Symbol.for("pino.metadata")]: true,
    write: () => undefined,
  });
  expect(() => redactPino(pino({}, destination), redactor)).toThrow(
    expect.objectContaining({ code: "LOGGER_UNSUPPORTED" }),
  );
});

it("masks before the line goes to a worker thread", async () => {
  const destination = join(emptyFolder(), "log");
  const transport = pino.transport({ target: "pino/file", options: { destination } });
  const logger = redactPino(pino(transport), redactor);
  logger.info({ value }, value);
  const ended = new Promise((settle) => transport.on("close", settle));
  transport.end();
  await ended;
  expect(readFileSync(destination, "utf8").split(mask)).toHaveLength(3);
  expect(readFileSync(destination, "utf8")).not.toContain(value);
});

it("has a hook for new loggers and a wrapper for destinations", () => {
  const first = lines();
  pino({ hooks: { streamWrite: redactLine(redactor) } }, first.stream).info(value);
  const second = lines();
  expect(redactDestination(second.stream, redactor)).toBe(second.stream);
  pino({}, second.stream).info(value);
  for (const { written } of [first, second]) expect(JSON.parse(written[0] ?? "").msg).toBe(mask);
});

it("without a redactor masks what the process makes, also later", () => {
  const { written, stream } = lines();
  const logger = redactPino(pino({}, stream));
  const later = randomToken();
  void new Secret(later, { name: "LATER" });
  logger.info(later);
  expect(JSON.parse(written[0] ?? "").msg).toBe("[REDACTED:LATER]");
});

it("writes clean lines byte for byte", () => {
  const [bare, masked] = [lines(), lines()];
  const options = { timestamp: false, base: null } as const;
  for (const logger of [
    pino(options, bare.stream),
    redactPino(pino(options, masked.stream), redactor),
  ]) {
    logger.info({ text: 'quotes " \\ \n \u2028 ü', deep: { a: [1, null] } }, "100%");
    logger.info("\ud800 half a character");
  }
  expect(masked.written).toEqual(bare.written);
});

it.each([
  ["an empty object", {}],
  ["a console", console],
  ["pino itself", pino],
  ["an old pino", { version: "9.5.0", [Symbol.for("pino.hooks")]: {} }],
  ["a very old pino", { version: "8.21.0", [Symbol.for("pino.hooks")]: {} }],
])("refuses %s", (_, logger) => {
  expect(() => redactPino(logger, redactor)).toThrow(SecretError);
  expect(() => redactPino(logger, redactor)).toThrow(
    expect.objectContaining({ code: "LOGGER_UNSUPPORTED" }),
  );
});

it("knows the symbols of the pino that is installed", () => {
  const { symbols } = createRequire(import.meta.url)("pino");
  expect(symbols.hooksSym).toBe(Symbol.for("pino.hooks"));
  expect(symbols.streamSym.description).toBe("pino.stream");
  expect(symbols.needsMetadataGsym).toBe(Symbol.for("pino.metadata"));
});

it("writes JSON where masks stand for numbers and bytes", () => {
  const pin = 9_000_000_000 + Math.floor(Math.random() * 999_999_999);
  using redactor = createRedactor({
    secrets: [new Secret(`${pin}`, { name: "PIN" }), new Secret(value, { name: "T" })],
    unwrap: false,
  });
  const { written, stream } = lines();
  const logger = redactPino(pino({ base: null, timestamp: false }, stream), redactor);
  const hook = redactLine(redactor);
  const bytes = Buffer.from(value);
  logger.info({ n: pin, m: -pin, list: [1, pin, `a "quoted" ${pin} \\`] }, "x");
  logger.info({ bytes, array: Uint8Array.from(bytes), last: true });
  const [numbers = "", buffers = ""] = written;
  expect(JSON.parse(numbers)).toEqual({
    level: 30,
    n: "[REDACTED:PIN]",
    m: "-[REDACTED:PIN]",
    list: [1, "[REDACTED:PIN]", 'a "quoted" [REDACTED:PIN] \\'],
    msg: "x",
  });
  expect(JSON.parse(buffers)).toEqual({
    level: 30,
    bytes: { type: "Buffer", data: [mask] },
    array: { [mask]: mask },
    last: true,
  });
  expect(JSON.parse(hook(`{"n":[${pin}]}\n`))).toEqual({ n: ["[REDACTED:PIN]"] });
  // What was no JSON stays as it was written.
  expect(hook(`{n: ${pin}}\n`)).toBe("{n: [REDACTED:PIN]}\n");
  expect(hook(`[${pin}]`)).toBe("[[REDACTED:PIN]]");
  expect(hook(`{"a":"${pin}`)).toBe('{"a":"[REDACTED:PIN]');
});

it("looks for masks outside strings in linear time", () => {
  const hook = redactLine(redactor);
  for (const text of ['\\"', "9", "[REDACTED", "[", '"', "{"]) {
    const line = `{"a":"${value}",${text.repeat(100_000)}`;
    const start = process.cpuUsage();
    expect(hook(line).startsWith(`{"a":"${mask}"`)).toBe(true);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(3_000);
  }
});
