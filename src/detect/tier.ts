import { type Automaton, buildAutomaton, hasNeedle, maxNeedleBytes } from "./automaton.ts";
import { agrees } from "./encodings.ts";
import type { Needle } from "./forms.ts";

/** Needles that were built into one automaton. */
export interface Tier {
  /** In byte order, no two equal. */
  readonly needles: readonly Needle[];
  readonly bytes: number;
  readonly automaton: Automaton;
  /** 1 for a byte that agrees with the known bits before some needle. */
  readonly beside: Uint8Array;
}

/**
 * The tiers with more needles, as a log-structured merge: the new ones are built into a tier of their
 * own, together with the last tiers as long as those are not larger. So there are few tiers, and a needle
 * is built anew only when twice as many are.
 *
 * @param added - In byte order, no two equal.
 */
export function withNeedles(tiers: readonly Tier[], added: readonly Needle[]): Tier[] {
  const isNew = ({ bytes }: Needle) => !tiers.some((tier) => hasNeedle(tier.automaton, bytes));
  const merged = added.filter(isNew);
  if (merged.length === 0) return [...tiers];
  const kept = [...tiers];
  let bytes = bytesOf(merged);
  for (let last = kept.at(-1); last !== undefined && last.bytes <= bytes; last = kept.at(-1)) {
    kept.pop();
    for (const needle of last.needles) merged.push(needle);
    bytes += last.bytes;
  }
  return [...kept, ...buildTiers(inByteOrder(merged))];
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
      beside: besideOf(part),
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

function besideOf(needles: readonly Needle[]): Uint8Array {
  const beside = new Uint8Array(256);
  const seen = new Set<number>();
  for (const { before } of needles) {
    if (before === undefined) continue;
    const key = before.mask * 64 + before.bits;
    if (seen.has(key)) continue;
    seen.add(key);
    for (let byte = 0; byte < 256; byte++) if (agrees(byte, before)) beside[byte] = 1;
  }
  return beside;
}

function bytesOf(needles: readonly Needle[]): number {
  return needles.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
