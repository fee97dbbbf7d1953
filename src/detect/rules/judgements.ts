import type { FoundRule, RuleMatch } from "./rule.ts";

/** A part of the chunk, and the match that it is; null if the rule refused it. */
interface Judged {
  readonly from: number;
  readonly to: number;
  readonly match: RuleMatch | null;
}

/**
 * What each rule judged last in a chunk. The same value often stands many times in a row, and to compare
 * bytes costs a tenth of what it costs to judge them.
 */
export class Judgements {
  readonly #last = new Map<FoundRule, Judged>();

  /** Begins a new chunk. To clear an empty map costs more than to look at a line. */
  forget(): void {
    if (this.#last.size > 0) this.#last.clear();
  }

  /**
   * What is known of a part of the chunk: the match, null if it is none, undefined if it is not known.
   *
   * @param from - Below 0 for what is not a part of this chunk alone: nothing is known of it.
   */
  find(rule: FoundRule, bytes: Buffer, from: number, to: number): RuleMatch | null | undefined {
    const last = this.#last.get(rule);
    if (last === undefined || from < 0 || last.from < 0) return undefined;
    if (to - from !== last.to - last.from) return undefined;
    return areEqual(bytes, from, last.from, to - from) ? last.match : undefined;
  }

  keep(rule: FoundRule, from: number, to: number, match: RuleMatch | null): void {
    this.#last.set(rule, { from, to, match });
  }
}

/** Nearly all that differs differs here: the rest is worth a call. */
const shortBytes = 8;

/** Whether the same bytes stand at two places. */
function areEqual(bytes: Buffer, a: number, b: number, length: number): boolean {
  const near = Math.min(length, shortBytes);
  for (let i = 0; i < near; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return length === near || bytes.compare(bytes, a + near, a + length, b + near, b + length) === 0;
}
