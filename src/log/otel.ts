/**
 * Masks secrets in OpenTelemetry log records and spans. Exported as `nopeek/log/otel`.
 *
 * @module
 */
import type { Redactor } from "../redact/index.ts";
import { maskRecord, maskSpan, type OtelRecord, type OtelSpan } from "./otel-parts.ts";
import { ownRedactor } from "./own-redactor.ts";

/** What all processors of OpenTelemetry can be told. */
interface Lifecycle {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** A processor of log records, as the SDK for logs takes and calls it. */
export interface LogProcessor extends Lifecycle {
  onEmit(record: OtelRecord, context?: never): void;
}

/** A processor of spans, as the SDK for traces takes and calls it. */
export interface SpanProcessor extends Lifecycle {
  onStart(span: OtelSpan, context: never): void;
  onEnding?(span: OtelSpan): void;
  onEnd(span: OtelSpan): void;
}

export interface OtelOptions<P> {
  /** Without it, every secret of the process is masked, also those yet to come. */
  readonly redactor?: Redactor | undefined;
  /** Gets what was masked: with it, the order of a list of processors cannot be wrong. */
  readonly next?: P | undefined;
}

/**
 * Masks body, attributes, names and resource of log records. Processors are called in the order in
 * which they are listed, and the SDK says nothing of an order that leaks: give the exporting
 * processor as `next`, or list this one first.
 *
 * @example
 * new LoggerProvider({ processors: [redactLogRecords({ next: new BatchLogRecordProcessor({ exporter }) })] });
 */
export function redactLogRecords({
  redactor = ownRedactor(),
  next,
}: OtelOptions<LogProcessor> = {}): LogProcessor {
  return {
    onEmit: (record, context) => {
      maskRecord(record, redactor);
      next?.onEmit(record, context);
    },
    ...lifecycle(next),
  };
}

/**
 * Masks name, attributes, events such as exceptions, links, status and resource of spans: when they
 * start, before they end, and at their end. Give the exporting processor as `next`, or list this
 * one first.
 *
 * @example
 * new BasicTracerProvider({ spanProcessors: [redactSpans({ next: new BatchSpanProcessor(exporter) })] });
 */
export function redactSpans({
  redactor = ownRedactor(),
  next,
}: OtelOptions<SpanProcessor> = {}): SpanProcessor & Required<Pick<SpanProcessor, "onEnding">> {
  return {
    onStart: (span, context) => {
      maskSpan(span, redactor);
      next?.onStart(span, context);
    },
    onEnding: (span) => {
      next?.onEnding?.(span);
      // Last: what others add in their turn is masked too.
      maskSpan(span, redactor);
    },
    onEnd: (span) => {
      maskSpan(span, redactor);
      next?.onEnd(span);
    },
    ...lifecycle(next),
  };
}

function lifecycle(next: Lifecycle | undefined): Lifecycle {
  return {
    forceFlush: async () => next?.forceFlush(),
    shutdown: async () => next?.shutdown(),
  };
}
