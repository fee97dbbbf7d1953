/** What a redactor should write, computed the slow and obvious way. */
import type { Needle } from "nopeek/detect";

interface Range {
  start: number;
  end: number;
  needle: Needle;
}

/** The input with the union of all matches, in it and in its unwrapped view, replaced by masks. */
export function redactSlowly(input: Buffer, needles: readonly Needle[]): Buffer {
  const ranges = [...matches(input, needles), ...unwrappedMatches(input, needles)];
  ranges.sort((a, b) => a.start - b.start || b.end - a.end);
  const beside = new Set(ranges.flatMap((range) => besideOf(input, range)));
  const clean = (from: number, to: number) =>
    Buffer.from(input.subarray(from, to).filter((_, index) => !beside.has(from + index)));
  const parts: Buffer[] = [];
  let written = 0;
  for (let i = 0; i < ranges.length; ) {
    const first = ranges[i] as Range;
    let union = { ...first };
    for (i++; i < ranges.length; i++) {
      const next = ranges[i] as Range;
      if (next.start >= union.end) break;
      const [needle = union.needle] = [union.needle, next.needle].sort(
        (a, b) => b.bytes.length - a.bytes.length || Buffer.compare(a.bytes, b.bytes),
      );
      union = { start: union.start, end: Math.max(union.end, next.end), needle };
    }
    parts.push(clean(written, union.start), Buffer.from(union.needle.secret.mask));
    written = union.end;
  }
  return Buffer.concat([...parts, clean(written, input.length)]);
}

const sextets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The characters beside a match of base64 that hold some of its bits, and padding. */
function besideOf(input: Buffer, { start, end, needle: { before, after } }: Range): number[] {
  const holds = (at: number, { mask, bits }: { mask: number; bits: number }) => {
    const character = input
      .toString("latin1", at, at + 1)
      .replace("-", "+")
      .replace("_", "/");
    return (
      character !== "" &&
      sextets.includes(character) &&
      (sextets.indexOf(character) & mask) === bits
    );
  };
  const found: number[] = [];
  if (before !== undefined && start > 0 && holds(start - 1, before)) found.push(start - 1);
  if (after === undefined || !holds(end, after)) return found;
  found.push(end);
  for (let at = end + 1; at < end + 3 && input[at] === 0x3d; at++) found.push(at);
  return found;
}

function matches(input: Buffer, needles: readonly Needle[]): Range[] {
  return needles.flatMap((needle) => {
    const found: Range[] = [];
    for (
      let at = input.indexOf(needle.bytes);
      at !== -1;
      at = input.indexOf(needle.bytes, at + 1)
    ) {
      found.push({ start: at, end: at + needle.bytes.length, needle });
    }
    return found;
  });
}

function unwrappedMatches(input: Buffer, needles: readonly Needle[]): Range[] {
  const kept: number[] = [];
  const text = input.toString("latin1");
  const gaps = /\x1b\[[\x20-\x3f]*[\x40-\x7e]|\x1b[^[\]]|\\?[\r\n][\r\n \t]*/g;
  let from = 0;
  for (const gap of text.matchAll(gaps)) {
    for (let i = from; i < gap.index; i++) kept.push(i);
    from = gap.index + gap[0].length;
  }
  for (let i = from; i < input.length; i++) kept.push(i);
  const view = Buffer.from(kept.map((i) => input[i] ?? 0));
  return matches(view, needles).flatMap(({ start, end, needle }) => {
    const range = { start: kept[start] ?? 0, end: (kept[end - 1] ?? 0) + 1, needle };
    const crosses = range.end - range.start !== end - start;
    return crosses && end - start >= 8 ? [range] : [];
  });
}
