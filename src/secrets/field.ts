import { SecretError, type SecretErrorCode } from "./errors.ts";

/**
 * Takes one field out of a stored JSON document.
 *
 * @param field - A key of the document, or an RFC 6901 pointer (`/a/0/b~1c`).
 * @param options - `of`: the reference that errors name; without it the caller names it.
 * @returns `null` where the field does not exist or is JSON `null`.
 * @throws {@link SecretError} `SECRET_MALFORMED` if the document is no JSON object,
 *   `SECRET_FIELD_INVALID` if the field holds no text (numbers and booleans pass with `coerce`).
 */
export function selectField(
  document: string | Uint8Array,
  field: string,
  options: { coerce?: boolean; of?: string } = {},
): string | null {
  const { coerce, of } = options;
  const wrong = (code: SecretErrorCode, why: string) =>
    new SecretError(code, of === undefined ? why : `${of}: ${why}`);
  let node = parseObject(document);
  if (node === null) {
    throw wrong(
      "SECRET_MALFORMED",
      "a field was asked for, but the stored value is no JSON object; leave the field out, or store a JSON object with it",
    );
  }
  for (const key of pointerKeys(field)) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, key)) return null;
    node = (node as Record<string, unknown>)[key];
  }
  if (node === null) return null;
  if (typeof node === "string") return node;
  if (typeof node === "object") {
    throw wrong("SECRET_FIELD_INVALID", "the field holds a list or an object, not text");
  }
  if (coerce === true) return String(node);
  throw wrong(
    "SECRET_FIELD_INVALID",
    "the field holds a number or a boolean; store it as text, or declare it with coerce: true",
  );
}

/** `null` for what is none. */
function parseObject(document: string | Uint8Array): unknown {
  let parsed: unknown;
  try {
    const text = typeof document === "string" ? document : new TextDecoder().decode(document);
    parsed = JSON.parse(text);
  } catch {
    // The parser's message quotes the document.
    parsed = null;
  }
  return typeof parsed === "object" ? parsed : null;
}

function pointerKeys(field: string): string[] {
  if (!field.startsWith("/")) return [field];
  return field
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}
