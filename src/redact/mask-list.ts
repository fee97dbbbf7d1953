import type { Confidence, Needle, RuleMatch } from "../detect/index.ts";
import { type Range, Ranges } from "./ranges.ts";

/** A part of the stream that is replaced by one mask: the union of overlapping matches. */
export interface Masked extends Range {
  /** The best of the matches; it gives the mask its name. */
  readonly match: Needle | RuleMatch;
}

/** The text that stands in place of a match. */
export function maskTextOf(match: Needle | RuleMatch): string {
  return "secret" in match ? match.secret.mask : match.rule.mask;
}

/** Matches that are found but not yet written, in order, overlapping ones merged. */
export class MaskList extends Ranges<Masked> {
  constructor() {
    super(union);
  }
}

function union(a: Masked, b: Masked): Masked {
  return {
    start: Math.min(a.start, b.start),
    end: Math.max(a.end, b.end),
    match: outranks(a.match, b.match) ? a.match : b.match,
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
