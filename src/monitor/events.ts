/** What a monitor records of a run: a closed set, in which no field takes text of the job. */
import type { FindingKind } from "./finding.ts";
import type { SinkTrouble } from "./sink.ts";

/** A finding that was judged; the first of its kind, the end of the run gives the counts. */
export interface JudgedFinding extends FindingKind {
  readonly fingerprint: string;
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
