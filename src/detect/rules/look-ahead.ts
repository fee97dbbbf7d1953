/**
 * What can follow a keyword. Most words such as `token` or `key` are part of a sentence: the next two
 * bytes tell, before anything is tried.
 */
import { addBytes } from "./byte-class.ts";
import type { CompiledStep, Shape } from "./compile.ts";

/** 1 for a byte with which the steps can begin; for all if they may all be empty. */
export function firstOf(steps: readonly CompiledStep[]): Uint8Array {
  return addFirsts(new Uint8Array(256), steps, 0);
}

/** Adds the bytes with which the steps from an index on can begin. */
function addFirsts(allowed: Uint8Array, steps: readonly CompiledStep[], from: number): Uint8Array {
  for (let index = from; index < steps.length; index++) {
    const step = steps[index] as CompiledStep;
    addTo(allowed, step.table ?? step.next[0]);
    if (!isOptional(step)) return allowed;
  }
  return allowed.fill(1);
}

/** By bits: the pairs of bytes with which one of the shapes can begin, and maybe a few more. */
export function pairsOf(shapes: readonly Pick<Shape, "steps" | "first">[]): Uint32Array {
  const bits = new Uint32Array(65_536 / 32);
  const seconds = new Uint8Array(256);
  for (const { steps, first } of shapes) {
    for (let byte = 0; byte < 256; byte++) {
      if (first[byte] === 0) continue;
      addSeconds(seconds.fill(0), steps, byte);
      addPairs(bits, byte, seconds);
    }
  }
  return bits;
}

/** Adds the bytes that can stand behind `byte`: the first step that takes the byte takes it. */
function addSeconds(allowed: Uint8Array, steps: readonly CompiledStep[], byte: number): void {
  for (const [index, step] of steps.entries()) {
    const { table, min, max, until, next, ends } = step;
    const state = table === null ? (next[0]?.[byte] ?? 0) : 0;
    if (table?.[byte] === 1 && until === null) {
      if (max > 1) addTo(allowed, table);
      if (min <= 1) addFirsts(allowed, steps, index + 1);
      return;
    }
    if (state !== 0) {
      addTo(allowed, next[state]);
      if (ends[state] === true) addFirsts(allowed, steps, index + 1);
      return;
    }
    if (table?.[byte] === 1 || !isOptional(step)) break;
  }
  allowed.fill(1);
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
