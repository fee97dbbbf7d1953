import { SecretError } from "../secrets/index.ts";
import { commandSink } from "./command-sink.ts";
import type { MonitorEvent } from "./events.ts";
import type { MonitoredFinding } from "./finding.ts";
import type { Incident } from "./incident.ts";
import {
  type CommandAlert,
  checkMonitorOptions,
  type MonitorOptions,
  type WebhookAlert,
} from "./options.ts";
import { createPolicy, mayRotate } from "./policy.ts";
import type { AlertSink } from "./sink.ts";
import { RunWatch } from "./watch.ts";
import { webhookSink } from "./webhook-sink.ts";

/** A run, as a monitor sees it. */
export interface WatchedRun {
  /** Stands in every event and alert: it joins detection, halt and rotation. */
  readonly runId: string;
  /** Whether a finding is of a value that this run was given. */
  readonly isInjected: (finding: MonitoredFinding) => boolean;
  /** Takes lines for the user; none of them holds a value. */
  readonly say: (line: string) => void;
  /** Takes each event, beside the `record` of the monitor's options. */
  readonly record?: ((event: MonitorEvent) => void) | undefined;
}

/** The watch over one run. No method but `judge` throws, and none waits but `end`. */
export interface Watch extends AsyncDisposable {
  /**
   * Judges the command before it runs.
   *
   * @param upward - Positions of arguments with `..` that nothing checks.
   * @throws SecretError `COMMAND_REFUSED` if a line of the table says `halt` for it.
   */
  judge(command: readonly string[], upward: readonly number[]): void;
  /** From now on `halt` stops the job. */
  guard(halt: () => void): void;
  /** A form of a value was read for the first time; it may not be masked yet. */
  sighted(finding: MonitoredFinding, stream: "stdout" | "stderr"): void;
  /**
   * Something was masked, or with `isMasked: false` found and left as it is; `count` times (default:
   * once).
   */
  masked(finding: MonitoredFinding, stream: "stdout" | "stderr", count?: number): void;
  /**
   * Ends the watch: waits for alerts no longer than 5 seconds, for rotations a minute.
   *
   * @returns What there was; undefined if there was nothing.
   */
  end(): Promise<Incident | undefined>;
}

/** Judges what is found in runs, and acts. */
export interface Monitor {
  /** Whether it wants to be told of text to review (the pack `reviewRules` of `nopeek/detect`). */
  readonly reviews: boolean;
  watch(run: WatchedRun): Watch;
}

/**
 * Makes a monitor: findings become a severity and an action by a table, and the action is done.
 * It can stop and rotate only what it is given functions for.
 *
 * A job is halted for a *strong* form of a value that it was given itself, and for what a rule found
 * only where a line of `onFinding` says so; nothing that was not given to it is rotated.
 *
 * @throws SecretError `MONITOR_INVALID`, `ENDPOINT_REFUSED`.
 *
 * @example
 * const monitor = createMonitor({
 *   onLeak: "halt",
 *   onFinding: [{ name: "WANDB_*", action: "alert" }],
 *   alerts: [{ command: ["./page-me.sh"] }],
 * });
 * await launch({ command: ["python", "train.py"], secrets, from, monitor });
 */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const { onFinding = [], onLeak = "alert", review = true } = checkMonitorOptions(options);
  const decide = createPolicy(onFinding, onLeak, review);
  const sinks = (options.alerts ?? []).map(sinkOf);
  const cannotRotate = options.rotate === undefined && mayRotate(onFinding, onLeak);
  return {
    reviews: review,
    watch(run) {
      if (cannotRotate) {
        run.say("halt+rotate: no rotation is declared here, so a leak halts the job and no more");
      }
      const { rotate, record, alertsPerMinute } = options;
      return new RunWatch(run, { decide, sinks, review, rotate, record, alertsPerMinute });
    },
  };
}

function sinkOf(alert: AlertSink | CommandAlert | WebhookAlert): AlertSink {
  if ("send" in alert) return alert;
  if ("command" in alert) {
    return commandSink(alert.command as readonly [string, ...string[]], alert.timeoutMs);
  }
  if (typeof alert.webhook === "string") {
    throw new SecretError(
      "MONITOR_INVALID",
      "the address of a webhook is a secret: give a Secret, or the reference to launch, which resolves it",
    );
  }
  return webhookSink(alert.webhook, alert);
}
