import {
  assertUnmasked,
  changedDocument,
  type Reference,
  Secret,
  SecretError,
  selectField,
} from "../secrets/index.ts";
import type { Credential, RotationTarget } from "./target.ts";

/** Where in a stored value the credential stands. */
export interface Place {
  readonly reference: Reference;
  /** The name that stands in masks. */
  readonly name: string | undefined;
  /** Undefined: the value as a whole is the secret. */
  readonly keys: { readonly id?: string | undefined; readonly secret: string } | undefined;
}

/**
 * @throws SecretError `DECLARATION_INVALID` if reference and target do not go together.
 */
export function placeOf(
  reference: Reference,
  target: RotationTarget,
  name: string | undefined,
): Place {
  const { field, text } = reference;
  if (field?.startsWith("/") === true) {
    throw invalid(text, "a pointer cannot be written to; name a key (#key)");
  }
  if (target.fields === undefined) {
    return { reference, name, keys: field === undefined ? undefined : { secret: field } };
  }
  if (field !== undefined && target.fields.id !== undefined) {
    throw invalid(text, `${target.name} rotates several fields; leave #${field} out`);
  }
  return { reference, name, keys: field === undefined ? target.fields : { secret: field } };
}

/**
 * Takes the credential out of a stored value.
 *
 * @throws SecretError `SECRET_NOT_FOUND` for a missing field, and what a malformed document throws.
 */
export function credentialIn(place: Place, stored: string | Uint8Array): Credential {
  const { keys, name } = place;
  if (keys === undefined) return { secret: new Secret(stored, { name }) };
  return {
    id: keys.id === undefined ? undefined : fieldOf(place, stored, keys.id),
    secret: new Secret(fieldOf(place, stored, keys.secret), { name }),
  };
}

function fieldOf({ reference }: Place, stored: string | Uint8Array, key: string): string {
  const value = selectField(stored, key, { of: reference.text });
  if (value !== null && value !== "") return value;
  throw new SecretError(
    "SECRET_NOT_FOUND",
    `${reference.text} has no field ${key}; store the first credential there by hand`,
  );
}

/**
 * What is to be stored: the same document with the new credential, or the secret itself.
 *
 * @throws SecretError `SECRET_MASKED`, `SECRET_NOT_TEXT`, `SECRET_MALFORMED`.
 */
export function storedWith(
  place: Place,
  stored: string | Uint8Array,
  next: Credential,
): string | Uint8Array {
  assertUnmasked(next.secret);
  const { reference, keys } = place;
  if (keys === undefined) return next.secret.reveal();
  const fields = fieldsOf(place, next);
  return changedDocument(reference, { mode: "merge", fields }, stored);
}

/** The credential as keys and values of a document. */
export function fieldsOf({ keys }: Place, { id, secret }: Credential): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  if (keys === undefined) return fields;
  fields[keys.secret] = secret.reveal();
  if (keys.id !== undefined && id !== undefined) fields[keys.id] = id;
  return fields;
}

/** Whether both are one credential to the target. */
export function isSame(one: Credential, other: Credential): boolean {
  if (one.id !== undefined || other.id !== undefined) return one.id === other.id;
  return one.secret.fingerprint === other.secret.fingerprint;
}

function invalid(text: string, why: string): SecretError {
  return new SecretError("DECLARATION_INVALID", `${text}: ${why}`);
}
