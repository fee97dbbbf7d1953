/**
 * The rules for keys and values of a Modal secret, checked before the client sees them: it checks
 * less, and its own errors print every value of the call.
 */
import { SecretError } from "../../src/secrets/index.ts";

/** Keys and checked text. Made without a prototype. */
export type Entries = Readonly<Record<string, string>>;

/** Linux refuses a longer `NAME=value` with its final NUL byte in an environment. */
const maxVariableBytes = 128 * 1024;

const keyPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;
const maxKeyLength = 255;

/** Keys that are lost or refused further on, with the reason. Each pattern matches the whole key. */
const reservedKeys: ReadonlyArray<readonly [pattern: RegExp, reason: string]> = [
  // A token of Modal in the job's environment would hand it the workspace.
  [/^MODAL_/i, "begins with MODAL_, which is kept for Modal itself"],
  [/^NOPEEK_/, "begins with NOPEEK_, which is kept for nopeek itself"],
  // The client copies keys into a plain object.
  [/^__proto__$/, "is a name that JavaScript objects cannot hold"],
];

/** Why a key cannot be used, as the end of a sentence; `null` if it can. */
export function keyObjection(key: string): string | null {
  if (!keyPattern.test(key) || key.length > maxKeyLength) {
    return "is no name of an environment variable: use letters, digits and _, not a digit first";
  }
  return reservedKeys.find(([pattern]) => pattern.test(key))?.[1] ?? null;
}

/**
 * Checks the keys and values of a change. Messages name a key by its position where it may be a
 * value that was given in its place.
 *
 * @param where - The reference, for messages.
 * @throws SecretError `SECRET_REQUEST_INVALID` for a key or a size, `SECRET_NOT_TEXT` for what is no
 *   text or holds a NUL, `SECRET_EMPTY`.
 */
export function checkEntries(where: string, fields: Readonly<Record<string, unknown>>): Entries {
  const entries: Record<string, string> = Object.create(null);
  Object.keys(fields).forEach((key, index) => {
    const label = `${where}: ${labelOf(key, index)}`;
    checkKey(label, key);
    entries[key] = checkValue(label, key, fields[key]);
  });
  return Object.freeze(entries);
}

/** Checks keys that are to be removed. */
export function checkKeys(where: string, keys: readonly string[]): void {
  keys.forEach((key, index) => {
    checkKey(`${where}: ${labelOf(key, index)}`, key);
  });
}

function checkKey(label: string, key: string): void {
  const objection = keyObjection(key);
  if (objection !== null) throw new SecretError("SECRET_REQUEST_INVALID", `${label} ${objection}`);
}

function checkValue(label: string, key: string, given: unknown): string {
  const value = given instanceof Uint8Array ? decoded(given) : given;
  if (typeof value !== "string") {
    throw new SecretError("SECRET_NOT_TEXT", `${label} has a value that is no text`);
  }
  // Lone surrogates would arrive as something else.
  if (value.includes("\0") || !value.isWellFormed()) {
    throw new SecretError(
      "SECRET_NOT_TEXT",
      `${label} has a value that no environment variable can hold; encode it, in base64 for example`,
    );
  }
  if (value === "") {
    throw new SecretError("SECRET_EMPTY", `${label} has an empty value; remove the key instead`);
  }
  if (!fitsVariable(key, value)) {
    throw new SecretError(
      "SECRET_REQUEST_INVALID",
      `${label} has a value of more than 128 KiB, which no environment variable can hold`,
    );
  }
  return value;
}

/** Whether Linux takes a variable, with its name, `=` and the end. */
export function fitsVariable(key: string, value: string): boolean {
  return Buffer.byteLength(value) + key.length + 2 <= maxVariableBytes;
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Words in capitals with underscores between them are a name; anything else may be a value. */
function labelOf(key: string, index: number): string {
  const isName = key.length <= 48 && /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(key);
  return isName ? `the key ${key}` : `key ${index + 1}`;
}
