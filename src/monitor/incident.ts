/** What a run's findings came to, and how it is told. */
import type { JudgedFinding, RotationOutcome } from "./events.ts";
import { rankOf } from "./finding.ts";
import type { FindingCount } from "./ledger.ts";
import type { SinkCounts } from "./sink.ts";

/** The findings of one run and what was done about them; it holds no value. */
export interface Incident {
  readonly runId: string;
  /** By secret or rule, form, stream and action. */
  readonly findings: readonly FindingCount[];
  /** What the job was halted for. */
  readonly halted?: Pick<JudgedFinding, "name" | "rule" | "stream"> | undefined;
  readonly rotations: readonly {
    readonly name: string | undefined;
    readonly outcome: RotationOutcome;
  }[];
  readonly alerts: readonly SinkCounts[];
  /** Findings that were counted but not told one by one, because they were too many. */
  readonly suppressed: number;
}

/** The line for a finding, at once: `leaked to stdout: HF_TOKEN (base64); masked`. */
export function lineOf(finding: JudgedFinding): string {
  const { stream, name, rule, form, action, severity, isMasked } = finding;
  const what = name ?? rule ?? "a secret";
  if (severity === "review") return `warning: ${what} on ${stream}; please review it`;
  const kind = form === undefined || rule !== undefined ? "" : ` (${form})`;
  const found = rule === undefined ? "leaked to" : "what looks like a secret on";
  const line = isMasked
    ? `${found} ${stream}: ${what}${kind}; masked`
    : `found on ${stream}: ${what}; not masked`;
  return rankOf(action) < rankOf("halt") ? line : `${line}; halting the job`;
}

/** What is said of a rotation; nothing while it goes well. */
export const rotationLines: Record<RotationOutcome, string | null> = {
  started: null,
  done: "was rotated",
  failed: "leaked, and its rotation failed; rotate it now",
  unavailable: "leaked, and nothing here can rotate it; rotate it now",
  unfinished: "leaked, and its rotation is not finished; see that it ends",
};

/** The last lines of a run, beside the count of masks. */
export function summaryOf(incident: Incident): readonly string[] {
  const { findings, halted, alerts, suppressed } = incident;
  const lines: string[] = [];
  const told = (stream: (finding: FindingCount) => boolean, head: string) => {
    const counts = new Map<string, number>();
    for (const finding of findings.filter(stream)) {
      const what = finding.rule ?? "";
      counts.set(what, (counts.get(what) ?? 0) + finding.count);
    }
    const parts = [...counts].map(([what, count]) => `${what} ${count}`);
    if (parts.length > 0) lines.push(`${head}: ${parts.join(", ")}`);
  };
  told(
    ({ severity, stream }) => severity === "review" && stream !== "command",
    "to review in the output",
  );
  if (suppressed > 0) lines.push(`${suppressed} findings were counted and not told one by one`);
  for (const { sink, failed, dropped } of alerts) {
    const lost = failed + dropped;
    if (lost > 0) lines.push(`${lost} alert${lost === 1 ? "" : "s"} did not reach the ${sink}`);
  }
  if (halted !== undefined) {
    const what = halted.name ?? halted.rule ?? "a secret";
    lines.push(`halted: the job printed ${what} to ${halted.stream}`);
  }
  return lines;
}
