/**
 * What the fields of audit events may hold. No kind takes free text, so that personal data and
 * payloads have no place; the one exception is `note`, which only events that a person writes have.
 */

import { type PathErrorCode, pathErrorCodes } from "../paths/index.ts";
import { errorCodes, parseReference, SecretError, type SecretErrorCode } from "../secrets/index.ts";

/** Stands where a text did not fit its kind, or held a secret. */
export const withheld = "(withheld)";

/** The kinds of text. Each pattern matches the whole text and admits neither `"` nor `\`. */
const textKinds = {
  /** A random UUID: of a run, a rotation, an incident. */
  id: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  /** The name of a secret: a variable, or what stands in a mask. */
  name: /^[A-Za-z_][\w.:/+-]{0,127}$/,
  /** Where a secret is. An address of e-mail in it is personal data. */
  reference:
    /^(?!.*[\w.+-]+@[\w-]+\.[A-Za-z])[a-z][a-z0-9-]{0,31}:\/\/[\w./~:?=&#@+,;!*()[\]-]{1,1024}$/,
  /** A store's own name of a version. */
  version: /^[\w.:-]{1,128}$/,
  /** A keyed hash of a value. */
  fingerprint: /^(?:audit|process):[0-9a-f]{32}$/,
  sha256: /^[0-9a-f]{64}$/,
  /** Who acts: `uid:1000`, `github:1234567`. Never a name of a person. */
  actor: /^[a-z]{2,16}:(?:\d{1,20}|\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?)$/,
  /** The id of a rule, a form, a provider, a runtime: a word of a program, never of a person. */
  word: /^[a-z][a-z0-9-]{0,63}$/,
} as const satisfies Readonly<Record<string, RegExp>>;

/** The kinds of text that {@link opaque} checks. */
export type TextKind = keyof typeof textKinds;

declare const kindOfText: unique symbol;
/** Text that was checked to be of a kind; made by {@link opaque}, or {@link withheld}. */
export type Opaque<Kind extends TextKind> =
  | (string & { readonly [kindOfText]: Kind })
  | typeof withheld;

/**
 * What a field of an event holds: a kind of text, one of several words, or
 * `count` (a whole number from 0), `flag`, `code` (of an error of nopeek), `note` (a person's words).
 */
export type FieldSpec = TextKind | "count" | "flag" | "code" | "note" | readonly string[];

/** The type of the values of a field. */
export type FieldValue<Spec extends FieldSpec> = Spec extends readonly string[]
  ? Spec[number]
  : Spec extends "count"
    ? number
    : Spec extends "flag"
      ? boolean
      : Spec extends "code"
        ? SecretErrorCode | PathErrorCode
        : Spec extends "note"
          ? string
          : Spec extends TextKind
            ? Opaque<Spec>
            : never;

/**
 * Checks text for a field of an event. What does not fit its kind is withheld: an audit log would
 * rather say less.
 *
 * @example
 * audit.append({ type: "rotation.started", reference: opaque("reference", text), ... });
 */
export function opaque<Kind extends TextKind>(kind: Kind, text: string): Opaque<Kind> {
  return (isOf(kind, text) ? text : withheld) as Opaque<Kind>;
}

/** As {@link opaque}, for what may not be known. */
export function opaqueIfKnown<Kind extends TextKind>(
  kind: Kind,
  text: string | undefined,
): Opaque<Kind> | undefined {
  return text === undefined ? undefined : opaque(kind, text);
}

function isOf(kind: TextKind, text: string): boolean {
  if (!textKinds[kind].test(text)) return false;
  if (kind !== "reference") return true;
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

/** Kinds whose texts come from outside, so that a secret may be in them. */
const openKinds: ReadonlySet<FieldSpec> = new Set(["name", "reference", "version", "word", "note"]);

/** Whether `clean` has to see the text of such a field. */
export function isOpen(spec: FieldSpec): boolean {
  return openKinds.has(spec);
}

let lastId: string | undefined;

/** How long the note of a person may be, in bytes of UTF-8. */
export const maxNoteBytes = 2048;

/**
 * Checks a value of a field and writes it as JSON.
 *
 * @returns `null` for a value that the field cannot hold.
 */
export function writeField(spec: FieldSpec, value: unknown): string | null {
  if (typeof spec !== "string") return spec.includes(value as string) ? `"${value}"` : null;
  switch (spec) {
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= 0 ? String(value) : null;
    case "flag":
      return typeof value === "boolean" ? String(value) : null;
    case "code":
      return isCode(value) ? `"${value}"` : null;
    case "note":
      return typeof value === "string" && Buffer.byteLength(value) <= maxNoteBytes
        ? JSON.stringify(value)
        : null;
    default:
      if (typeof value !== "string") return null;
      // Most events of a run have its id: it is looked at once.
      if (value === lastId && spec === "id") return `"${value}"`;
      if (value !== withheld && !textKinds[spec].test(value)) return null;
      if (spec === "id") lastId = value;
      return `"${value}"`;
  }
}

function isCode(value: unknown): boolean {
  return (
    typeof value === "string" &&
    (Object.hasOwn(errorCodes, value) || Object.hasOwn(pathErrorCodes, value))
  );
}

/** The error for an event that is not of the closed union. It quotes nothing. */
export function invalidEvent(why: string): SecretError {
  return new SecretError("AUDIT_EVENT_INVALID", `the audit event is not valid: ${why}`);
}
