/** Business days in a time zone: Monday to Friday, by the clock on the wall there. */
import { SecretError } from "../secrets/index.ts";

/** A time limit in business days; the end is the same time of day, so many business days later. */
export interface BusinessDays {
  readonly businessDays: number;
}

const dayMs = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * The moment so many business days after another: the same time on the wall in that zone. A time
 * that a change of clocks leaves out is taken as much later as clocks are put forward; of one that
 * comes twice the first counts.
 *
 * @param timeZone - A name of the IANA database, such as `Europe/Berlin`.
 * @throws SecretError `CONFIG_INVALID` for a time zone that is none.
 *
 * @example
 * addBusinessDays(Date.parse("2026-10-23T10:00Z"), 5, "Europe/Berlin"); // 2026-10-30T11:00Z
 */
export function addBusinessDays(fromMs: number, days: number, timeZone: string): number {
  // A number whose UTC fields are those of the clock on the wall.
  const wall = wallOf(fromMs, timeZone);
  let at = wall;
  for (let left = days; left > 0; ) {
    at += dayMs;
    const weekday = new Date(at).getUTCDay();
    if (weekday !== 0 && weekday !== 6) left--;
  }
  return momentOf(at, timeZone);
}

/** The moment at which the clock on the wall shows this. */
function momentOf(wall: number, timeZone: string): number {
  // Offsets of zones lie between -12 and +14 hours; those a day before and after are the candidates.
  const offsets = [wall - dayMs, wall + dayMs].map((ms) => wallOf(ms, timeZone) - ms);
  const [before = 0, after = 0] = offsets;
  const fits = [...new Set([before, after])]
    .map((offset) => wall - offset)
    .filter((ms) => wallOf(ms, timeZone) === wall);
  return fits.length > 0 ? Math.min(...fits) : wall - before;
}

function wallOf(ms: number, timeZone: string): number {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  ) as Readonly<Record<string, number>>;
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const milliseconds = ((ms % 1000) + 1000) % 1000;
  return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      ...({ timeZone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23" } as const),
      ...({ year: "numeric", month: "numeric", day: "numeric" } as const),
      ...({ hour: "numeric", minute: "numeric", second: "numeric" } as const),
    });
    formats.set(timeZone, format);
    return format;
  } catch {
    throw new SecretError(
      "CONFIG_INVALID",
      "the time zone of the incidents is none; write a name such as UTC or Europe/Berlin",
    );
  }
}
