import { SecretError } from "./errors.ts";

/** The longest time that a timer of Node takes, 24.8 days: with a longer one it ends at once. */
export const longestTimerMs = 2 ** 31 - 1;

/**
 * Checks an option that is a time, in milliseconds.
 *
 * @param least - The shortest that makes sense: 1, or 0 where no time at all is a choice.
 * @throws SecretError `DECLARATION_INVALID` for what is no time to wait.
 *
 * @example
 * checkDuration("timeoutMs", options.timeoutMs);
 */
export function checkDuration(name: string, ms: unknown, least: 0 | 1 = 1): void {
  if (ms === undefined || (typeof ms === "number" && ms >= least)) return;
  throw new SecretError(
    "DECLARATION_INVALID",
    `${name} takes a number of milliseconds from ${least}`,
  );
}

/** So long, or as long as a timer can wait. */
export function timerMs(ms: number): number {
  return Math.min(ms, longestTimerMs);
}
