/**
 * What can follow a keyword. Most words such as `token` or `key` are part of a sentence: the next two
 * bytes tell, before anything is tried.
 */
import { addBytes } from "./byte-class.ts";
import type { CompiledStep } from "./compile.ts";

/** What can follow a keyword, two bytes far. */
export interface LookAhead {
  /** By byte: 0 if nothing can begin with it, or the number of its row. */
  readonly first: Uint16Array;
  /** By row and byte: 1 if the byte can stand second, and maybe where it cannot. */
  readonly second: Uint8Array;
}

/** How the steps of a shape can begin, by their first byte alone. */
export function firstByteOf(steps: readonly CompiledStep[]): LookAhead {
  return { first: Uint16Array.from(addFirsts(new Uint8Array(256), steps, 0)), second: anySecond };
}

/** Row 1 of a shape that is tried whatever stands second. */
const anySecond = new Uint8Array(512).fill(1);

/** How the steps of a shape can begin, by their first two bytes. */
export function firstBytesOf(steps: readonly CompiledStep[]): LookAhead {
  const { first } = firstByteOf(steps);
  // All bytes that one step takes in one way have the same row.
  const numbers = new Map<number, number>();
  const rows: Uint8Array[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (first[byte] === 0) continue;
    const { index, state } = takerOf(steps, byte);
    const key = (index << 16) | state;
    const number = numbers.get(key) ?? rows.push(secondsOf(steps, index, state));
    numbers.set(key, number);
    first[byte] = number;
  }
  const second = new Uint8Array((rows.length + 1) * 256);
  for (const [index, row] of rows.entries()) second.set(row, (index + 1) * 256);
  return { first, second };
}

/** Whether a byte can follow, and another behind it; -1 for a second one that is not known. */
export function canFollow({ first, second }: LookAhead, next: number, behind: number): boolean {
  const row = first[next] as number;
  return row !== 0 && (behind === -1 || second[(row << 8) | behind] === 1);
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
    if (!isOptional(step)) return allowed;
  }
  return allowed.fill(1);
}

/** By bits: the pairs of bytes with which one of the shapes can begin, and maybe a few more. */
export function pairsOf(shapes: readonly LookAhead[]): Uint32Array {
  const bits = new Uint32Array(65_536 / 32);
  for (const { first, second } of shapes) {
    for (let byte = 0; byte < 256; byte++) {
      const row = (first[byte] as number) << 8;
      if (row !== 0) addPairs(bits, byte, second.subarray(row, row + 256));
    }
  }
  return bits;
}

function isOptional({ table, min, ends }: CompiledStep): boolean {
  return table === null ? ends[0] === true : min === 0;
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
