import type { Phase, Step } from "./phases.ts";
import type { IncidentSeverity } from "./service-levels.ts";

/** A credential that leaked, as far as the log tells; it holds no value. */
export interface LeakedCredential {
  /** Its name; missing for what only has the format of a credential. */
  readonly name: string | undefined;
  /** The rule that found it, where no known value was found. */
  readonly rule: string | undefined;
  readonly reference: string | undefined;
  /** The version that leaked, as its store calls it. */
  readonly version: string | undefined;
  readonly fingerprint: string | undefined;
  /** Runs that were given this value, the first first. */
  readonly runs: readonly string[];
  /** When a rotation made another version current, and when the one that leaked was revoked. */
  readonly rotatedAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
}

/** A run that was given a credential of an incident. */
export interface IncidentRun {
  readonly runId: string;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly endedBy: string | undefined;
  /** It printed the credential itself. */
  readonly leaked: boolean;
}

/** One line of what happened. */
export interface TimelineEntry {
  readonly atMs: number;
  /** Fixed text. */
  readonly what: string;
  /** Names, references, versions and codes of the log. */
  readonly details: readonly string[];
  readonly actor: string | undefined;
  readonly note: string | undefined;
}

/**
 * What leaked in one run, or was reported by a person, with what was done about it. Made by
 * `foldIncidents` from an audit log and from nothing else.
 */
export interface Incident {
  /** The id of the run whose output leaked; of what a person reported, an id of its own. */
  readonly id: string;
  readonly detectedBy: "monitor" | "person";
  readonly detectedAtMs: number;
  /** The earliest moment at which it could have leaked: the start of the first run that had it. */
  readonly exposedAtMs: number | undefined;
  readonly severity: IncidentSeverity;
  readonly phase: Phase;
  /** A person says that nothing leaked. */
  readonly isHarmless: boolean;
  /** When each step was first taken. */
  readonly steps: Readonly<Partial<Record<Step, number>>>;
  /** Since when something waits for a review; undefined if nothing does. */
  readonly toReviewSinceMs: number | undefined;
  readonly credentials: readonly LeakedCredential[];
  /** Masks in the output of the run. */
  readonly occurrences: number;
  readonly halted: boolean;
  readonly runs: readonly IncidentRun[];
  /** What the newest search found. */
  readonly scope:
    | { readonly atMs: number; readonly files: number; readonly occurrences: number }
    | undefined;
  readonly timeline: readonly TimelineEntry[];
  /** Steps in the log that were out of turn, such as those after the end; they change nothing. */
  readonly ignored: number;
}
