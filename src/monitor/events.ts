/** What a monitor records of a run: a closed set, in which no field takes text of the job. */
import type { Action, MonitoredConfidence, MonitoredStream, Severity } from "./finding.ts";
import type { SinkTrouble } from "./sink.ts";

/** A finding that was judged; the first of its kind, the end of the run gives the counts. */
export interface JudgedFinding {
  readonly stream: MonitoredStream;
  readonly name?: string | undefined;
  readonly rule?: string | undefined;
  readonly form?: string | undefined;
  readonly strength?: "strong" | "weak" | undefined;
  readonly confidence: MonitoredConfidence;
  readonly severity: Severity;
  readonly action: Action;
  readonly fingerprint: string;
  /** False for text that was left as it is. */
  readonly isMasked: boolean;
}

/** Each event carries the id of the run: it joins detection, halt and rotation. */
export type MonitorEvent =
  | ({ readonly type: "finding"; readonly runId: string } & JudgedFinding)
  | {
      readonly type: "halt";
      readonly runId: string;
      /** What it was halted for. */
      readonly name?: string | undefined;
      readonly rule?: string | undefined;
      readonly fingerprint: string;
    }
  | {
      readonly type: "rotation";
      readonly runId: string;
      readonly name: string | undefined;
      readonly fingerprint: string;
      readonly outcome: RotationOutcome;
    }
  | {
      readonly type: "alert-failed";
      readonly runId: string;
      readonly sink: string;
      readonly reason: SinkTrouble;
    };

/** `unavailable`: nothing was given that could rotate it; `unfinished`: not done when the run ended. */
export type RotationOutcome = "started" | "done" | "failed" | "unavailable" | "unfinished";
