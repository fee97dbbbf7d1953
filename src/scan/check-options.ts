import type { ScanOptions } from "./options.ts";

/** More files at once would only take memory and descriptors. */
const maxConcurrency = 64;

const defaults = { maxFindings: 10_000, maxFileBytes: 64 * 1024 ** 3, concurrency: 4 };

/** What bounds a search. */
export type Limits = Readonly<typeof defaults>;

/**
 * The limits of a search. What is no number would look at nothing, and find nothing.
 *
 * @throws TypeError for what is no whole number, or a callback that is no function.
 */
export function checkLimits(options: ScanOptions): Limits {
  for (const name of ["filter", "onFinding", "fingerprint"] as const) {
    const given: unknown = options[name];
    if (given !== undefined && typeof given !== "function") {
      throw new TypeError(`"${name}" takes a function`);
    }
  }
  const concurrency = whole(options, "concurrency", 1);
  return {
    maxFindings: whole(options, "maxFindings", 0),
    maxFileBytes: whole(options, "maxFileBytes", 0),
    concurrency: Math.min(concurrency, maxConcurrency),
  };
}

function whole(options: ScanOptions, name: keyof Limits, least: number): number {
  const given: unknown = options[name] ?? defaults[name];
  const isWhole = Number.isInteger(given) || given === Number.POSITIVE_INFINITY;
  if (isWhole && (given as number) >= least) return given as number;
  throw new TypeError(`"${name}" takes a whole number from ${least}`);
}
