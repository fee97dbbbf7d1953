import { withheld } from "../audit/index.ts";
import { parseReference } from "../secrets/index.ts";

/** Where a store keeps what a rotation replaces as a whole: a reference without options and field. */
export function placeOf(reference: string | undefined): string | undefined {
  if (reference === undefined || reference === withheld) return undefined;
  try {
    const { scheme, path } = parseReference(reference);
    return `${scheme}://${path}`;
  } catch {
    // Not a reference, so it is nowhere.
    return undefined;
  }
}

/** The field of a reference that `placeOf` takes. */
export function fieldOf(reference: string | undefined): string | undefined {
  return placeOf(reference) === undefined ? undefined : parseReference(reference ?? "").field;
}
