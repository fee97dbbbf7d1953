import { type Automaton, buildAutomaton, furtherChild } from "./automaton.ts";
import type { Needle } from "./forms.ts";

/** Takes a match: offsets in the scanned stream, end exclusive, and the needle found. */
export type OnMatch = (start: number, end: number, needle: Needle) => void;

/** Looks for a fixed set of needles. Stateless: the caller keeps the state between chunks. */
export interface Matcher {
  /**
   * Scans one chunk.
   *
   * @param state - What the last chunk of the stream returned; 0 at its start.
   * @param base - The offset of the chunk in its stream.
   * @param onMatch - Called in order of the matches' ends, for the longest needle at each end.
   * @returns The state: how much of which needles stands at the end of the chunk.
   */
  scan(chunk: Uint8Array, state: number, base: number, onMatch: OnMatch): number;
  /** How many of the last bytes may still become part of a match. */
  pending(state: number): number;
  /**
   * How many of the pending bytes may be shown at a pause: at most `most`, and at most a quarter of
   * the shortest form that each suffix of them may still become.
   */
  showable(state: number, most: number): number;
}

/** Builds a matcher; the first of several equal needles is the one that is found. */
export function createMatcher(given: readonly Needle[]): Matcher {
  const unique = new Map<string, Needle>();
  for (const needle of given) {
    const key = needle.bytes.toString("latin1");
    if (!unique.has(key)) unique.set(key, needle);
  }
  const needles = [...unique.values()];
  if (needles.length === 0) return emptyMatcher;
  const automaton = buildAutomaton(needles.map(({ bytes }) => bytes));
  return {
    scan: (chunk, state, base, onMatch) => scan(automaton, needles, chunk, state, base, onMatch),
    pending: (state) => automaton.depth[state] as number,
    showable: (state, most) => showable(automaton, state, most),
  };
}

const emptyMatcher: Matcher = { scan: () => 0, pending: () => 0, showable: () => 0 };

function scan(
  automaton: Automaton,
  needles: readonly Needle[],
  chunk: Uint8Array,
  from: number,
  base: number,
  onMatch: OnMatch,
): number {
  const { label, fail, found, branches, root, edges, lengths } = automaton;
  const end = chunk.length;
  let state = from;
  let i = 0;
  while (i < end) {
    if (state === 0) {
      while (i < end && root[chunk[i] as number] === 0) i++;
      if (i === end) break;
    }
    const byte = chunk[i++] as number;
    for (;;) {
      if (state === 0) {
        state = root[byte] as number;
        break;
      }
      if (label[state + 1] === byte) {
        state++;
        break;
      }
      if (branches[state] === 1) {
        const child = furtherChild(edges, state, byte);
        if (child !== 0) {
          state = child;
          break;
        }
      }
      state = fail[state] as number;
    }
    const index = found[state] as number;
    if (index !== -1) {
      onMatch(base + i - (lengths[index] as number), base + i, needles[index] as Needle);
    }
  }
  return state;
}

/** Each suffix of the pending bytes that is in the trie may become a match: none may show too much. */
function showable({ fail, depth, shortest }: Automaton, from: number, most: number): number {
  const pending = depth[from] as number;
  let shown = pending;
  for (let state = from; state !== 0; state = fail[state] as number) {
    const quarter = Math.floor((shortest[state] as number) / 4);
    shown = Math.min(shown, pending - (depth[state] as number) + Math.min(most, quarter));
  }
  return shown;
}
