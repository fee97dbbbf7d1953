import type { CompiledStep, Shape } from "./compile.ts";
import { LongRuns } from "./long-runs.ts";

/** A match that is under way: where it stands in the steps of its shape. */
export interface Attempt {
  shape: Shape;
  /** Offset of the keyword. */
  start: number;
  keywordEnd: number;
  /** What stands before the keyword and belongs to the match, a character for each byte. */
  before: string;
  /** Where the secret part begins; -1 before. */
  from: number;
  /** Where its last step ended; -1 before. */
  to: number;
  step: number;
  /** Bytes that the step took, or the state of its texts. */
  count: number;
  /** How much of the text that ends the run stands here. */
  matched: number;
  /** It took `maxUndecidedBytes`: it counts as a match, and what it still takes is left out. */
  isOpen: boolean;
}

/** How an attempt stands: over, complete, or waiting for more bytes. */
const failed = 0;
export const complete = 1;
export const waiting = 2;
/** Waiting, and longer than may be held back. */
export const overlong = 3;

/** Shapes have no more steps. */
export const maxSteps = 32;
/** So many bytes may be undecided; longer ones are masked as they come. */
export const maxUndecidedBytes = 4096;

/** An attempt that is used again and again: nearly all end at once. */
export function spareAttempt(shape: Shape): Attempt {
  return {
    shape,
    start: 0,
    keywordEnd: 0,
    before: "",
    from: 0,
    to: 0,
    step: 0,
    count: 0,
    matched: 0,
    isOpen: false,
  };
}

/** A keyword that is found: its offsets, and what stands before it and belongs to the match. */
export interface FoundKeyword {
  start: number;
  end: number;
  before: string;
}

export function beginAttempt(
  spare: Attempt,
  { start, end, before }: FoundKeyword,
  shape: Shape,
  step: number,
  count: number,
): void {
  spare.shape = shape;
  spare.start = start;
  spare.keywordEnd = end;
  spare.before = before;
  spare.from = shape.isWhole ? start : -1;
  spare.to = -1;
  spare.step = step;
  spare.count = count;
  spare.matched = 0;
  spare.isOpen = false;
}

/** How a chunk is read: one object for all attempts, since most end at once. */
export class Reading {
  /** Where an attempt stopped. */
  position = 0;
  readonly longRuns = new LongRuns();
}

/**
 * Goes on with an attempt. Each step takes what it can and gives nothing back, so every byte is read
 * once.
 *
 * @param base - The offset of `bytes[0]` in the stream.
 * @param isEnd - Nothing follows the bytes.
 * @returns `failed`, `complete`, `waiting` or `overlong`.
 */
export function advance(
  attempt: Attempt,
  bytes: Uint8Array,
  from: number,
  length: number,
  base: number,
  isEnd: boolean,
  reading: Reading,
): number {
  const { steps, notBefore, isWhole } = attempt.shape;
  const most = attempt.isOpen ? length : attempt.start + maxUndecidedBytes - base;
  const limit = Math.min(length, most);
  reading.position = from;
  while (attempt.step < steps.length) {
    const step = steps[attempt.step] as CompiledStep;
    if (step.secret && attempt.from === -1) attempt.from = base + reading.position;
    let outcome =
      step.table === null
        ? takeText(attempt, step, bytes, limit, reading)
        : takeRun(attempt, step, bytes, limit, reading);
    if (outcome === waits) {
      if (limit < length) return overlong;
      if (!isEnd) return waiting;
      outcome = atEnd(attempt, step);
    }
    if (outcome === fails) return failed;
    if (step.secret || isWhole) attempt.to = base + reading.position;
    if (outcome === endsMatch) return complete;
    attempt.step++;
    attempt.count = 0;
    attempt.matched = 0;
  }
  if (notBefore === null) return complete;
  if (reading.position === length) return isEnd ? complete : waiting;
  return notBefore[bytes[reading.position] as number] === 1 ? failed : complete;
}

/** How a step ended. */
const fails = 0;
const goesOn = 1;
const endsMatch = 2;
const waits = 3;

/** Reading fewer bytes again costs less than to remember them. */
const longRunBytes = 16;

function takeRun(
  attempt: Attempt,
  step: CompiledStep,
  bytes: Uint8Array,
  limit: number,
  reading: Reading,
): number {
  if (step.until !== null) return takeUntil(attempt, step, step.until, bytes, limit, reading);
  const table = step.table as Uint8Array;
  const from = reading.position;
  const stop = Math.min(limit, from + step.max - attempt.count);
  const near = Math.min(stop, from + longRunBytes);
  let i = from;
  while (i < near && table[bytes[i] as number] === 1) i++;
  if (i === near && i < stop) i = reading.longRuns.endOf(table, bytes, i, stop);
  attempt.count += i - from;
  reading.position = i;
  if (i === limit && attempt.count < step.max) return waits;
  return attempt.count >= step.min ? goesOn : fails;
}

function takeUntil(
  attempt: Attempt,
  step: CompiledStep,
  until: Uint8Array,
  bytes: Uint8Array,
  limit: number,
  reading: Reading,
): number {
  const table = step.table as Uint8Array;
  const failure = step.untilFailure as Uint8Array;
  for (; reading.position < limit; reading.position++) {
    if (attempt.matched === until.length) return goesOn;
    const byte = bytes[reading.position] as number;
    if (table[byte] === 0 || attempt.count === step.max)
      return attempt.count >= step.min ? endsMatch : fails;
    while (attempt.matched > 0 && until[attempt.matched] !== byte) {
      attempt.matched = failure[attempt.matched] as number;
    }
    if (until[attempt.matched] === byte) attempt.matched++;
    attempt.count++;
  }
  return attempt.matched === until.length ? goesOn : waits;
}

function takeText(
  attempt: Attempt,
  { next, ends }: CompiledStep,
  bytes: Uint8Array,
  limit: number,
  reading: Reading,
): number {
  for (; reading.position < limit; reading.position++) {
    const following = next[attempt.count]?.[bytes[reading.position] as number] ?? 0;
    if (following === 0) return ends[attempt.count] === true ? goesOn : fails;
    attempt.count = following;
  }
  return waits;
}

/** What a step that waits is, if nothing follows. */
function atEnd({ count }: Attempt, { table, min, until, ends }: CompiledStep): number {
  if (table === null) return ends[count] === true ? goesOn : fails;
  if (count < min) return fails;
  return until === null ? goesOn : endsMatch;
}
