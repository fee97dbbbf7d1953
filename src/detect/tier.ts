import { type Automaton, buildAutomaton, hasNeedle, maxNeedleBytes } from "./automaton.ts";
import type { Needle } from "./forms.ts";

/** Needles that were built into one automaton. */
export interface Tier {
  /** In byte order, no two equal. */
  readonly needles: readonly Needle[];
  readonly bytes: number;
  readonly automaton: Automaton;
}

/** Building this much takes a millisecond or two: an addition never waits for more. */
const maxMergedBytes = 32 * 1024;
/** So many tiers cost more at every chunk than building all of them anew costs once. */
const maxTiers = 12;

/**
 * The tiers with more needles, as a log-structured merge: the new ones are built into a tier of their
 * own, together with the last tiers as long as those are small and not much larger.
 *
 * @param added - In byte order, no two equal.
 */
export function withNeedles(tiers: readonly Tier[], added: readonly Needle[]): Tier[] {
  const kept = [...tiers];
  let needles = added.filter(
    ({ bytes }) => !tiers.some((tier) => hasNeedle(tier.automaton, bytes)),
  );
  if (needles.length === 0) return kept;
  let bytes = bytesOf(needles);
  for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
    const isSmall = last.bytes <= bytes * 2 && last.bytes + bytes <= maxMergedBytes;
    if (!isSmall && kept.length < maxTiers) break;
    kept.pop();
    needles = inByteOrder([...last.needles, ...needles]);
    bytes += last.bytes;
  }
  return [...kept, ...buildTiers(needles)];
}

/** Sorted by their bytes; of equal ones the first. */
export function inByteOrder(needles: readonly Needle[]): Needle[] {
  const sorted = needles.toSorted((a, b) => Buffer.compare(a.bytes, b.bytes));
  return sorted.filter(
    (needle, i) => i === 0 || !needle.bytes.equals((sorted[i - 1] as Needle).bytes),
  );
}

/** As many tiers as automata are needed: nearly always one. */
function buildTiers(needles: readonly Needle[]): Tier[] {
  const tiers: Tier[] = [];
  let part: Needle[] = [];
  let bytes = 0;
  const finish = () => {
    tiers.push({
      needles: part,
      bytes,
      automaton: buildAutomaton(part.map((needle) => needle.bytes)),
    });
    part = [];
    bytes = 0;
  };
  for (const needle of needles) {
    if (bytes > 0 && bytes + needle.bytes.length > maxNeedleBytes) finish();
    part.push(needle);
    bytes += needle.bytes.length;
  }
  finish();
  return tiers;
}

function bytesOf(needles: readonly Needle[]): number {
  return needles.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
