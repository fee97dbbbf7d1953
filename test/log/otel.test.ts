import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  type LogRecordProcessor,
  SimpleLogRecordProcessor,
} from "@opentelemetry/sdk-logs";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { Secret } from "nopeek";
import { redactLogRecords, redactSpans } from "nopeek/log/otel";
import { createRedactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const redactor = createRedactor({ secrets: [new Secret(value, { name: "T" })], unwrap: false });
const mask = "[REDACTED:T]";
const resource = () =>
  resourceFromAttributes({ "process.command_args": ["train", value], "service.name": "train" });

it("masks resource and scope, and keeps one resource for all records", () => {
  const exporter = new InMemoryLogRecordExporter();
  const next = new SimpleLogRecordProcessor({ exporter });
  const processors = [redactLogRecords({ redactor, next })];
  const provider = new LoggerProvider({ processors, resource: resource() });
  const logger = provider.getLogger("train", value);
  logger.emit({ body: "one" });
  logger.emit({ body: "two" });
  const [one, two] = exporter.getFinishedLogRecords();
  expect(one?.resource).toBe(two?.resource);
  expect(one?.resource.attributes).toEqual({
    "process.command_args": ["train", mask],
    "service.name": "train",
  });
  expect(one?.instrumentationScope.version).toBe(mask);
});

it("masks attributes of the resource that come later", async () => {
  const exporter = new InMemoryLogRecordExporter();
  const next = new SimpleLogRecordProcessor({ exporter });
  const late = resourceFromAttributes({ late: Promise.resolve(value) });
  const provider = new LoggerProvider({
    processors: [redactLogRecords({ redactor, next })],
    resource: late,
  });
  provider.getLogger("train").emit({ body: value });
  await provider.forceFlush();
  const [record] = exporter.getFinishedLogRecords();
  expect(record?.resource.attributes).toEqual({ late: mask });
});

it("must be first among processors of records: a second one leaks", () => {
  const seen: unknown[] = [];
  const shipping: LogRecordProcessor = {
    onEmit: ({ body }) => void seen.push(body),
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const masking = redactLogRecords({ redactor });
  for (const processors of [
    [masking, shipping],
    [shipping, masking],
  ]) {
    new LoggerProvider({ processors }).getLogger("train").emit({ body: value });
  }
  expect(seen).toEqual([mask, value]);
});

it("masks spans at any place in the list, as it is called before the first of them ends", () => {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter), redactSpans({ redactor })];
  const provider = new BasicTracerProvider({ spanProcessors, resource: resource() });
  const span = provider.getTracer("train").startSpan("step", { attributes: { [value]: value } });
  span.addEvent(value, { [value]: value });
  span.end();
  const [ended] = exporter.getFinishedSpans();
  expect(ended?.attributes).toEqual({ [mask]: mask });
  expect(ended?.events[0]).toMatchObject({ name: mask, attributes: { [mask]: mask } });
  expect(ended?.resource.attributes["process.command_args"]).toEqual(["train", mask]);
});

it("limit: what the SDK cuts before processors see it is cut too short to be known", () => {
  const exporter = new InMemorySpanExporter();
  const next = new SimpleSpanProcessor(exporter);
  const provider = new BasicTracerProvider({
    spanProcessors: [redactSpans({ redactor, next })],
    spanLimits: { attributeValueLengthLimit: 12 },
  });
  provider.getTracer("train").startSpan("step", { attributes: { value } }).end();
  expect(exporter.getFinishedSpans()[0]?.attributes).toEqual({ value: value.slice(0, 12) });
});

it("hands flush and shutdown on", async () => {
  const calls: string[] = [];
  const next = {
    onEmit: () => undefined,
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: async () => void calls.push("flush"),
    shutdown: async () => void calls.push("shutdown"),
  };
  for (const processor of [redactLogRecords({ next }), redactSpans({ next })]) {
    await processor.forceFlush();
    await processor.shutdown();
  }
  await redactLogRecords().shutdown();
  expect(calls).toEqual(["flush", "shutdown", "flush", "shutdown"]);
});
