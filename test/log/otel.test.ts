import { inspect } from "node:util";
import { createTraceState, ROOT_CONTEXT, trace } from "@opentelemetry/api";
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

/** All texts that can be reached from an object: inherited and hidden ones, getters and methods too. */
function reachable(start: unknown, seen = new Set<unknown>()): string[] {
  if (typeof start === "string") return [start];
  if (Object(start) !== start || seen.has(start)) return [];
  seen.add(start);
  const texts: string[] = [];
  for (let from: unknown = start; from !== null; from = Reflect.getPrototypeOf(from as object)) {
    if (from === Object.prototype || from === Function.prototype) break;
    for (const name of Reflect.ownKeys(from as object)) {
      if (name === "constructor") continue;
      const value: unknown = Reflect.get(start as object, name);
      texts.push(String(name), ...reachable(value, seen));
    }
  }
  return texts;
}

it("leaves nothing raw on a masked resource, however it is read", async () => {
  const exporter = new InMemorySpanExporter();
  const late = resourceFromAttributes({ late: Promise.resolve(value), early: value });
  for (const raw of [resource(), late]) {
    const spanProcessors = [redactSpans({ redactor }), new SimpleSpanProcessor(exporter)];
    const provider = new BasicTracerProvider({ spanProcessors, resource: raw });
    provider.getTracer("train", value).startSpan("step").end();
    await provider.forceFlush();
    const span = exporter.getFinishedSpans().at(-1);
    const masked = span?.resource;
    const all = [masked, span?.instrumentationScope];
    for (let reads = 0; reads < 2; reads++) {
      expect(JSON.stringify([all, masked?.getRawAttributes()])).not.toContain(value);
      expect(inspect(all, { showHidden: true, getters: true, depth: 9 })).not.toContain(value);
      expect(reachable(all).join()).not.toContain(value);
    }
    // Control: what was masked is there, and the original is as it was.
    expect(reachable(all).join()).toContain(mask);
    expect(reachable(raw).join()).toContain(value);
    expect(masked).toBeInstanceOf(raw.constructor);
    const merged = masked?.merge(resourceFromAttributes({ own: value, more: 1 }));
    expect(merged?.attributes).toEqual({ ...masked?.attributes, own: mask, more: 1 });
    expect(masked?.merge(null)).toBe(masked);
  }
});

it("masks the trace state of links and of the parent, and leaves that of others alone", () => {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [redactSpans({ redactor }), new SimpleSpanProcessor(exporter)];
  const tracer = new BasicTracerProvider({ spanProcessors }).getTracer("train");
  const linked = {
    traceId: "1".repeat(32),
    spanId: "2".repeat(16),
    traceFlags: 1,
    traceState: createTraceState(`a=1,b=${value},c=x`),
  };
  const parent = trace.setSpanContext(ROOT_CONTEXT, linked);
  const clean = { ...linked, traceState: createTraceState("a=1") };
  const links = [{ context: linked }, { context: clean }];
  const span = tracer.startSpan("step", { links }, parent);
  span.addLink({ context: linked, attributes: { n: 1 } });
  span.end();
  const [ended] = exporter.getFinishedSpans();
  const [first, second, third] = ended?.links ?? [];
  for (const context of [first?.context, third?.context, ended?.parentSpanContext]) {
    expect(context).toMatchObject({ traceId: linked.traceId, spanId: linked.spanId });
    const state = context?.traceState;
    expect(state?.serialize()).toBe(`a=1,b=${mask},c=x`);
    expect([state?.get("a"), state?.get("b"), state?.get("z")]).toEqual(["1", mask, undefined]);
    expect(state?.set("d", "4").serialize()).toBe(`d=4,a=1,b=${mask},c=x`);
    expect(state?.unset("b").serialize()).toBe("a=1,c=x");
    expect(reachable(context).join()).not.toContain(value);
  }
  expect(third?.attributes).toEqual({ n: 1 });
  expect(second?.context).toBe(clean);
  // Control: others go on with theirs.
  expect(linked.traceState.get("b")).toBe(value);
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
