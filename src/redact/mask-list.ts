import type { Confidence, Needle, Rule } from "../detect/index.ts";
import { maskOf } from "../secrets/index.ts";
import { type Range, Ranges } from "./ranges.ts";

/** A match of a format rule. */
export interface RuleMatch {
  readonly rule: Rule;
  readonly confidence: Confidence;
  /** The secret part; of an overlong one its first bytes. */
  readonly bytes: Buffer;
}

/** A part of the stream that is replaced by one mask: the union of overlapping matches. */
export interface Masked extends Range {
  /** The best of the matches; it gives the mask its name. */
  readonly match: Needle | RuleMatch;
}

/** The text that stands in place of a match. */
export function maskTextOf(match: Needle | RuleMatch): string {
  return "secret" in match ? match.secret.mask : maskOf(match.rule.id);
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
  const [rankA, rankB] = [rankOf(a), rankOf(b)];
  if (rankA !== rankB) return rankA > rankB;
  if (a.bytes.length !== b.bytes.length) return a.bytes.length > b.bytes.length;
  const order = Buffer.compare(a.bytes, b.bytes);
  return order === 0 ? idOf(a) <= idOf(b) : order < 0;
}

const ranks: Readonly<Record<Confidence, number>> = {
  exact: 4,
  checksum: 3,
  format: 2,
  heuristic: 1,
  placeholder: 0,
};

function rankOf(match: Needle | RuleMatch): number {
  return ranks["secret" in match ? "exact" : match.confidence];
}

function idOf(match: Needle | RuleMatch): string {
  return "secret" in match ? "" : match.rule.id;
}
