/** What a monitor takes, and the check of it: it may come from a file. */
import { Secret, SecretError } from "../secrets/index.ts";
import type { JudgedFinding, MonitorEvent } from "./events.ts";
import { actions, confidences, severities, streams, strengths } from "./finding.ts";
import { type FindingRule, type LeakPolicy, leakPolicies } from "./policy.ts";
import type { AlertSink } from "./sink.ts";

/** An alert command: argv, never a shell line; the alert is JSON on its standard input. */
export interface CommandAlert {
  readonly command: readonly string[];
  readonly timeoutMs?: number | undefined;
}

/** An alert webhook. Its address is a secret: a reference, or what a reference gave. */
export interface WebhookAlert {
  readonly webhook: string | Secret;
  /** Also takes `http://` on this machine. */
  readonly allowLoopback?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The part of a monitor that a configuration file can hold. */
export interface MonitorSettings {
  /** What is done about a leak (default: `alert`). */
  readonly onLeak?: LeakPolicy | undefined;
  /** Lines that come before `onLeak`; the first that fits a finding decides. */
  readonly onFinding?: readonly FindingRule[] | undefined;
  readonly alerts?: readonly (CommandAlert | WebhookAlert)[] | undefined;
  /**
   * Looks in commands and output for what a person should review (default: true). In output the pack
   * `reviewRules` does, with the launch's other rules; without rules (`none`) only commands are.
   */
  readonly review?: boolean | undefined;
  /** Alerts of one run about what only looks like a secret (default: 20). */
  readonly alertsPerMinute?: number | undefined;
}

/** A monitor's options. */
export interface MonitorOptions extends Omit<MonitorSettings, "alerts"> {
  readonly alerts?: readonly (AlertSink | CommandAlert | WebhookAlert)[] | undefined;
  /**
   * Rotates a secret that leaked; called once for each. It gives `"unavailable"` for what it cannot
   * rotate. Without it `halt+rotate` only halts, and says so.
   */
  readonly rotate?:
    | ((leak: JudgedFinding & { readonly runId: string }) => Promise<unknown>)
    | undefined;
  /** Told of everything that is worth a record, in order. What it throws is ignored. */
  readonly record?: ((event: MonitorEvent) => unknown) | undefined;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value !== "";
const isFunction: Check = (value) => typeof value === "function";
const isBoolean: Check = (value) => typeof value === "boolean";
const isCount: Check = (value) => Number.isInteger(value) && (value as number) > 0;
const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string);
const some =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) ? value.length > 0 && value.every(check) : check(value);
const isGlob: Check = (value) => typeof value === "string" && /^[\w.:/@+*-]{1,128}$/.test(value);

/** What each part may hold, and how a message says so. */
const lineShape: Readonly<Record<keyof FindingRule, Check>> = {
  rule: some(isGlob),
  name: some(isGlob),
  severity: some(oneOf(severities)),
  confidence: some(oneOf(confidences)),
  strength: some(oneOf(strengths)),
  stream: some(oneOf(streams)),
  action: oneOf(actions),
};
const alertShape: Readonly<Record<string, Check>> = {
  command: (value) => Array.isArray(value) && value.length > 0 && value.every(isArgument),
  webhook: (value) => isText(value) || value instanceof Secret,
  allowLoopback: isBoolean,
  timeoutMs: isCount,
};
const optionShape: Readonly<Record<keyof MonitorOptions, Check>> = {
  onLeak: oneOf(leakPolicies),
  onFinding: Array.isArray,
  alerts: Array.isArray,
  review: isBoolean,
  alertsPerMinute: isCount,
  rotate: isFunction,
  record: isFunction,
};

/** A time that a sink of the caller's own gives: it need not be whole. */
const isDuration: Check = (value) => typeof value === "number" && value > 0;

/** A sink of the caller's own: an object of any class. */
function isOwnSink(alert: unknown): boolean {
  const { name, send } = (alert ?? {}) as Partial<AlertSink>;
  return isText(name) && isFunction(send);
}

function isArgument(value: unknown): boolean {
  return typeof value === "string" && !value.includes("\0");
}

/**
 * Checks what may come from a file.
 *
 * @throws SecretError `MONITOR_INVALID`: where it is wrong and what is expected, never what is there.
 */
export function checkMonitorOptions<Options extends MonitorOptions>(given: Options): Options {
  checkShape(given, optionShape, "monitor");
  for (const [index, line] of (given.onFinding ?? []).entries()) {
    const place = `monitor.onFinding.${index}`;
    checkShape(line, lineShape, place);
    if (line.action === undefined) throw invalid(place, `needs an action: ${actions.join(", ")}`);
  }
  for (const [index, alert] of (given.alerts ?? []).entries()) {
    const place = `monitor.alerts.${index}`;
    if (isOwnSink(alert)) {
      const { timeoutMs } = alert as AlertSink;
      if (timeoutMs === undefined || isDuration(timeoutMs)) continue;
      throw invalid(`${place}.timeoutMs`, "not valid; use milliseconds above zero");
    }
    checkShape(alert, alertShape, place);
    const kinds = ["command", "webhook"].filter((kind) => Object.hasOwn(alert, kind));
    if (kinds.length !== 1) throw invalid(place, "needs one of command and webhook");
    if ((alert as CommandAlert).command?.[0] === "") {
      throw invalid(place, "the program of the command is empty");
    }
  }
  return given;
}

/**
 * The same for a configuration file, which holds data only.
 *
 * @param file - For the message.
 * @throws SecretError `MONITOR_INVALID`.
 */
export function checkMonitorSettings(given: unknown, file: string): MonitorSettings {
  try {
    const { rotate: _rotate, record: _record, ...shape } = optionShape;
    checkShape(given, shape, "monitor");
    return checkMonitorOptions(given as MonitorSettings);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    throw new SecretError("MONITOR_INVALID", `${file}: ${error.message}`);
  }
}

function checkShape(given: unknown, shape: Readonly<Record<string, Check>>, place: string): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalid(place, "expected an object");
  }
  for (const [key, value] of Object.entries(given)) {
    const check = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (check === undefined) {
      throw invalid(place, `unknown option; known are ${Object.keys(shape).join(", ")}`);
    }
    if (value !== undefined && !check(value)) {
      throw invalid(`${place}.${key}`, `not valid${expected(key)}`);
    }
  }
}

const allowed: Readonly<Record<string, readonly string[]>> = {
  onLeak: leakPolicies,
  action: actions,
  severity: severities,
  confidence: confidences,
  strength: strengths,
  stream: streams,
};

function expected(key: string): string {
  const values = Object.hasOwn(allowed, key) ? allowed[key] : undefined;
  return values === undefined ? "" : `; use ${values.join(", ")}`;
}

function invalid(place: string, why: string): SecretError {
  return new SecretError("MONITOR_INVALID", `${place}: ${why}`);
}
