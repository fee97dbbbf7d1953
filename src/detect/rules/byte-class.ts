/** Rules share most of their classes; no more than so many are kept. */
const maxKept = 1000;
const kept = new Map<string, Uint8Array>();

/**
 * The bytes of a class such as `A-Za-z0-9_-` or `^ "'`, as a table of 0 and 1: one table for all who
 * ask for the class, so it is not to be changed.
 */
export function byteClass(chars: string): Uint8Array {
  const known = kept.get(chars);
  if (known !== undefined) return known;
  const table = makeTable(chars);
  if (kept.size < maxKept) kept.set(chars, table);
  return table;
}

function makeTable(chars: string): Uint8Array {
  const isNegated = chars.startsWith("^");
  const bytes = Buffer.from(isNegated ? chars.slice(1) : chars, "latin1");
  const table = new Uint8Array(256);
  for (let i = 0; i < bytes.length; i++) {
    const from = bytes[i] as number;
    const isRange = bytes[i + 1] === dash && i + 2 < bytes.length;
    const to = isRange ? (bytes[i + 2] as number) : from;
    for (let byte = from; byte <= to; byte++) table[byte] = 1;
    if (isRange) i += 2;
  }
  if (isNegated) for (let byte = 0; byte < 256; byte++) table[byte] = 1 - (table[byte] as number);
  return table;
}

/** Adds the bytes that are not 0 in one table to another, and returns that. */
export function addBytes(table: Uint8Array, more: Uint8Array | Uint16Array): Uint8Array {
  for (let byte = 0; byte < 256; byte++) if (more[byte] !== 0) table[byte] = 1;
  return table;
}

const dash = 0x2d;

/** Both cases of a letter; other bytes alone. */
export function casesOf(byte: number): readonly number[] {
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x7a ? [letter, letter ^ 0x20] : [byte];
}

export function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** Whether a range of a class runs backwards, as `_-.` does: the `-` was meant to stand last. */
export function hasEmptyRange(chars: string): boolean {
  for (let i = chars.startsWith("^") ? 1 : 0; i + 2 < chars.length; i++) {
    if (chars[i + 1] !== "-") continue;
    if ((chars[i] as string) > (chars[i + 2] as string)) return true;
    i += 2;
  }
  return false;
}
