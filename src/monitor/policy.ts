/** From a finding to its severity to what is done: three tables, the first line that fits wins. */
import type { Detector } from "../detect/index.ts";
import {
  type Action,
  type Facts,
  type MonitoredConfidence,
  type MonitoredStream,
  rankOf,
  type Severity,
} from "./finding.ts";

type OneOrMore<T> = T | readonly T[];

/** What a line of a table fits; what it does not say fits everything. */
export interface Match {
  /**
   * Ids of rules or of what they detect, such as `path-traversal`, with `*` for any rest. A finding of
   * a known value has no rule.
   */
  readonly rule?: OneOrMore<string> | undefined;
  /** Names of secrets, with `*`. */
  readonly name?: OneOrMore<string> | undefined;
  readonly severity?: OneOrMore<Severity> | undefined;
  readonly confidence?: OneOrMore<MonitoredConfidence> | undefined;
  readonly strength?: OneOrMore<"strong" | "weak"> | undefined;
  readonly stream?: OneOrMore<MonitoredStream> | undefined;
}

/** A line of the table `onFinding`. */
export interface FindingRule extends Match {
  readonly action: Action;
}

/** What is done about a leak unless a line of the table says otherwise. */
export const leakPolicies = ["redact", "alert", "halt", "halt+rotate"] as const;
export type LeakPolicy = (typeof leakPolicies)[number];

/** What is dangerous and no secret: for review, on output as well as on commands. */
const reviewed: readonly Detector[] = ["shell-injection", "path-traversal"];

interface OwnMatch extends Match {
  readonly detector?: OneOrMore<Detector>;
  readonly isInjected?: boolean;
}

const severityTable: readonly (OwnMatch & { readonly is: Severity })[] = [
  { detector: reviewed, is: "review" },
  { confidence: "exact", strength: "strong", isInjected: true, is: "critical" },
  { confidence: "exact", strength: "strong", is: "high" },
  { confidence: ["checksum", "format"], is: "high" },
  { is: "warning" },
];

/** A value that this launch gave to the job, whole and long enough not to occur by chance. */
const confirmed = { confidence: "exact", strength: "strong", isInjected: true } as const;

const policyTables: Record<LeakPolicy, readonly (OwnMatch & { readonly action: Action })[]> = {
  redact: [{ severity: "review", action: "review" }, { action: "redact" }],
  alert: [{ severity: "review", action: "review" }, { action: "alert" }],
  halt: [
    { ...confirmed, action: "halt" },
    { severity: "review", action: "review" },
    { action: "alert" },
  ],
  "halt+rotate": [
    { ...confirmed, action: "halt+rotate" },
    { severity: "review", action: "review" },
    { action: "alert" },
  ],
};

/** How far a table may go: by chance or by another's credential no job is stopped. */
const ceilings: readonly (OwnMatch & { readonly most: Action })[] = [
  { detector: reviewed, stream: ["stdout", "stderr"], most: "alert" },
  { confidence: "exact", strength: "weak", most: "alert" },
  { confidence: "exact", isInjected: false, most: "alert" },
  { isInjected: false, most: "halt" },
];

interface Decision {
  readonly severity: Severity;
  readonly action: Action;
}

/** Decides what is done about findings. */
export type Decide = (facts: Facts, severity: Severity | undefined) => Decision;

/** Builds the decision from a user's table, which comes first, and the policy. */
export function createPolicy(
  table: readonly FindingRule[],
  policy: LeakPolicy,
  review: boolean,
): Decide {
  const severityLines = severityTable.map(compile);
  const lines = [...table, ...policyTables[policy]].map(compile);
  const limits = ceilings.map(compile);
  return (facts, given) => {
    const severity = given ?? firstOf(severityLines, facts, "warning")?.is ?? "warning";
    const asked = firstOf(lines, facts, severity)?.action ?? "alert";
    const most = firstOf(limits, facts, severity)?.most ?? "halt+rotate";
    const action = rankOf(asked) <= rankOf(most) ? asked : most;
    return { severity, action: action === "review" && !review ? "redact" : action };
  };
}

/** Whether a table may ask for a rotation. */
export function mayRotate(table: readonly FindingRule[], policy: LeakPolicy): boolean {
  return [...table, { action: policy }].some(({ action }) => action === "halt+rotate");
}

type Compiled<Line> = { readonly line: Line; fits(facts: Facts, severity: Severity): boolean };

function firstOf<Line>(
  lines: readonly Compiled<Line>[],
  facts: Facts,
  severity: Severity,
): Line | undefined {
  return lines.find(({ fits }) => fits(facts, severity))?.line;
}

function compile<Line extends OwnMatch>(line: Line): Compiled<Line> {
  const rule = globs(line.rule);
  const detector = anyOf(line.detector);
  const name = globs(line.name);
  const severities = anyOf(line.severity);
  const confidence = anyOf(line.confidence);
  const strength = anyOf(line.strength);
  const stream = anyOf(line.stream);
  return {
    line,
    fits: (facts, severity) =>
      (rule(facts.rule) || rule(facts.detector)) &&
      detector(facts.detector) &&
      name(facts.name) &&
      severities(severity) &&
      confidence(facts.confidence) &&
      strength(facts.strength) &&
      stream(facts.stream) &&
      (line.isInjected === undefined || line.isInjected === facts.isInjected),
  };
}

type Test<T> = (value: T | undefined) => boolean;

function anyOf<T>(wanted: OneOrMore<T> | undefined): Test<T> {
  if (wanted === undefined) return () => true;
  const values: readonly unknown[] = [wanted].flat();
  return (value) => value !== undefined && values.includes(value);
}

function globs(wanted: OneOrMore<string> | undefined): Test<string> {
  if (wanted === undefined) return () => true;
  const patterns = [wanted].flat().map((glob) => {
    const parts = glob.split("*").map((part) => part.replace(/[.+^${}()|[\]\\?]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`);
  });
  return (value) => value !== undefined && patterns.some((pattern) => pattern.test(value));
}
