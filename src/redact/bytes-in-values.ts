/** Bytes that stand in a value as numbers: `[104, 117, 110]`, `{ "0": 104, "1": 117 }`. */

/** Fewer bytes are no secret that is masked. */
const minBytes = 4;

/** Whether a list holds numbers from 0 to 255 only, and enough of them. */
export function looksLikeBytes(list: readonly unknown[]): list is number[] {
  return list.length >= minBytes && isByte(list[0]) && list.every(isByte);
}

/** The values of an object whose keys are 0, 1, 2, ...: a typed array that was spread. */
export function listOf(entries: ReadonlyArray<readonly [PropertyKey, unknown]>): unknown[] | null {
  if (entries.length < minBytes) return null;
  const isList = entries.every(([key], index) => key === String(index));
  return isList ? entries.map(([, value]) => value) : null;
}

function isByte(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= 255 && Number.isInteger(value);
}
