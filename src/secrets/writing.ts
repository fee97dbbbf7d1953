import { SecretError } from "./errors.ts";
import type { Change, SecretProvider, Written } from "./provider.ts";
import { cannot } from "./reader.ts";
import type { Reference } from "./reference.ts";
import { assertUnmasked, Secret } from "./secret.ts";

/** What is written: one value, or several keys of a document; `null` removes a key. */
export type PutValue = Secret | Readonly<Record<string, Secret | null>>;

export interface PutOptions {
  /**
   * `merge` keeps the keys that are not given, `replace` leaves only what is given. Default: `merge`
   * for keys, `replace` for a whole value.
   */
  readonly mode?: "merge" | "replace" | undefined;
}

/**
 * Writes through a provider.
 *
 * @throws {@link SecretError} `SECRET_NOT_WRITABLE`, `SECRET_MASKED`, `SECRET_NOT_TEXT` for bytes in
 *   a key, `DECLARATION_INVALID` for what does not go together, and what the store answers.
 */
export async function write(
  provider: SecretProvider,
  reference: Reference,
  value: PutValue,
  options: PutOptions,
  signal: AbortSignal,
): Promise<Written> {
  if (provider.write === undefined || !provider.capabilities.includes("write")) {
    throw cannot(provider, "write", reference);
  }
  return await provider.write(
    { ...reference, field: undefined },
    changeOf(reference, value, options.mode),
    { signal },
  );
}

function changeOf(reference: Reference, value: PutValue, mode: PutOptions["mode"]): Change {
  if (mode !== undefined && mode !== "merge" && mode !== "replace") {
    throw new SecretError("DECLARATION_INVALID", 'the mode of put is "merge" or "replace"');
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SecretError(
      "DECLARATION_INVALID",
      `${reference.text}: put takes a Secret, or Secrets by key`,
    );
  }
  if (value instanceof Secret && reference.field === undefined) {
    if (mode === "merge") {
      throw new SecretError(
        "DECLARATION_INVALID",
        `${reference.text}: one value cannot be merged; name a field (#field) or use mode: "replace"`,
      );
    }
    assertUnmasked(value);
    return { mode: "replace", value: asTextOrBytes(value) };
  }
  if (!(value instanceof Secret) && reference.field !== undefined) {
    throw new SecretError(
      "DECLARATION_INVALID",
      `${reference.text}: several keys are written to the whole secret; leave #${reference.field} out`,
    );
  }
  if (reference.field?.startsWith("/") === true) {
    throw new SecretError(
      "DECLARATION_INVALID",
      `${reference.text}: a pointer cannot be written to; name a key (#key)`,
    );
  }
  const given = value instanceof Secret ? { [reference.field ?? ""]: value } : value;
  const fields: Record<string, string | null> = Object.create(null);
  for (const [key, secret] of Object.entries(given)) {
    if (secret !== null && !(secret instanceof Secret)) {
      throw new SecretError(
        "DECLARATION_INVALID",
        `${reference.text}: each key takes a Secret or null`,
      );
    }
    if (secret !== null) assertUnmasked(secret);
    if (key === "" || key.startsWith("/") || key.includes("[REDACTED")) {
      throw new SecretError(
        "DECLARATION_INVALID",
        `${reference.text}: a key is empty, a pointer or a mask`,
      );
    }
    fields[key] = secret === null ? null : secret.reveal();
  }
  return { mode: mode ?? "merge", fields };
}

function asTextOrBytes(secret: Secret): string | Uint8Array {
  const bytes = secret.revealBytes();
  const text = Buffer.from(bytes).toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : bytes;
}
