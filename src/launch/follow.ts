/** Follows a running job to its end: output, signals, limits, and what became of it. */
import { constants as osConstants } from "node:os";
import type { NoticeCode } from "../audit/index.ts";
import type { Finding, Redactor } from "../redact/index.ts";
import type { RunAudit } from "./audit.ts";
import { finish, Stop, type StopReason, startTimer } from "./ending.ts";
import type { Leaks } from "./leaks.ts";
import type { EndedBy, LaunchOptions, LaunchResult } from "./options.ts";
import { type Pump, pump } from "./output.ts";
import type { CommandEnd, RunningJob } from "./runtime.ts";
import type { SignalForwarding } from "./signals.ts";
import { tell } from "./tell.ts";
import type { LaunchWatch } from "./watching.ts";

const defaultGraceMs = 10_000;
const timeoutExitCode = 124;
const haltedExitCode = 10;

/** Tells what is no error: in words to the caller, as a code to the audit log. */
export type Notify = (text: string, code: NoticeCode, count?: number) => void;

/** What follows a job. */
export interface Following {
  readonly runId: string;
  readonly redactor: Redactor;
  readonly signals: SignalForwarding;
  /** The signals that came while the job started. */
  readonly early: readonly NodeJS.Signals[];
  readonly leaks: Leaks;
  readonly watching: LaunchWatch;
  readonly audit: RunAudit | undefined;
  readonly notify: Notify;
  readonly options: LaunchOptions;
}

/** Follows a running job to its end. */
export async function follow(job: RunningJob, following: Following): Promise<LaunchResult> {
  const { runId, redactor, signals, early, leaks, audit, notify, options } = following;
  const { watch, lines } = following.watching;
  options.transcript?.on("error", (error: NodeJS.ErrnoException) => {
    notify(
      `the transcript ends here: it cannot be written (${error.code ?? "no detail"})`,
      "transcript-failed",
    );
  });
  const [stdout, stderr] = (["stdout", "stderr"] as const).map((stream) => {
    const onFinding = (finding: Finding) => leaks.inOutput(finding, stream);
    const main = options.output?.[stream] ?? process[stream];
    const onSight = (finding: Finding) => watch.sighted(finding, stream);
    const clean = redactor.stream({ hold: options.hold, onFinding, onSight });
    return pump(job[stream], clean, { main, copy: options.transcript });
  }) as [Pump, Pump];
  const graceMs = options.graceMs ?? defaultGraceMs;
  using stop = new Stop(job, graceMs);
  lines.follow(() => stderr.isMidLine);
  watch.guard(() => stop.because("halt"));
  const take = (signal: NodeJS.Signals) => {
    job.kill(signal);
    if (signal === "SIGTERM" || signal === "SIGHUP") stop.killAfterGrace();
  };
  for (const signal of early) take(signal);
  signals.to(take);
  const onAbort = () => stop.because("abort");
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted === true) onAbort();
  using _unaudited = audit?.log.onFailure(({ message }) => {
    const halts = options.onAuditFailure === "halt";
    tell(options.onNotice, `${message}; the run ${halts ? "is stopped" : "goes on unrecorded"}`);
    if (halts) stop.because("audit");
  });
  using _limit = startTimer(options.timeoutMs, () => stop.because("timeout"));
  const end = await job.ended;
  options.signal?.removeEventListener("abort", onAbort);
  const { processes, heldOpen } = await finish(job, [stdout, stderr], stop, graceMs);
  if (processes > 0) {
    notify(
      `ended ${processes} process${processes === 1 ? "" : "es"} that the command left running`,
      "processes-left",
      processes,
    );
  }
  if (heldOpen) {
    notify(
      "a process that left the job holds its output open; it is not waited for",
      "output-held-open",
    );
  }
  const errors = await Promise.all([stdout.done, stderr.done]);
  for (const error of errors) {
    if (error === null) continue;
    notify(
      `output was lost: it could not be written (${error.code ?? "no detail"})`,
      "output-lost",
    );
  }
  const incident = await watch.end();
  lines.flush();
  const outcome = outcomeOf(end, stop.reason);
  const { redactions } = leaks;
  const outputLost = errors.some((error) => error !== null);
  await audit?.ended({ ...outcome, redactions: redactions.total, outputLost });
  return {
    runId,
    ...outcome,
    redactions,
    outputLost,
    auditFailed: options.audit?.failure !== undefined,
    ...(incident && { incident }),
    isMidLine: stderr.isMidLine,
  };
}

function outcomeOf(
  end: CommandEnd,
  reason: StopReason | undefined,
): { endedBy: EndedBy; exitCode: number } {
  const exitCode = end.signal === undefined ? end.code : 128 + osConstants.signals[end.signal];
  if (reason === "halt") return { endedBy: "halt", exitCode: haltedExitCode };
  if (reason === "timeout") return { endedBy: "timeout", exitCode: timeoutExitCode };
  if (end.by !== undefined && reason === undefined) return { endedBy: end.by, exitCode };
  return { endedBy: reason ?? (end.signal === undefined ? "exit" : "signal"), exitCode };
}
