import {
  addBusinessDays,
  deadlinesOf,
  foldIncidents,
  type Incident,
  serviceLevels,
} from "nopeek/incident";
import { expect, it } from "vitest";
import { idOf, printOf, randomFrom, record } from "../support/histories.ts";
import { codeOf } from "../support/scratch.ts";

const hour = 3_600_000;
const id = idOf("run");
const ids = { correlationId: id, incidentId: id };

/** An incident that was found then, and what was done about it. */
function found(
  atMs: number,
  severity: string,
  ...done: [afterMs: number, event: object][]
): Incident {
  const finding = {
    type: "monitor.finding",
    correlationId: id,
    severity,
    action: "alert",
    stream: "stdout",
  };
  const records = [
    record(atMs, "a", 1, { ...finding, name: "A", fingerprint: printOf("a"), confidence: "exact" }),
    ...done.map(([afterMs, event], seq) =>
      record(atMs + afterMs, "a", seq + 2, { ...ids, actor: "uid:1", ...event }),
    ),
  ];
  const [incident] = foldIncidents(records);
  if (incident === undefined) throw new Error("no incident");
  return incident;
}

const overdue = (incident: Incident, nowMs: number, timeZone?: string) =>
  deadlinesOf([incident], { nowMs, timeZone })
    .filter(({ isOverdue }) => isOverdue)
    .map(({ level }) => level);

// The night in which clocks are put forward, the one in which they are put back, and ordinary ones.
const moments = [
  "2026-03-28T12:00Z",
  "2026-10-24T22:30Z",
  "2026-07-01T00:00Z",
  "2024-02-28T23:59:59.999Z",
];

it.each(moments)("is exact to the millisecond: %s", (moment) => {
  const at = Date.parse(moment);
  const incident = found(at, "critical");
  for (const timeZone of [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
  ]) {
    expect(overdue(incident, at + 24 * hour, timeZone)).toEqual([]);
    expect(overdue(incident, at + 24 * hour + 1, timeZone)).toEqual(["review"]);
    expect(overdue(incident, at + 48 * hour, timeZone)).toEqual(["review"]);
    expect(overdue(incident, at + 48 * hour + 1, timeZone)).toEqual(["review", "response", "fix"]);
  }
  const high = found(at, "high", [hour, { type: "incident.reviewed" }]);
  expect(overdue(high, at + 7 * 24 * hour)).not.toContain("fix");
  expect(overdue(high, at + 7 * 24 * hour + 1)).toContain("fix");
  expect(overdue(found(at, "warning"), at + 28 * 24 * hour)).not.toContain("fix");
  expect(overdue(found(at, "warning"), at + 28 * 24 * hour + 1)).toContain("fix");
  expect(overdue(found(at, "review"), at + 9_999 * 24 * hour)).not.toContain("fix");
});

it("asks for nothing that was done, and again for what was found later", () => {
  const at = Date.parse("2026-05-04T08:00Z");
  const later = at + 400 * 24 * hour;
  const reviewed: [number, object] = [hour, { type: "incident.reviewed" }];
  const assessed: [number, object] = [hour, { type: "incident.assessed", severity: "low" }];
  expect(overdue(found(at, "critical", reviewed), later)).toEqual(["fix", "assessment"]);
  expect(overdue(found(at, "critical", reviewed, assessed), later)).toEqual([]);
  const harmless = {
    type: "finding.reviewed",
    correlationId: id,
    fingerprint: printOf("a"),
    verdict: "harmless",
  };
  expect(overdue(found(at, "critical", reviewed, [hour, harmless]), later)).toEqual([]);
  const again = { type: "monitor.finding", correlationId: id, severity: "high", action: "alert" };
  const second = { ...again, stream: "stdout", name: "B", fingerprint: printOf("b") };
  const twice = found(at, "critical", reviewed, assessed, [2 * hour, second]);
  expect(overdue(twice, at + 26 * hour)).toEqual([]);
  expect(overdue(twice, at + 26 * hour + 1)).toEqual(["review"]);
});

it("counts business days by the clock on the wall", () => {
  const days = (from: string, count: number, zone: string) =>
    new Date(addBusinessDays(Date.parse(from), count, zone)).toISOString();
  // Worked out by hand. From Friday to Friday; clocks go back on Sunday 2026-10-25 in Berlin.
  expect(days("2026-10-23T10:00:00Z", 5, "UTC")).toBe("2026-10-30T10:00:00.000Z");
  expect(days("2026-10-23T10:00:00Z", 5, "Europe/Berlin")).toBe("2026-10-30T11:00:00.000Z");
  expect(days("2026-03-27T10:00:00Z", 1, "Europe/Berlin")).toBe("2026-03-30T09:00:00.000Z");
  // It is Saturday in Auckland already, so Monday is the first day.
  expect(days("2026-06-05T13:00:00.123Z", 1, "Pacific/Auckland")).toBe("2026-06-07T13:00:00.123Z");
  expect(days("2026-06-05T13:00:00.123Z", 1, "UTC")).toBe("2026-06-08T13:00:00.123Z");
  // 02:30 on that Friday does not exist in Jerusalem (clocks go from 02:00 to 03:00 on 2026-03-27).
  expect(days("2026-03-26T00:30:00Z", 1, "Asia/Jerusalem")).toBe("2026-03-27T00:30:00.000Z");
  expect(days("2026-01-01T00:00:00Z", 0, "UTC")).toBe("2026-01-01T00:00:00.000Z");
  expect(codeOf(() => addBusinessDays(0, 1, "Not/A_Zone"))).toBe("CONFIG_INVALID");
});

/** What the clock on the wall shows, as `2026-11-22 05:59:14`, by another way than the calendar's. */
function shown(ms: number, timeZone: string): string {
  const style = { timeZone, dateStyle: "short", timeStyle: "medium" } as const;
  const clock = clocks.get(timeZone) ?? new Intl.DateTimeFormat("sv-SE", style);
  clocks.set(timeZone, clock);
  return clock.format(ms);
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Every moment at which the clock shows this; zones differ from UTC by whole quarters of an hour. */
function momentsOf(wall: string, timeZone: string): number[] {
  const asUtc = Date.parse(`${wall.replace(" ", "T")}Z`);
  const quarters = Array.from({ length: 27 * 4 + 1 }, (_, at) => asUtc - (14 - at / 4) * hour);
  return quarters.filter((ms) => shown(ms, timeZone) === wall);
}

it("business days equal an oracle, in zones with odd offsets, over leap days and the ends of years", () => {
  const zones = [
    ...["UTC", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Eucla", "Australia/Lord_Howe"],
    ...["America/St_Johns", "Africa/Casablanca", "Pacific/Kiritimati", "Pacific/Pago_Pago"],
  ];
  const around = [
    ...["2024-02-26T00:00:00Z", "2028-02-25T12:00:00Z", "2027-12-29T23:59:59Z"],
    ...["2026-04-02T12:00:00Z", "2026-09-24T12:00:00Z", "2026-11-01T03:00:00Z"],
  ].map((text) => Date.parse(text));
  const random = randomFrom(9);
  const odd = [
    ["Asia/Jerusalem", "2026-03-26T00:00:00Z", 1, 1],
    ["Africa/Cairo", "2026-10-28T20:00:00Z", 1, 1],
  ] as const;
  const seen = { gaps: 0, twice: 0 };
  for (let round = 0; round < 600; round++) {
    // Where clocks change on business days: an hour that is left out, and one that comes twice.
    const [zone, base, hours, most] = odd[round % 10] ?? [undefined, "", 7 * 24, 6];
    const timeZone = zone ?? zones[round % zones.length] ?? "";
    const start = zone === undefined ? (around[round % around.length] ?? 0) : Date.parse(base);
    const from = start + Math.floor(random() * hours * 3600) * 1000;
    const days = 1 + Math.floor(random() * most);
    const [date = "", time = ""] = shown(from, timeZone).split(" ");
    let day = Date.parse(`${date}T00:00Z`);
    for (let left = days; left > 0; ) {
      day += 24 * hour;
      if (![0, 6].includes(new Date(day).getUTCDay())) left--;
    }
    const wall = `${new Date(day).toISOString().slice(0, 10)} ${time}`;
    const moments = momentsOf(wall, timeZone);
    const end = addBusinessDays(from, days, timeZone);
    const about = `${new Date(from).toISOString()} + ${days} in ${timeZone}`;
    if (moments.length > 1) seen.twice++;
    if (moments.length > 0) {
      expect([about, end]).toEqual([about, Math.min(...moments)]);
    } else {
      seen.gaps++;
      // As much later as clocks are put forward: an hour, or half of one on Lord Howe.
      const late = Date.parse(`${shown(end, timeZone).replace(" ", "T")}Z`);
      const byMs = late - Date.parse(`${wall.replace(" ", "T")}Z`);
      expect([about, [hour / 2, hour].includes(byMs)]).toEqual([about, true]);
    }
  }
  expect(Math.min(seen.gaps, seen.twice)).toBeGreaterThan(30);
});

it("has the times of the policy", () => {
  const { review, response, assessment, fix } = serviceLevels;
  expect(review.limit).toEqual({ withinMs: 24 * hour });
  expect(response.limit).toEqual({ withinMs: 48 * hour });
  expect(assessment.limit).toEqual({ businessDays: 5 });
  expect(
    Object.values(fix.limit).map((each) => (each === null ? null : each.withinMs / hour)),
  ).toEqual([48, 168, 672, null, null]);
});
