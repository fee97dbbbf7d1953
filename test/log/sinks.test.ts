import { inspect } from "node:util";
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from "@opentelemetry/sdk-logs";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { Secret } from "nopeek";
import { redactLogRecords, redactSpans } from "nopeek/log/otel";
import { redactPino } from "nopeek/log/pino";
import { redactWinston } from "nopeek/log/winston";
import { createRedactor, type Redactor } from "nopeek/redact";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import winston from "winston";
import Transport from "winston-transport";
import { sinkTexts, sinkValues, withoutMasks } from "../support/sink-texts.ts";

const redactor = createRedactor({
  secrets: Object.entries(sinkValues).map(([name, value]) => new Secret(value, { name })),
  unwrap: false,
});

/** Gives a text to a sink in every place it has, and what arrives in each. */
type Sink = (text: string, by: Redactor | null) => readonly unknown[];

const sinks: Record<string, Sink> = {
  text: (text, by) => [by?.redact(text) ?? text],
  "pino line": (text, by) => {
    const lines: string[] = [];
    const stream = { write: (line: string) => void lines.push(line) };
    const logger = pino({ base: null }, stream);
    const child = logger.child({ bound: text });
    if (by !== null) redactPino(logger, by);
    logger.info(text);
    logger.info({ field: text, deep: [{ text }], [text]: true });
    logger.error(new Error(text));
    child.info("bound");
    return lines
      .map((line) => JSON.parse(line))
      .flatMap(({ msg, field, deep, err, bound, ...rest }) => [
        ...[msg === "bound" ? undefined : msg, field, deep?.[0]?.text, err?.message, bound].filter(
          (part) => part !== undefined,
        ),
        ...Object.keys(rest).filter((key) => key !== "level" && key !== "time"),
      ]);
  },
  "winston line": (text, by) => {
    const lines: string[] = [];
    const logger = winston.createLogger({
      format: winston.format.json(),
      transports: [new Collecting((info) => lines.push(String(info[message])))],
    });
    if (by !== null) redactWinston(logger, by);
    logger.info(text);
    logger.info("with fields", { field: text, deep: [{ text }] });
    return lines
      .map((line) => JSON.parse(line))
      .flatMap(({ message: msg, field, deep }) => [
        ...(msg === "with fields" ? [] : [msg]),
        ...[field, deep?.[0]?.text].filter((part) => part !== undefined),
      ]);
  },
  "winston object": (text, by) => {
    const infos: Record<PropertyKey, unknown>[] = [];
    const logger = winston.createLogger({
      transports: [new Collecting((info) => infos.push(info))],
    });
    if (by !== null) redactWinston(logger, by);
    logger.log({ level: "info", message: text, field: new Map([[text, new Set([text])]]) });
    const [{ message: msg, field } = {}] = infos;
    const [[key, set] = []] = field as Map<string, Set<string>>;
    return [msg, key, ...(set ?? [])];
  },
  error: (text, by) => {
    const error = Object.assign(
      new AggregateError([new Error(text)], text, { cause: new Error(text) }),
      { config: { headers: { authorization: text } } },
    );
    const masked = (by?.redactError(error) ?? error) as typeof error & { cause: Error };
    const { message: msg, cause, errors } = masked;
    const [first] = errors as Error[];
    return [msg, cause.message, first?.message, masked.config.headers.authorization];
  },
  object: (text, by) => {
    const value = { text, [text]: [text], map: new Map([[text, text]]), bytes: Buffer.from(text) };
    const masked = (by?.redactObject(value) ?? value) as typeof value;
    const { text: field, map, bytes, ...rest } = masked;
    const [[key, [inner]] = ["", []]] = Object.entries(rest) as [string, string[]][];
    return [field, key, inner, ...[...map].flat(), bytes.toString()];
  },
  "OpenTelemetry record": (text, by) => {
    const exporter = new InMemoryLogRecordExporter();
    const next = new SimpleLogRecordProcessor({ exporter });
    const processors = by === null ? [next] : [redactLogRecords({ redactor: by, next })];
    const logger = new LoggerProvider({ processors }).getLogger("train");
    logger.emit({ body: { deep: [text] }, attributes: { text, [text]: 1 }, eventName: text });
    logger.emit({ body: text, exception: new Error(text) });
    return exporter.getFinishedLogRecords().flatMap(({ body, attributes, eventName }) => {
      const { text: field, "exception.message": thrown, ...rest } = attributes;
      const [key] = Object.keys(rest).filter((name) => !name.startsWith("exception."));
      const deep = typeof body === "string" ? body : (body as { deep: string[] }).deep[0];
      return [deep, field, thrown, key, eventName].filter((part) => part !== undefined);
    });
  },
  "OpenTelemetry span": (text, by) => {
    const exporter = new InMemorySpanExporter();
    const next = new SimpleSpanProcessor(exporter);
    const spanProcessors = by === null ? [next] : [redactSpans({ redactor: by, next })];
    const span = new BasicTracerProvider({ spanProcessors }).getTracer("train").startSpan(text);
    span.setAttribute("text", text).setStatus({ code: 2, message: text });
    span.recordException(new Error(text));
    span.addLink({ context: span.spanContext(), attributes: { text } });
    span.end();
    return exporter
      .getFinishedSpans()
      .flatMap(({ name, attributes, status, events, links }) => [
        name,
        attributes["text"],
        status.message,
        events[0]?.attributes?.["exception.message"],
        links[0]?.attributes?.["text"],
      ]);
  },
};

const message: unique symbol = Symbol.for("message") as never;

class Collecting extends Transport {
  readonly #take: (info: Record<PropertyKey, unknown>) => void;

  constructor(take: (info: Record<PropertyKey, unknown>) => void) {
    super();
    this.#take = take;
  }

  override log(info: Record<PropertyKey, unknown>, next: () => void): void {
    this.#take(info);
    next();
  }
}

describe.each(Object.entries(sinks))("%s", (_, sink) => {
  it.each(sinkTexts)("masks $title", ({ text }) => {
    const arrived = sink(text, redactor);
    expect(arrived.length).toBeGreaterThan(0);
    for (const part of arrived) {
      expect(part).toContain("[REDACTED:");
      expect(withoutMasks(String(part)).trim()).toBe("");
    }
  });

  it("control: without a drop-in it gets the text itself", () => {
    for (const { text } of sinkTexts) {
      for (const part of sink(text, null)) expect(part).toBe(text);
    }
  });

  it("changes nothing in what is clean", () => {
    const clean = 'epoch 3 "loss" 0.41\n\\path';
    expect(inspect(sink(clean, redactor))).toBe(inspect(sink(clean, null)));
  });
});
