import { type AuditEvent, type AuditEventOf, type AuditEventType, eventTypes } from "./events.ts";
import { type FieldSpec, invalidEvent, maxNoteBytes, withheld, writeField } from "./fields.ts";

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
}

const fieldsByType = new Map<string, readonly Field[]>(
  Object.entries<Readonly<Record<string, FieldSpec>>>(eventTypes).map(([type, table]) => [
    type,
    Object.entries(table).map(([key, spec]) => {
      const optional = key.endsWith("?");
      const name = optional ? key.slice(0, -1) : key;
      return { name, before: `,"${name}":`, spec, optional };
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
  const fields = fieldsByType.get(event.type as AuditEventType);
  if (fields === undefined) throw invalidEvent("its type is unknown");
  let given = 0;
  for (const key in event) if (Object.hasOwn(event, key)) given++;
  let text = `"type":"${event.type}"`;
  let open = "";
  let count = 1;
  for (const { name, before, spec, optional } of fields) {
    const value = (event as unknown as Readonly<Record<string, unknown>>)[name];
    if (Object.hasOwn(event, name)) count++;
    if (value === undefined && optional) continue;
    const written = writeField(spec, value);
    if (written === null) throw invalidEvent(`${event.type} cannot hold this ${name}`);
    text += before + written.json;
    // A separator that stands in no form of a value.
    if (written.open !== undefined) open += `${written.open}\u0000`;
  }
  if (count !== given) throw invalidEvent(`${event.type} has a field that it does not know`);
  // All texts at once: hardly ever is there anything to withhold.
  if (open === "" || clean(open) === open) return text;
  return encodeCleaned(event, fields, clean);
}

function encodeCleaned(event: AnyEvent, fields: readonly Field[], clean: Clean): string {
  const cleaned: Record<string, unknown> = { type: event.type };
  for (const { name, spec } of fields) {
    const value = (event as unknown as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    const open = writeField(spec, value)?.open;
    const after = open === undefined ? value : clean(open);
    cleaned[name] = after === value ? value : spec === "note" ? after : withheld;
    if (spec === "note" && Buffer.byteLength(after as string) > maxNoteBytes) {
      throw invalidEvent(`the note has more than ${maxNoteBytes} bytes; shorten it`);
    }
  }
  return encodeEvent(cleaned as unknown as AnyEvent, (text) => text);
}
