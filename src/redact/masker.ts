/** What the walk over values needs of a redactor. */
export interface Masker {
  /** The text with masks in place of secrets; the same string if it is clean. */
  text(text: string): string;
  /** The bytes with masks in place of secrets; the same object if they are clean. */
  bytes(bytes: Uint8Array): Uint8Array;
  /** Whether text holds no secret; reports no finding. */
  isClean(text: string): boolean;
}

/** How far a value is walked. */
export interface ObjectLimits {
  /** Levels of nesting; what lies deeper becomes `[TRUNCATED]` (default: 64). */
  readonly maxDepth?: number | undefined;
  /** Values in all, keys not counted; the rest becomes `[TRUNCATED]` (default: 50,000). */
  readonly maxNodes?: number | undefined;
}

/** Stands for what lies behind a limit: it was not looked at, so it is not shown. */
export const truncated = "[TRUNCATED]";
/** Stands for what throws when it is read. */
export const unreadable = "[UNREADABLE]";
/** Stands for what an object says of itself, where that leads back to the object. */
export const circular = "[CIRCULAR]";

/** Smaller numbers are shorter than any value that is masked. */
const minTellingNumber = 1_000;

/** Whether a number could be a secret. */
export function isTellingNumber(value: number | bigint): boolean {
  return value >= minTellingNumber || value <= -minTellingNumber;
}
