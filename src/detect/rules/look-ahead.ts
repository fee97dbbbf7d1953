/**
 * What can follow a keyword. Most words such as `token` or `key` are part of a sentence: the next two
 * bytes tell, before anything is tried.
 */
import type { CompiledStep } from "./compile.ts";

/** 1 for a byte with which the steps can begin; for all if they may all be empty. */
export function firstOf(steps: readonly CompiledStep[]): Uint8Array {
  return firstsOf(steps)[0] as Uint8Array;
}

/** By index: 1 for a byte with which the steps from there on can begin. */
function firstsOf(steps: readonly CompiledStep[]): readonly Uint8Array[] {
  const firsts: Uint8Array[] = [new Uint8Array(256).fill(1)];
  for (const step of steps.toReversed()) {
    const behind = firsts[0] as Uint8Array;
    const allowed = isOptional(step) ? behind.slice() : new Uint8Array(256);
    firsts.unshift(addTo(allowed, step.table ?? step.next[0]));
  }
  return firsts;
}

/** By bits: the pairs of bytes with which one of the shapes can begin, and maybe a few more. */
export function pairsOf(shapes: readonly (readonly CompiledStep[])[]): Uint32Array {
  const bits = new Uint32Array(65_536 / 32);
  for (const steps of shapes) {
    const firsts = firstsOf(steps);
    for (let byte = 0; byte < 256; byte++) {
      if (firsts[0]?.[byte] === 1) addPairs(bits, byte, secondOf(steps, byte, firsts));
    }
  }
  return bits;
}

/** 1 for a byte that can stand behind `byte`: the first step that takes the byte takes it. */
function secondOf(
  steps: readonly CompiledStep[],
  byte: number,
  firsts: readonly Uint8Array[],
): Uint8Array {
  const allowed = new Uint8Array(256);
  for (const [index, step] of steps.entries()) {
    const { table, min, max, until, next, ends } = step;
    const state = table === null ? (next[0]?.[byte] ?? 0) : 0;
    if (table?.[byte] === 1 && until === null) {
      if (max > 1) addTo(allowed, table);
      return min <= 1 ? addTo(allowed, firsts[index + 1]) : allowed;
    }
    if (state !== 0) {
      addTo(allowed, next[state]);
      return ends[state] === true ? addTo(allowed, firsts[index + 1]) : allowed;
    }
    if (table?.[byte] === 1 || !isOptional(step)) break;
  }
  return allowed.fill(1);
}

function isOptional({ table, min, ends }: CompiledStep): boolean {
  return table === null ? ends[0] === true : min === 0;
}

function addTo(allowed: Uint8Array, more: Uint8Array | Uint16Array | undefined): Uint8Array {
  if (more === undefined) return allowed;
  for (let byte = 0; byte < 256; byte++) if (more[byte] !== 0) allowed[byte] = 1;
  return allowed;
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
