import { type AuditEvent, type AuditEventOf, type AuditEventType, eventTypes } from "./events.ts";
import {
  type FieldSpec,
  invalidEvent,
  isOpen,
  maxNoteBytes,
  withheld,
  writeField,
} from "./fields.ts";

/** Masks what must not be recorded: a redactor's `redact`. */
export type Clean = (text: string) => string;

/** Any event, those that only the log itself writes included. */
export type AnyEvent = AuditEvent | AuditEventOf<"log.opened"> | AuditEventOf<"log.closed">;

interface Field {
  readonly name: string;
  /** What stands before its value in a record. */
  readonly before: string;
  readonly spec: FieldSpec;
  readonly optional: boolean;
  /** `clean` has to see it. */
  readonly isOpen: boolean;
}

const fieldsByType = new Map<string, readonly Field[]>(
  Object.entries<Readonly<Record<string, FieldSpec>>>(eventTypes).map(([type, table]) => [
    type,
    Object.entries(table).map(([key, spec]) => {
      const optional = key.endsWith("?");
      const name = optional ? key.slice(0, -1) : key;
      return { name, before: `,"${name}":`, spec, optional, isOpen: isOpen(spec) };
    }),
  ]),
);

/**
 * Writes an event as the members of a JSON object: `"type":"...",...`. What is not in the table is
 * refused. Text that `clean` would change is withheld, the note of a person is cleaned.
 *
 * @throws SecretError `AUDIT_EVENT_INVALID`.
 */
export function encodeEvent(event: AnyEvent, clean: Clean): string {
  // Each field is read once: a getter may give another text the next time.
  const given: Readonly<Record<string, unknown>> = { ...event };
  const { type } = given;
  const fields = fieldsByType.get(type as AuditEventType);
  if (fields === undefined) throw invalidEvent("its type is unknown");
  let text = `"type":"${type}"`;
  let open = "";
  let count = 1;
  for (const { name, before, spec, optional, isOpen } of fields) {
    const value = given[name];
    if (value === undefined) {
      if (!optional) throw invalidEvent(`${type} needs ${name}`);
      if (Object.hasOwn(given, name)) count++;
      continue;
    }
    count++;
    const written = writeField(spec, value);
    if (written === null) throw invalidEvent(`${type} cannot hold this ${name}`);
    text += before + written;
    // A separator that stands in no form of a value.
    if (isOpen) open += `${value}\u0000`;
  }
  if (count !== Object.keys(given).length) {
    throw invalidEvent(`${type} has a field that it does not know`);
  }
  // All texts at once: hardly ever is there anything to withhold.
  if (open === "" || clean(open) === open) return text;
  return encodeCleaned(given, fields, clean);
}

function encodeCleaned(
  given: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
  clean: Clean,
): string {
  const cleaned: Record<string, unknown> = { ...given };
  for (const field of fields) {
    const before = cleaned[field.name];
    if (!field.isOpen || typeof before !== "string") continue;
    const after = clean(before);
    if (after === before) continue;
    cleaned[field.name] = field.spec === "note" ? after : withheld;
    if (field.spec === "note" && Buffer.byteLength(after) > maxNoteBytes) {
      throw invalidEvent(`the note has more than ${maxNoteBytes} bytes; shorten it`);
    }
  }
  return encodeEvent(cleaned as unknown as AnyEvent, (text) => text);
}
