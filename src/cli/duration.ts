import { SecretError } from "../secrets/index.ts";

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration: `90`, `90s`, `15m`, `2h`, `1d`, `500ms`. Without a unit it is seconds.
 *
 * @returns Milliseconds.
 * @throws SecretError `USAGE`.
 */
export function readDuration(option: string, text: string): number {
  const [, amount = "", unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  const ms = Number(amount) * (unitsMs[unit] ?? Number.NaN);
  if (amount !== "" && Number.isFinite(ms) && ms > 0) return Math.ceil(ms);
  throw new SecretError("USAGE", `${option} takes a duration above zero, such as 90s, 15m or 2h`);
}
