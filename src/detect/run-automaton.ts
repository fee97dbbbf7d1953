import type { Automaton } from "./automaton.ts";
import { branches, edgeKey, endsNeedle, isLow, isShallow } from "./trie.ts";

/** Takes a match: the offset after its last byte and the index of the needle. */
export type OnEnd = (end: number, index: number) => void;

/** Where a run stopped. One object for all runs of a lane: a run is often a few bytes long. */
export interface RunEnd {
  state: number;
  /** The first byte that was not read, or is to be read again. */
  position: number;
}

/**
 * Reads `bytes` from `from`, in `state`, until `to`; or until it is at rest at a position of at least
 * `restAt`: at most `maxRestDepth` bytes of a needle are under way. Those are given back, so that the
 * state is 0: with many needles nearly every byte begins one, and an automaton that waited for none
 * to be under way would go on through all the text.
 */
export function runAutomaton(
  automaton: Automaton,
  bytes: Uint8Array,
  from: number,
  to: number,
  restAt: number,
  state: number,
  onEnd: OnEnd,
  result: RunEnd,
): void {
  const { label, flags, fail, depth, edges, classOf, classCount, afterPair, found } = automaton;
  let s = state;
  let i = from;
  let flag = flags[s] as number;
  // The row of the byte before: a shallow state is that byte, or none.
  let row = s === 0 ? 0 : (classOf[(label[s] as number) & 0xff] as number) * classCount;
  while (i < to) {
    const byte = bytes[i++] as number;
    const column = classOf[byte] as number;
    for (;;) {
      if ((flag & isShallow) !== 0) {
        s = afterPair[row + column] as number;
        break;
      }
      if (label[s + 1] === byte) {
        s++;
        break;
      }
      if ((flag & branches) !== 0) {
        const child = edges.get(edgeKey(s, byte));
        if (child !== 0) {
          s = child;
          break;
        }
      }
      s = fail[s] as number;
      flag = flags[s] as number;
    }
    row = column * classCount;
    flag = flags[s] as number;
    if ((flag & endsNeedle) !== 0) onEnd(i, found.get(s));
    if ((flag & isLow) !== 0 && i >= restAt) {
      result.state = 0;
      result.position = i - (depth[s] as number);
      return;
    }
  }
  result.state = s;
  result.position = i;
}
