import type { AuditRecord } from "nopeek/audit";
import { foldIncidents, metricsOf } from "nopeek/incident";
import { expect, it } from "vitest";
import { randomHistory } from "../support/histories.ts";
import { isSlow } from "../support/scratch.ts";

/** A record with whatever fields it has: the oracle knows no types of ours. */
type Raw = Readonly<Record<string, string | number | undefined>>;

interface Expected {
  id: string;
  detected: number;
  exposed: number | undefined;
  severity: string;
  closed: boolean;
  harmless: boolean;
  waits: number | undefined;
  ignored: number;
  occurrences: number;
  answered: number | undefined;
  recovered: number | undefined;
}

const timeOf = (each: Raw) => new Date(each["at"] as string).getTime();

/** What the log says of each incident, worked out from the description alone, slowly. */
function oracle(records: readonly AuditRecord[]): Expected[] {
  const all = ([...records] as unknown as Raw[]).sort((a, b) => {
    if (timeOf(a) !== timeOf(b)) return timeOf(a) - timeOf(b);
    if (a["file"] !== b["file"]) return String(a["file"]) < String(b["file"]) ? -1 : 1;
    return Number(a["seq"]) - Number(b["seq"]);
  });
  const ids = new Set(all.map((each) => each["incidentId"] ?? each["correlationId"]));
  const expected: Expected[] = [];
  for (const id of ids) {
    const own = all.filter((each) => (each["incidentId"] ?? each["correlationId"]) === id);
    const alerts = own.filter(
      (each) =>
        each["type"] === "monitor.finding" &&
        (["alert", "halt", "halt+rotate"].includes(String(each["action"])) ||
          (each["action"] === "review" && each["stream"] !== "command")),
    );
    const report = own.find((each) => each["type"] === "incident.opened");
    const starts = [...alerts, ...(report ? [report] : [])].map(timeOf);
    if (starts.length === 0) continue;
    const detected = Math.min(...starts);
    const isReport = report !== undefined && alerts.length === 0;
    let harmless = alerts.length > 0;
    for (const alert of alerts) {
      const verdicts = own.filter(
        (each) =>
          each["type"] === "finding.reviewed" && each["fingerprint"] === alert["fingerprint"],
      );
      if (verdicts.at(-1)?.["verdict"] !== "harmless") harmless = false;
    }
    const time: Record<string, number> = {};
    const has = (...steps: string[]) => steps.every((step) => time[step] !== undefined);
    let lastReview = Number.NEGATIVE_INFINITY;
    const waits = () => {
      if (lastReview === Number.NEGATIVE_INFINITY) return detected;
      const later = alerts.map(timeOf).filter((at) => at > lastReview);
      return later.length > 0 ? Math.min(...later) : undefined;
    };
    const may: Record<string, () => boolean> = {
      reviewed: () => !has("closed") || waits() !== undefined,
      assessed: () => !has("closed"),
      contained: () => !has("closed"),
      scoped: () => !has("closed"),
      recovered: () => !has("closed") && has("assessed", "contained", "scoped"),
      closed: () => !has("closed") && (harmless ? has("reviewed") : has("recovered")),
    };
    const stepOf = (each: Raw) => {
      if (each["type"] === "monitor.halted") return "contained";
      const [, step = ""] = /^incident\.(.*)$/.exec(String(each["type"])) ?? [];
      return step === "opened" ? "" : step;
    };
    let open = own.filter((each) => stepOf(each) !== "");
    let severity: string | undefined;
    for (;;) {
      const next = open.find((each) => may[stepOf(each)]?.() === true);
      if (next === undefined) break;
      open = open.filter((each) => each !== next);
      const step = stepOf(next);
      time[step] = time[step] ?? timeOf(next);
      if (step === "reviewed") lastReview = Math.max(lastReview, timeOf(next));
      if (step === "assessed") severity = String(next["severity"]);
    }
    const order = ["critical", "high", "medium", "low", "info"];
    const judged = alerts.map(
      (each) =>
        ({ warning: "medium", review: "low" })[String(each["severity"])] ??
        String(each["severity"]),
    );
    if (report) judged.push(String(report["severity"]));
    const given = (fingerprint: unknown) =>
      all.filter(
        (each) => each["type"] === "secret.injected" && each["fingerprint"] === fingerprint,
      );
    const startOf = (run: unknown) =>
      all
        .filter((each) => each["type"] === "run.started" && each["correlationId"] === run)
        .map(timeOf);
    const exposures = isReport
      ? given(report?.["fingerprint"]).flatMap((each) => startOf(each["correlationId"]))
      : startOf(id);
    const answers = ["reviewed", "assessed", "scoped", "recovered", "closed"].flatMap(
      (step) => time[step] ?? [],
    );
    expected.push({
      id: String(id),
      detected,
      exposed: exposures.length > 0 ? Math.min(...exposures) : undefined,
      severity: severity ?? order.find((each) => judged.includes(each)) ?? "",
      closed: has("closed"),
      harmless,
      waits: waits(),
      ignored: open.length,
      occurrences: own.reduce(
        (sum, each) =>
          sum +
          (each["type"] === "finding.made"
            ? 1
            : each["type"] === "finding.repeated"
              ? Number(each["count"])
              : 0),
        0,
      ),
      answered: answers.length > 0 ? Math.min(...answers) : undefined,
      recovered: time["recovered"],
    });
  }
  return expected.sort((a, b) => a.detected - b.detected || (a.id < b.id ? -1 : 1));
}

function summary(values: (number | undefined)[]) {
  const known = values.filter((each) => each !== undefined).sort((a, b) => a - b);
  if (known.length === 0) return { count: 0, medianMs: null, meanMs: null, maxMs: null };
  const middle = known.length / 2;
  const median =
    known.length % 2 === 1
      ? known[Math.floor(middle)]
      : Math.floor(((known[middle - 1] ?? 0) + (known[middle] ?? 0)) / 2);
  let sum = 0;
  for (const each of known) sum += each;
  return {
    count: known.length,
    medianMs: median,
    meanMs: Math.floor(sum / known.length),
    maxMs: known.at(-1),
  };
}

it("equals an oracle on random histories of several writers, in any order", () => {
  let incidents = 0;
  const seen = { closed: 0, harmless: 0, ignored: 0, waiting: 0 };
  for (let seed = 1; seed <= (isSlow ? 10_000 : 1000); seed++) {
    const records = randomHistory(seed);
    const folded = foldIncidents(records);
    const expected = oracle(records);
    const plain = folded.map((each) => ({
      id: each.id,
      detected: each.detectedAtMs,
      exposed: each.exposedAtMs,
      severity: each.severity,
      closed: each.phase === "lessons",
      harmless: each.isHarmless,
      waits: each.toReviewSinceMs,
      ignored: each.ignored,
      occurrences: each.occurrences,
    }));
    expect(plain, `seed ${seed}`).toEqual(
      expected.map(({ answered: _, recovered: __, ...rest }) => rest),
    );
    const between = (from: number | undefined, to: number | undefined) =>
      from === undefined || to === undefined ? undefined : to < from ? 0 : to - from;
    expect(metricsOf(folded), `seed ${seed}`).toEqual({
      count: expected.length,
      open: expected.filter(({ closed }) => !closed).length,
      closed: expected.filter(({ closed }) => closed).length,
      harmless: expected.filter(({ harmless }) => harmless).length,
      bySeverity: Object.fromEntries(
        ["critical", "high", "medium", "low", "info"].map((level) => [
          level,
          expected.filter(({ severity }) => severity === level).length,
        ]),
      ),
      timeToDetect: summary(expected.map(({ exposed, detected }) => between(exposed, detected))),
      timeToRespond: summary(expected.map(({ detected, answered }) => between(detected, answered))),
      timeToResolve: summary(
        expected.map(({ harmless, detected, recovered }) =>
          harmless ? undefined : between(detected, recovered),
        ),
      ),
    });
    incidents += folded.length;
    for (const each of folded) {
      seen.closed += each.phase === "lessons" ? 1 : 0;
      seen.harmless += each.isHarmless ? 1 : 0;
      seen.ignored += each.ignored;
      seen.waiting += each.phase === "lessons" && each.toReviewSinceMs !== undefined ? 1 : 0;
    }
  }
  // The histories are worth something: each kind of end occurs.
  expect(incidents).toBeGreaterThan(1000);
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(5);
});

it("does not depend on the order in which records are read", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const records = randomHistory(seed);
    expect(foldIncidents([...records].reverse())).toEqual(foldIncidents(records));
  }
});
