/** What the monitor is told, and the words it judges with. */
import { type Detector, detectors } from "../detect/index.ts";

/** Where something was found: the output of the job, or its command before it ran. */
export const streams = ["stdout", "stderr", "command"] as const;
export type MonitoredStream = (typeof streams)[number];

/** How sure it is that a finding is what it seems, the surest first. */
export const confidences = ["exact", "checksum", "format", "heuristic", "placeholder"] as const;
export type MonitoredConfidence = (typeof confidences)[number];

export const strengths = ["strong", "weak"] as const;

/** How bad a finding is, the worst first; `review`: a person should look at it some time. */
export const severities = ["critical", "high", "warning", "review"] as const;
export type Severity = (typeof severities)[number];

/**
 * What is done about a finding, the mildest first. Masking is no action: it happens always.
 *
 * - `review`: recorded for a person to look at.
 * - `redact`: recorded and counted; nobody is told.
 * - `alert`: somebody is told at once.
 * - `halt`: the job is stopped; a command is refused.
 * - `halt+rotate`: the job is stopped and the credential rotated.
 */
export const actions = ["review", "redact", "alert", "halt", "halt+rotate"] as const;
export type Action = (typeof actions)[number];

/** How far an action goes, to compare two of them. */
export function rankOf(action: Action): number {
  return actions.indexOf(action);
}

/** A finding as a redactor gives it; it holds no value. */
export interface MonitoredFinding {
  /** The name of the secret, for a value that is known. */
  readonly name?: string | undefined;
  /** The rule, for what only looks like a secret or a danger. */
  readonly rule?: string | undefined;
  readonly form?: string | undefined;
  readonly strength?: "strong" | "weak" | undefined;
  /** Without it: `exact` for a finding with no rule, `heuristic` for one with a rule. */
  readonly confidence?: MonitoredConfidence | undefined;
  /** What the rule's match means. */
  readonly detector?: Detector | undefined;
  /** False for text that was left as it is (default: true). */
  readonly isMasked?: boolean | undefined;
  /** What the rule says of itself; it comes before the monitor's own table. */
  readonly severity?: Severity | undefined;
  /** The same for the same text, and tells nothing about it. */
  readonly fingerprint: string;
}

/** What all findings of one kind have in common, and what was decided about them. */
export interface FindingKind {
  readonly stream: MonitoredStream;
  readonly name?: string | undefined;
  readonly rule?: string | undefined;
  readonly form?: string | undefined;
  readonly strength?: "strong" | "weak" | undefined;
  readonly confidence: MonitoredConfidence;
  readonly severity: Severity;
  readonly action: Action;
  /** False for text that was left as it is. */
  readonly isMasked: boolean;
}

/** A finding with all that a table can match. */
export interface Facts {
  readonly name: string | undefined;
  readonly rule: string | undefined;
  readonly detector: Detector | undefined;
  readonly strength: "strong" | "weak" | undefined;
  readonly confidence: MonitoredConfidence;
  readonly stream: MonitoredStream;
  /** The value is one that this launch gave to the job. */
  readonly isInjected: boolean;
}

const idPattern = /^[\w.:/@+-]{1,128}$/;
const oneOf = <T extends string>(values: readonly T[], given: T | undefined) =>
  given !== undefined && values.includes(given) ? given : undefined;

/**
 * A finding with nothing in it but what its fields may hold: one that comes from a container may have
 * been written by the job.
 */
export function cleanFinding(given: MonitoredFinding): MonitoredFinding {
  const id = (text: unknown) =>
    typeof text === "string" && idPattern.test(text) ? text : undefined;
  return {
    name: id(given.name),
    // What a rule found stays that, whatever it calls itself.
    rule: given.rule === undefined ? undefined : (id(given.rule) ?? "unknown"),
    form: id(given.form),
    strength: oneOf(strengths, given.strength),
    confidence: oneOf(confidences, given.confidence),
    severity: oneOf(severities, given.severity),
    detector: oneOf(Object.keys(detectors) as Detector[], given.detector),
    isMasked: given.isMasked !== false,
    fingerprint: id(given.fingerprint) ?? "unknown",
  };
}

export function factsOf(
  finding: MonitoredFinding,
  stream: MonitoredStream,
  isInjected: boolean,
): Facts {
  const { name, rule, detector, strength } = finding;
  const confidence = finding.confidence ?? (rule === undefined ? "exact" : "heuristic");
  return { name, rule, detector, strength, confidence, stream, isInjected };
}
