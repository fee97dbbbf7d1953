import { type GramFilter, gramFactor, hashOfPair, pairFactor } from "./gram-filter.ts";

/** Samples that are looked at with one branch. */
const roundSamples = 8;
/**
 * So many rounds are looked at in a call. V8 compiles a loop that runs for long while it runs, to slower
 * code than a function that is called, and then never compiles the function.
 */
const mostRounds = 16;

/**
 * The next sampled word, from `first` to `last` in steps of the stride, that may belong to a needle;
 * -1 if there is none.
 *
 * @param words - The memory of the text as words; offsets are in words too.
 */
export function nextCandidate(
  filter: GramFilter,
  words: Int32Array,
  first: number,
  last: number,
): number {
  const { stride, grams, gramShift } = filter;
  const step = stride >> 2;
  const round = step * roundSamples;
  const lastRound = last - round + step;
  let i = first;
  while (i <= lastRound) {
    const end = Math.min(lastRound, i + round * (mostRounds - 1));
    i = firstHit(grams, gramShift, words, i, end, step);
    if (i > end) continue;
    const found = firstCandidate(filter, words, i, i + round - step);
    if (found !== -1) return found;
    i += round;
  }
  return firstCandidate(filter, words, i, last);
}

/** The first round, up to the one at `end`, with a sample in the filter; or the one behind them. */
function firstHit(
  grams: Int32Array,
  shift: number,
  words: Int32Array,
  first: number,
  end: number,
  step: number,
): number {
  let i = first;
  for (; i <= end; i += step * roundSamples) {
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
  }
  return i;
}

/** One sample after the other, with both filters. */
function firstCandidate(
  filter: GramFilter,
  words: Int32Array,
  first: number,
  last: number,
): number {
  const { stride, grams, gramShift, pairs, pairShift, lastGrams } = filter;
  const step = stride >> 2;
  for (let i = first; i <= last; i += step) {
    const gram = words[i] as number;
    if ((inFilter(grams, gramShift, gram) & 1) === 0) continue;
    const pair = hashOfPair(gram, words[i + 1] as number) >>> pairShift;
    if ((((pairs[pair >>> 5] as number) >>> pair) & 1) !== 0) return i;
    if (lastGrams === null) continue;
    const alone = Math.imul(gram, pairFactor) >>> pairShift;
    if ((((lastGrams[alone >>> 5] as number) >>> alone) & 1) !== 0) return i;
  }
  return -1;
}

/** In its lowest bit: 1 if the gram may be one of a needle. */
function inFilter(grams: Int32Array, shift: number, gram: number): number {
  const hash = Math.imul(gram, gramFactor);
  const word = grams[hash >>> shift] as number;
  return (word >>> (hash >>> 8)) & (word >>> (hash >>> 3));
}
