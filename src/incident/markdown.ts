import type { IncidentReport } from "./report.ts";

/**
 * A report as Markdown (CommonMark and tables). What is not fixed text stands in code spans, in which
 * nothing is active, and what could end one is escaped: no link, image, HTML or command of a
 * terminal gets through, whatever the log or a file name holds.
 *
 * @example
 * process.stdout.write(asMarkdown(reportOf(incident)));
 */
export function asMarkdown(report: IncidentReport): string {
  const { incident, credentials, scope, metrics, contacts } = report;
  const lines = [
    `# Incident ${code(incident.id)}`,
    "",
    ...table(
      ["", ""],
      [
        ["severity", code(incident.severity)],
        ["phase", code(incident.phase)],
        ["detected", `${code(incident.detectedAt)} by ${code(incident.detectedBy)}`],
        ["verdict", incident.isHarmless ? "harmless" : "a leak"],
        ["contained", incident.contained ? "yes" : "**no**"],
        ["closed", orNone(incident.closedAt)],
        ["masked in the output", String(incident.occurrences)],
        ["report made", code(report.madeAt)],
      ],
    ),
    ...section(
      "What leaked",
      ["name or rule", "reference", "version", "runs that had it", "rotated", "revoked"],
      credentials.map((each) => [
        orNone(each.name ?? each.rule),
        orNone(each.reference),
        orNone(each.version),
        String(each.runs),
        orNone(each.rotatedAt),
        orNone(each.revokedAt),
      ]),
    ),
    "",
    "## Scope",
    "",
    scope.searchedAt === null
      ? "Its scope was not searched."
      : `Searched ${code(scope.searchedAt)}: found ${scope.occurrences} times in ${scope.files} files.`,
    ...(scope.runs.length === 0 ? [] : [""]),
    ...table(
      ["run", "started", "ended", "by", "leaked"],
      scope.runs.map((run) => [
        code(run.runId),
        orNone(run.startedAt),
        orNone(run.endedAt),
        orNone(run.endedBy),
        run.leaked ? "yes" : "no",
      ]),
    ),
    ...(scope.places.length === 0 ? [] : [""]),
    ...table(
      ["file", "line", "column", "part", "what", "form"],
      scope.places.map((place) => [
        code(place.file),
        String(place.line),
        String(place.column),
        code(place.part),
        orNone(place.name ?? place.rule),
        code(place.form),
      ]),
    ),
    ...section(
      "Not searched",
      ["file", "why"],
      scope.notSearched.map(({ file, why }) => [code(file), code(why)]),
    ),
    ...section(
      "Actions",
      ["step", "at"],
      report.actions.map(({ step, at }) => [code(step), code(at)]),
    ),
    ...section(
      "Still to do",
      ["what", "until", ""],
      report.deadlines.map(({ what, dueAt, isOverdue }) => [
        code(what),
        code(dueAt),
        isOverdue ? "**overdue**" : "",
      ]),
    ),
    "",
    "## Metrics",
    "",
    ...metricsTable(metrics),
    ...section(
      "Contacts",
      ["role", "contact"],
      contacts.map(({ role, contact }) => [code(role), code(contact)]),
    ),
    ...(contacts.length > 0 ? [] : ["", "No contacts are configured."]),
    ...section(
      "Timeline",
      ["time", "what", "details", "by", "note"],
      report.timeline.map(({ at, what, details, actor, note }) => [
        code(at),
        code(what),
        details.map(code).join(" "),
        orNone(actor, ""),
        orNone(note, ""),
      ]),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function metricsTable({
  timeToDetectMs,
  timeToRespondMs,
  timeToResolveMs,
  all,
}: IncidentReport["metrics"]): string[] {
  const row = (
    what: string,
    own: number | null,
    { count, medianMs, maxMs }: (typeof all)["timeToDetect"],
  ) => [what, duration(own), String(count), duration(medianMs), duration(maxMs)];
  return [
    ...table(
      ["", "this incident", "incidents", "median", "longest"],
      [
        row("time to detect, at most", timeToDetectMs, all.timeToDetect),
        row("time to respond", timeToRespondMs, all.timeToRespond),
        row("time to resolve", timeToResolveMs, all.timeToResolve),
      ],
    ),
    "",
    `Incidents in the log: ${all.count}, of which ${all.open} are open and ${all.harmless} were harmless.`,
  ];
}

function section(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  return rows.length === 0 ? [] : ["", `## ${title}`, "", ...table(head, rows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

function orNone(text: string | null, none = "none"): string {
  return text === null ? none : code(text);
}

/**
 * Text as a code span in a cell of a table. Escaped are the characters that end either, control
 * characters, invisible ones and those that turn the direction of writing; `<`, `>` and `&` for
 * readers that do not know code spans.
 */
function code(text: string): string {
  const safe = text.replace(
    /[`|<>&\\]|[\p{C}\p{Zl}\p{Zp}\ufffd]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  // Blanks at both ends are dropped, and one of nothing is no span.
  return safe.trim() === "" ? "` (empty) `" : `\`${safe.trim()}\``;
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** `2 d 3 h`, `1.234 s`: the two largest units, below a minute the milliseconds too. */
function duration(ms: number | null): string {
  if (ms === null) return "none";
  if (ms < 60_000) return `${ms / 1000} s`;
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, unitMs] of units) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}
