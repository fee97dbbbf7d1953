import type { Redactor } from "../redact/index.ts";

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
  links?: { attributes?: Attributes }[];
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
  const { attributes, events = [], links = [], status } = span as unknown as SpanParts;
  maskAttributes(attributes, redactor);
  maskProperty(span, "name", redactor);
  for (const event of events) {
    maskProperty(event, "name", redactor);
    maskAttributes(event.attributes, redactor);
  }
  for (const link of links) maskAttributes(link.attributes, redactor);
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
    if (part === undefined || isClean(part, redactor)) continue;
    Reflect.set(owner, name, maskedView(part, redactor));
  }
}

const views = new WeakMap<object, WeakMap<Redactor, object>>();
const texts = ["name", "version", "schemaUrl", "attributes"] as const;

function isClean(part: object, redactor: Redactor): boolean {
  // Attributes that are still to come are masked when an exporter reads them.
  if (Reflect.get(part, "asyncAttributesPending") === true) return false;
  return texts.every((name) => {
    const value = Reflect.get(part, name);
    return redactor.redactObject(value) === value;
  });
}

/** The same view each time: exporters group records by their resource. */
function maskedView(part: object, redactor: Redactor): object {
  const known = views.get(part) ?? new WeakMap<Redactor, object>();
  views.set(part, known);
  const seen = known.get(redactor);
  if (seen !== undefined) return seen;
  const view: object = Object.create(part);
  for (const name of texts) {
    Object.defineProperty(view, name, {
      get: () => redactor.redactObject(Reflect.get(part, name, view)),
      enumerable: true,
    });
  }
  Object.defineProperty(view, "getRawAttributes", {
    value: () => Object.entries(Reflect.get(view, "attributes") as object),
  });
  known.set(redactor, view);
  return view;
}
