/** The monitor of a launch: what it watches for, whom it tells, and where its webhooks are. */
import {
  type AlertSink,
  type CommandAlert,
  checkMonitorOptions,
  createMonitor,
  type Monitor,
  type MonitorOptions,
  type Watch,
  type WebhookAlert,
} from "../monitor/index.ts";
import type { Redactor } from "../redact/index.ts";
import { type Attached, createSecrets, defineSecrets, type Secret } from "../secrets/index.ts";
import type { RunAudit } from "./audit.ts";
import { BetweenLines } from "./between-lines.ts";
import { assertNoSecret, type Command } from "./command.ts";
import { uncheckedParents } from "./operands.ts";
import type { LaunchOptions } from "./options.ts";
import { tell } from "./tell.ts";

/** The watch of one launch, and the lines that it says between those of the job. */
export interface LaunchWatch extends AsyncDisposable {
  readonly watch: Watch;
  readonly lines: BetweenLines;
}

/** @throws SecretError `MONITOR_INVALID` before anything is resolved. */
export function checkMonitor(monitor: LaunchOptions["monitor"]): void {
  if (monitor !== undefined && !isMonitor(monitor)) checkMonitorOptions(monitor);
}

/**
 * Starts to watch, and judges the command.
 *
 * @throws SecretError `COMMAND_REFUSED`; `COMMAND_HOLDS_SECRET` for an alert command; from resolving the address of a webhook.
 */
export async function startWatch(
  command: Command,
  options: LaunchOptions,
  run: {
    readonly runId: string;
    readonly secrets: readonly Secret[];
    readonly attached: readonly Attached[];
    readonly audit?: RunAudit | undefined;
    readonly redactor: Redactor;
  },
): Promise<LaunchWatch> {
  const lines = new BetweenLines((line, isMidLine) =>
    tell((text: string) => options.onNotice?.(text, isMidLine), line),
  );
  const fingerprints = new Set(run.secrets.map(({ fingerprint }) => fingerprint));
  // Of what a runtime attaches only the name is known here.
  const attachedNames = new Set(run.attached.map(({ name }) => name));
  const monitor = await monitorOf(options, run.redactor);
  const watch = monitor.watch({
    runId: run.runId,
    isInjected: ({ fingerprint, name }) =>
      fingerprints.has(fingerprint) || (name !== undefined && attachedNames.has(name)),
    say: (line) => lines.say(line),
    record: (event) => run.audit?.monitored(event),
  });
  const end = async () => {
    await watch.end();
    lines.flush();
  };
  try {
    watch.judge(command, uncheckedParents(command, options.paths ?? []));
  } catch (error) {
    await end();
    throw error;
  }
  return { watch, lines, [Symbol.asyncDispose]: end };
}

function isMonitor(given: Monitor | MonitorOptions): given is Monitor {
  return typeof (given as Partial<Monitor> | null)?.watch === "function";
}

async function monitorOf(options: LaunchOptions, redactor: Redactor): Promise<Monitor> {
  const { monitor = {} } = options;
  if (isMonitor(monitor)) return monitor;
  for (const alert of monitor.alerts ?? []) {
    if ("command" in alert) assertNoSecret(alert.command, redactor, "an alert command");
  }
  const alerts = await Promise.all(
    (monitor.alerts ?? []).map((alert, index) => resolveWebhook(alert, index, options)),
  );
  return createMonitor({ ...monitor, alerts });
}

type AlertOption = AlertSink | CommandAlert | WebhookAlert;

/** The address of a webhook is a secret: it is resolved like one, and masked like one. */
async function resolveWebhook(
  alert: AlertOption,
  index: number,
  { from, base, signal }: LaunchOptions,
): Promise<AlertOption> {
  if (!("webhook" in alert) || typeof alert.webhook !== "string") return alert;
  const name = index === 0 ? "ALERT_WEBHOOK" : `ALERT_WEBHOOK_${index + 1}`;
  // Most such addresses have no password in them: what makes them secret stands in their path.
  const declared = defineSecrets({ [name]: { from: alert.webhook, base, allowWeak: true } });
  const resolver = from ?? createSecrets({ providers: [] });
  const { [name]: webhook } = await resolver.load(declared, { signal });
  return { ...alert, webhook: webhook as Secret };
}
