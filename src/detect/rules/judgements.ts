import type { Shape } from "./compile.ts";
import type { RuleMatch } from "./rule.ts";

/** A part of the chunk, and the match that it is; null if its rule refused it. */
interface Judged {
  readonly text: string;
  readonly match: RuleMatch | null;
  from: number;
  to: number;
  /** So many bytes before each byte from `from` to `to` stands the same one; 0 if nothing is known. */
  period: number;
}

/**
 * What was judged last in a chunk, of each shape. The same value often stands many times in a row, and to
 * compare bytes costs a tenth of what it costs to judge them.
 */
export class Judgements {
  readonly #last = new Map<Shape, Judged>();

  /** Begins a new chunk. To clear an empty map costs more than to look at a line. */
  forget(): void {
    if (this.#last.size > 0) this.#last.clear();
  }

  /**
   * What is known of a part of the chunk: the match, null if it is none, undefined if it is not known.
   *
   * @param from - Below 0 for what is not a part of this chunk alone: nothing is known of it.
   */
  find(shape: Shape, bytes: Buffer, from: number, to: number): RuleMatch | null | undefined {
    const last = this.#last.get(shape);
    if (last === undefined || from < 0 || last.from < 0) return undefined;
    if (to - from !== last.to - last.from) return undefined;
    const shift = from - last.from;
    // Of values that overlap only what is new is compared: `sig=sig=...` has one in every four bytes.
    const isNext = shift > 0 && shift === last.period && from < last.to;
    const known = isNext ? last.to : from;
    if (!areEqual(bytes, known, known - shift, to - known)) return undefined;
    last.from = from;
    last.to = to;
    last.period = shift;
    return last.match;
  }

  /** Judges a text that is not known by its bytes; it may begin in another chunk, and be known all the same. */
  judge(shape: Shape, text: string, from: number, to: number): RuleMatch | null {
    const last = this.#last.get(shape);
    if (last?.text === text) {
      last.from = from;
      last.to = to;
      last.period = 0;
      return last.match;
    }
    const { rule, judge } = shape;
    const confidence = judge(text);
    const match = confidence && { rule, confidence, text };
    this.#last.set(shape, { text, match, from, to, period: 0 });
    return match;
  }
}

/** A call costs as much as to compare so many bytes one by one. */
const shortBytes = 32;

/** Whether the same bytes stand at two places. */
function areEqual(bytes: Buffer, a: number, b: number, length: number): boolean {
  const near = Math.min(length, shortBytes);
  for (let i = 0; i < near; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return length === near || bytes.compare(bytes, a + near, a + length, b + near, b + length) === 0;
}
