import type { Confidence, Needle, RuleMatch } from "../detect/index.ts";
import { type Range, Ranges } from "./ranges.ts";

/** A part of the stream that is replaced by one mask: the union of overlapping matches. */
export interface Masked extends Range {
  /** The best of the matches; it gives the mask its name. */
  readonly match: Needle | RuleMatch;
  /** The best of those that begin first: it gives an overlong mask its name. */
  readonly first?: Needle | RuleMatch | undefined;
  /** The mask is written, and what follows belongs to it. */
  readonly isWritten?: boolean | undefined;
}

/**
 * Matches can overlap without end, as those of `password=password=...` do. A longer union is written
 * before its end is known, by the name of what begins first: so it has one name however it is cut.
 */
const maxOpenBytes = 128 * 1024;

export function isOverlong(start: number, end: number): boolean {
  return end - start > maxOpenBytes;
}

/** A mask as it is written up to `to`: an overlong one by the name of what begins first. */
export function maskUpTo(masked: Masked, to: number): Masked {
  const { start, match, first = match } = masked;
  return isOverlong(start, to) ? { ...masked, end: to, match: first } : masked;
}

/** The text that stands in place of a match. */
export function maskTextOf(match: Needle | RuleMatch): string {
  return "secret" in match ? match.secret.mask : match.rule.mask;
}

/** The texts of masks as bytes: to encode one costs more than to copy it. */
export class MaskBytes {
  readonly #known = new Map<string, Buffer>();

  of({ match }: Masked): Buffer {
    const text = maskTextOf(match);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const bytes = Buffer.from(text);
    this.#known.set(text, bytes);
    return bytes;
  }
}

/** Matches that are found but not yet written, in order, overlapping ones merged. */
export class MaskList extends Ranges<Masked> {
  constructor() {
    super(union);
  }
}

function union(a: Masked, b: Masked): Masked {
  const [firstA, firstB] = [a.first ?? a.match, b.first ?? b.match];
  let first = a.start < b.start ? firstA : firstB;
  if (a.start === b.start) first = outranks(firstA, firstB) ? firstA : firstB;
  return {
    start: Math.min(a.start, b.start),
    end: Math.max(a.end, b.end),
    match: outranks(a.match, b.match) ? a.match : b.match,
    first,
    isWritten: a.isWritten === true || b.isWritten === true,
  };
}

/**
 * A known value before a rule; the surer rule; the longer match. Of equal ones always the same, in
 * whatever order they are found.
 */
function outranks(a: Needle | RuleMatch, b: Needle | RuleMatch): boolean {
  if (a === b) return true;
  if ("secret" in a) return !("secret" in b) || comesFirst(a.bytes, b.bytes);
  if ("secret" in b) return false;
  const [rankA, rankB] = [ranks[a.confidence], ranks[b.confidence]];
  if (rankA !== rankB) return rankA > rankB;
  if (a.text.length !== b.text.length) return a.text.length > b.text.length;
  return a.text === b.text ? a.rule.id <= b.rule.id : a.text < b.text;
}

function comesFirst(a: Buffer, b: Buffer): boolean {
  return a.length === b.length ? Buffer.compare(a, b) <= 0 : a.length > b.length;
}

/** `exact` is a known value. */
const ranks: Readonly<Record<Confidence, number>> = {
  exact: 4,
  checksum: 3,
  format: 2,
  heuristic: 1,
  placeholder: 0,
};
