import { type GramFilter, gramFactor, hashOfPair, pairFactor } from "./gram-filter.ts";

/**
 * The next sampled word, from `first` to `last` in steps of the stride, that may belong to a needle;
 * -1 if there is none.
 *
 * @param words - The memory of the text as words; offsets are in words too.
 */
export function nextCandidate(
  { stride, grams, gramShift, pairs, pairShift, lastGrams }: GramFilter,
  words: Int32Array,
  first: number,
  last: number,
): number {
  const step = stride >> 2;
  for (let i = first; ; i += step) {
    i = nextGram(grams, gramShift, words, i, last, step);
    if (i === -1) return -1;
    const gram = words[i] as number;
    const pair = hashOfPair(gram, words[i + 1] as number) >>> pairShift;
    if ((((pairs[pair >>> 5] as number) >>> pair) & 1) !== 0) return i;
    if (lastGrams === null) continue;
    const alone = Math.imul(gram, pairFactor) >>> pairShift;
    if ((((lastGrams[alone >>> 5] as number) >>> alone) & 1) !== 0) return i;
  }
}

/** Eight samples a round, and one branch for all of them. */
function nextGram(
  grams: Int32Array,
  shift: number,
  words: Int32Array,
  first: number,
  last: number,
  step: number,
): number {
  const round = step * 8;
  const stop = last - step * 7;
  let i = first;
  while (i <= stop) {
    const hit =
      inFilter(grams, shift, words[i] as number) |
      inFilter(grams, shift, words[i + step] as number) |
      inFilter(grams, shift, words[i + step * 2] as number) |
      inFilter(grams, shift, words[i + step * 3] as number) |
      inFilter(grams, shift, words[i + step * 4] as number) |
      inFilter(grams, shift, words[i + step * 5] as number) |
      inFilter(grams, shift, words[i + step * 6] as number) |
      inFilter(grams, shift, words[i + step * 7] as number);
    if ((hit & 1) !== 0) break;
    i += round;
  }
  for (; i <= last; i += step) {
    if ((inFilter(grams, shift, words[i] as number) & 1) !== 0) return i;
  }
  return -1;
}

/** In its lowest bit: 1 if the gram may be one of a needle. */
function inFilter(grams: Int32Array, shift: number, gram: number): number {
  const hash = Math.imul(gram, gramFactor);
  const word = grams[hash >>> shift] as number;
  return (word >>> (hash >>> 8)) & (word >>> (hash >>> 3));
}
