import type { Confidence, Needle, Rule } from "../detect/index.ts";
import { maskOf } from "../secrets/index.ts";

/** A match of a format rule. */
export interface RuleMatch {
  readonly rule: Rule;
  readonly confidence: Confidence;
  /** The secret part; of an overlong one its first bytes. */
  readonly bytes: Buffer;
}

/** A part of the stream that is replaced by one mask: the union of overlapping matches. */
export interface Masked {
  readonly start: number;
  readonly end: number;
  /** The best of the matches; it gives the mask its name. */
  readonly match: Needle | RuleMatch;
}

/** The text that stands in place of a match. */
export function maskTextOf(match: Needle | RuleMatch): string {
  return "secret" in match ? match.secret.mask : maskOf(match.rule.id);
}

/**
 * Matches that are found but not yet written, in order, overlapping ones merged.
 *
 * A gap stands where the last one was added. Finders each come in order, so that the gap moves along
 * with them, and a chunk of many matches takes time linear in their number.
 */
export class MaskList {
  /** Those before the gap, from `#head` on. */
  #before: Masked[] = [];
  #head = 0;
  /** Those behind the gap, the next one last. */
  readonly #behind: Masked[] = [];

  get first(): Masked | undefined {
    return this.#head < this.#before.length ? this.#before[this.#head] : this.#behind.at(-1);
  }

  add(start: number, end: number, match: Needle | RuleMatch): void {
    let added: Masked = { start, end, match };
    for (let next = this.#behind.at(-1); next !== undefined; next = this.#behind.at(-1)) {
      if (next.start >= end) break;
      this.#before.push(next);
      this.#behind.pop();
    }
    while (this.#head < this.#before.length) {
      const last = this.#before.at(-1) as Masked;
      if (last.end <= added.start) break;
      this.#before.pop();
      if (last.start >= added.end) this.#behind.push(last);
      else added = union(last, added);
    }
    this.#before.push(added);
  }

  /** Takes out those that begin before `limit`. */
  takeBefore(limit: number): readonly Masked[] {
    const taken: Masked[] = [];
    for (let first = this.first; first !== undefined && first.start < limit; first = this.first) {
      taken.push(first);
      this.shift();
    }
    return taken;
  }

  shift(): Masked | undefined {
    if (this.#head === this.#before.length) return this.#behind.pop();
    const first = this.#before[this.#head];
    this.#head++;
    // Moves what is left only when as much was taken: each one is moved once.
    if (this.#head * 2 >= this.#before.length) {
      this.#before = this.#before.slice(this.#head);
      this.#head = 0;
    }
    return first;
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
