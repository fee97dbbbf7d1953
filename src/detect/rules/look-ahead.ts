/**
 * What can follow a keyword. Most words such as `token` or `key` are part of a sentence: the next two
 * bytes tell, before anything is tried.
 */
import { addBytes } from "./byte-class.ts";
import type { CompiledStep } from "./compile.ts";

/** By byte: 1 if the steps can begin with it. */
export function firstsOf(steps: readonly CompiledStep[]): Uint8Array {
  return addFirsts(new Uint8Array(256), steps, 0);
}

/** By bits: the pairs of bytes with which one of the shapes can begin, and maybe a few more. */
export function pairsOf(
  shapes: ReadonlyArray<{ readonly steps: readonly CompiledStep[] }>,
): Uint32Array {
  const bits = new Uint32Array(65_536 / 32);
  for (const { steps } of shapes) {
    const firsts = firstsOf(steps);
    // Behind all bytes that one step takes in one way, the same ones can stand.
    const known = new Map<number, Uint8Array>();
    for (let byte = 0; byte < 256; byte++) {
      if (firsts[byte] === 0) continue;
      const { index, state } = takerOf(steps, byte);
      const key = (index << 16) | state;
      const seconds = known.get(key) ?? secondsOf(steps, index, state);
      known.set(key, seconds);
      addPairs(bits, byte, seconds);
    }
  }
  return bits;
}

/** The first step that takes a byte, and the state of its texts behind it; no step if it is not sure. */
function takerOf(
  steps: readonly CompiledStep[],
  byte: number,
): { readonly index: number; readonly state: number } {
  for (let index = 0; index < steps.length; index++) {
    const step = steps[index] as CompiledStep;
    const { table, until, next } = step;
    if (table?.[byte] === 1) return { index: until === null ? index : steps.length, state: 0 };
    const state = next[0]?.[byte] ?? 0;
    if (state !== 0) return { index, state };
    if (!isOptional(step)) break;
  }
  return { index: steps.length, state: 0 };
}

function secondsOf(steps: readonly CompiledStep[], index: number, state: number): Uint8Array {
  const allowed = new Uint8Array(256);
  const step = steps[index];
  if (step === undefined) return allowed.fill(1);
  const { table, min, max, next, ends } = step;
  if (table === null) {
    addTo(allowed, next[state]);
    return ends[state] === true ? addFirsts(allowed, steps, index + 1) : allowed;
  }
  if (max > 1) addTo(allowed, table);
  return min <= 1 ? addFirsts(allowed, steps, index + 1) : allowed;
}

/** Adds the bytes with which the steps from an index on can begin: all if they may all be empty. */
function addFirsts(allowed: Uint8Array, steps: readonly CompiledStep[], from: number): Uint8Array {
  for (let index = from; index < steps.length; index++) {
    const step = steps[index] as CompiledStep;
    addTo(allowed, step.table ?? step.next[0]);
    if (mayEndAtOnce(step)) return allowed.fill(1);
    if (!isOptional(step)) return allowed;
  }
  return allowed.fill(1);
}

function isOptional({ table, min, ends }: CompiledStep): boolean {
  return table === null ? ends[0] === true : min === 0;
}

/** Where a run that ends behind a text takes nothing, the match ends, and counts: whatever follows. */
function mayEndAtOnce({ until, min }: CompiledStep): boolean {
  return until !== null && min === 0;
}

function addTo(allowed: Uint8Array, more: Uint8Array | Uint16Array | undefined): Uint8Array {
  return more === undefined ? allowed : addBytes(allowed, more);
}

function addPairs(bits: Uint32Array, first: number, seconds: Uint8Array): void {
  for (let second = 0; second < 256; second++) {
    const pair = (first << 8) | second;
    if (seconds[second] === 1) bits[pair >> 5] = (bits[pair >> 5] as number) | (1 << (pair & 31));
  }
}

/** Whether two bytes are among the pairs. */
export function hasPair(bits: Uint32Array, first: number, second: number): boolean {
  const pair = (first << 8) | second;
  return (((bits[pair >> 5] as number) >>> (pair & 31)) & 1) === 1;
}
