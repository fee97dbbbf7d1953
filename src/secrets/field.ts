import { SecretError } from "./errors.ts";

/**
 * Takes one field out of a stored JSON document.
 *
 * @param field - A key of the document, or an RFC 6901 pointer (`/a/0/b~1c`).
 * @returns `null` where the field does not exist or is JSON `null`.
 * @throws {@link SecretError} `SECRET_MALFORMED` if the document is no JSON object,
 *   `SECRET_FIELD_INVALID` if the field holds no text (numbers and booleans pass with `coerce`).
 */
export function selectField(
  document: string | Uint8Array,
  field: string,
  options: { coerce?: boolean } = {},
): string | null {
  let node: unknown = parseObject(document);
  for (const key of pointerKeys(field)) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, key)) return null;
    node = (node as Record<string, unknown>)[key];
  }
  if (node === null) return null;
  if (typeof node === "string") return node;
  if (typeof node === "object") {
    throw new SecretError("SECRET_FIELD_INVALID", "the field holds a list or an object, not text");
  }
  if (options.coerce === true) return String(node);
  throw new SecretError(
    "SECRET_FIELD_INVALID",
    "the field holds a number or a boolean; store it as text, or declare it with coerce: true",
  );
}

function parseObject(document: string | Uint8Array): unknown {
  let parsed: unknown;
  try {
    const text = typeof document === "string" ? document : new TextDecoder().decode(document);
    parsed = JSON.parse(text);
  } catch {
    // The parser's message quotes the document.
    parsed = undefined;
  }
  if (typeof parsed === "object" && parsed !== null) return parsed;
  throw new SecretError(
    "SECRET_MALFORMED",
    "a field was asked for, but the stored value is no JSON object",
  );
}

function pointerKeys(field: string): string[] {
  if (!field.startsWith("/")) return [field];
  return field
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}
