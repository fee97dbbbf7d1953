import { SecretError } from "./errors.ts";
import type { Change } from "./provider.ts";
import type { Reference } from "./reference.ts";

/**
 * What is to be stored after a change: the value itself, or a JSON document with the changed
 * fields.
 *
 * @param current - What is stored now; only looked at by a merge.
 * @throws SecretError `SECRET_MALFORMED` if a merge meets anything but a JSON object.
 */
export function changedDocument(
  reference: Reference,
  change: Change,
  current: string | Uint8Array | null,
): string | Uint8Array {
  if ("value" in change) return change.value;
  const merged = new Map<string, unknown>();
  if (change.mode === "merge" && current !== null) {
    for (const [key, value] of Object.entries(parseDocument(reference, current))) {
      merged.set(key, value);
    }
  }
  for (const [key, value] of Object.entries(change.fields)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  // Object.fromEntries defines "__proto__" as an own key, where assignment would not.
  return JSON.stringify(Object.fromEntries(merged));
}

function parseDocument({ text }: Reference, stored: string | Uint8Array): object {
  let parsed: unknown;
  let json = "";
  try {
    json =
      typeof stored === "string"
        ? stored
        : new TextDecoder("utf-8", { fatal: true }).decode(stored);
    parsed = JSON.parse(json);
  } catch {
    // The parser's message quotes the document.
    parsed = undefined;
  }
  if (losesNumbers(json)) {
    throw new SecretError(
      "SECRET_MALFORMED",
      `${text}: the stored document has a number that JavaScript cannot keep; store it as text, or replace the document as a whole`,
    );
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new SecretError(
    "SECRET_MALFORMED",
    `${text}: fields can be merged into a JSON object only, and what is stored is none; replace it as a whole`,
  );
}

/** Whether a number of the document would be another one after it was read and written. */
function losesNumbers(json: string): boolean {
  const outsideText = json.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  return (outsideText.match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? []).some((number) => {
    const value = Number(number);
    const digits = number
      .replace(/[eE].*$/, "")
      .replace(/\D/g, "")
      .replace(/^0+/, "");
    return !Number.isFinite(value) || digits.length > 15;
  });
}
