import type { Needle } from "./forms.ts";
import type { NeedleGrams } from "./needle-grams.ts";

/** Takes a match: offsets in the scanned stream, end exclusive, and the needle found. */
export type OnMatch = (start: number, end: number, needle: Needle) => void;

/**
 * What of which needles stands at the end of what was scanned: a state of each automaton. Belongs to
 * the matcher that made it.
 */
export type MatchState = Int32Array;

/** Looks for a fixed set of needles. The caller keeps the state between chunks. */
export interface Matcher {
  /** The state at the start of a text. */
  start(): MatchState;
  /**
   * Scans one chunk and brings `state` up to its end.
   *
   * @param base - The offset of the chunk in its stream.
   * @param onMatch - Called for the longest needle at each end, and for those that have more behind
   *   it (`Needle.after`); ends of one automaton in order.
   */
  scan(chunk: Uint8Array, state: MatchState, base: number, onMatch: OnMatch): void;
  /** Scans the first `length` bytes as a text of its own. */
  scanText(bytes: Uint8Array, length: number, onMatch: OnMatch): void;
  /**
   * Whether the filter alone says that a text holds no needle; false says nothing.
   *
   * @param words - Memory that begins with the text.
   * @param length - The length of the text in bytes.
   */
  holdsNone(words: Int32Array, length: number): boolean;
  /** How many of the last bytes may still become part of a match. */
  pending(state: MatchState): number;
  /**
   * How many of the pending bytes may be shown at a pause: at most `most`, and at most a quarter of
   * the shortest form that each suffix of them may still become.
   */
  showable(state: MatchState, most: number): number;
  /** 1 for a byte that may stand before a match and belong to it: see `Needle.before`. */
  readonly beside: Uint8Array;
  /** What the needles are made of. */
  readonly grams: NeedleGrams;
  /** A matcher for these needles and more. Of equal needles the first is the one that is found. */
  with(needles: readonly Needle[]): Matcher;
}
