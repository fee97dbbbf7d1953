/** Incidents as lines for a terminal. */
import type { Deadline, Incident } from "../incident/index.ts";
import { shownName } from "../scan/index.ts";

/** One line an incident, the newest last. */
export function shownRows(incidents: readonly Incident[], deadlines: readonly Deadline[]): string {
  const rows = incidents.map(({ id, detectedAtMs, severity, phase, credentials }) => {
    const names = new Set(credentials.map(({ name, rule }) => name ?? rule ?? "(unknown)"));
    const isLate = deadlines.some((each) => each.incidentId === id && each.isOverdue);
    const [first = "", ...more] = names;
    const what = more.length === 0 ? first : `${first} and ${more.length} more`;
    return [
      ...[id, timeOf(detectedAtMs), severity.padEnd(8), phase.padEnd(13), shownName(what)],
      ...(isLate ? ["OVERDUE"] : []),
    ].join("  ");
  });
  return rows.map((row) => `${row}\n`).join("");
}

/** All that the log tells about one. */
export function shownIncident(
  incident: Incident,
  deadlines: readonly Deadline[],
  clean: (text: string) => string,
): string {
  const { id, severity, phase, scope, timeline, credentials, runs, ignored } = incident;
  const shown = (text: string) => shownName(clean(text));
  const lines = [
    `incident ${id}`,
    `  severity  ${severity}${incident.isHarmless ? ", judged harmless" : ""}`,
    `  phase     ${phase}`,
    `  detected  ${timeOf(incident.detectedAtMs)} by ${incident.detectedBy}`,
    ...credentials.map(
      ({ name, rule, reference, version, revokedAtMs }) =>
        `  leaked    ${[name ?? rule, reference, version && `version ${version}`, revokedAtMs && `revoked ${timeOf(revokedAtMs)}`].filter(Boolean).join(", ")}`,
    ),
    ...runs.map(
      ({ runId, startedAtMs, endedBy }) =>
        `  run       ${runId} ${startedAtMs === undefined ? "" : timeOf(startedAtMs)} ${endedBy ?? "not ended"}`,
    ),
    ...(scope === undefined
      ? ["  scope     not searched"]
      : [`  scope     ${scope.occurrences} times in ${scope.files} files`]),
    ...deadlines.map(
      ({ what, dueAtMs, isOverdue }) =>
        `  ${isOverdue ? "OVERDUE" : "due    "}   ${timeOf(dueAtMs)} ${what}`,
    ),
    ...(ignored === 0 ? [] : [`  ${ignored} steps in the log were out of turn and do not count`]),
    ...timeline.map(({ atMs, what, details, actor, note }) =>
      [
        `  ${timeOf(atMs)}  ${what}`,
        details.join(" "),
        ...(actor === undefined ? [] : [`by ${actor}`]),
        ...(note === undefined ? [] : [`"${note}"`]),
      ].join(" "),
    ),
  ];
  return `${lines.map(shown).join("\n")}\n`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
