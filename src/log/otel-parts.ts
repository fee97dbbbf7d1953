import type { Redactor } from "../redact/index.ts";
import { withMaskedState } from "./otel-context.ts";
import { maskedView } from "./otel-view.ts";

type Attributes = Record<string, unknown>;

/** What is common to all records of one source. */
interface Resource {
  readonly attributes: object;
}

/** What is masked in a log record. */
export interface OtelRecord {
  body?: unknown;
  readonly attributes: object;
  readonly resource: object;
}

/** What is masked in a span; the SDK declares it read-only, and keeps it in plain properties. */
export interface OtelSpan {
  readonly name: string;
  readonly attributes: object;
}

interface SpanParts {
  attributes: Attributes;
  events?: { name: string; attributes?: Attributes }[];
  links?: { attributes?: Attributes; context?: object | undefined }[];
  parentSpanContext?: object;
  status?: { code: unknown; message?: string };
}

export function maskRecord(record: OtelRecord, redactor: Redactor): void {
  maskAttributes(record.attributes, redactor);
  for (const part of ["body", "eventName", "severityText"] as const) {
    maskProperty(record, part, redactor);
  }
  maskSource(record, redactor);
}

export function maskSpan(span: OtelSpan, redactor: Redactor): void {
  const parts = span as unknown as SpanParts;
  const { attributes, events = [], links = [], parentSpanContext, status } = parts;
  maskAttributes(attributes, redactor);
  maskProperty(span, "name", redactor);
  for (const event of events) {
    maskProperty(event, "name", redactor);
    maskAttributes(event.attributes, redactor);
  }
  for (const [at, link] of links.entries()) {
    maskAttributes(link.attributes, redactor);
    const context = withMaskedState(link.context, redactor);
    // Not in place: the context is another span's, which goes on with it.
    if (context !== link.context) links[at] = { ...link, context };
  }
  const parent = withMaskedState(parentSpanContext, redactor);
  if (parent !== parentSpanContext) Reflect.set(span, "parentSpanContext", parent);
  if (status?.message !== undefined) maskProperty(span, "status", redactor);
  maskSource(span, redactor);
}

/** In place: the SDK counts attributes, and exporters hold on to the object. */
function maskAttributes(attributes: object | undefined, redactor: Redactor): void {
  if (attributes === undefined) return;
  const masked = redactor.redactObject(attributes);
  if (masked === attributes) return;
  for (const key of Object.keys(attributes)) Reflect.deleteProperty(attributes, key);
  // What could not be read is text, and shows nothing.
  if (typeof masked === "object") Object.assign(attributes, masked);
}

function maskProperty(owner: object, name: string, redactor: Redactor): void {
  const value = Reflect.get(owner, name);
  const masked = redactor.redactObject(value);
  if (masked !== value) Reflect.set(owner, name, masked);
}

/** The process's own description holds its command line, the scope what a library says of itself. */
function maskSource(owner: object, redactor: Redactor): void {
  for (const name of ["resource", "instrumentationScope"] as const) {
    const part = Reflect.get(owner, name) as Resource | undefined;
    if (part === undefined) continue;
    const masked = maskedView(part, redactor);
    if (masked !== part) Reflect.set(owner, name, masked);
  }
}
