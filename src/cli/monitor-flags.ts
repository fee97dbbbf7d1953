import {
  type CommandAlert,
  type LeakPolicy,
  leakPolicies,
  type MonitorOptions,
  type WebhookAlert,
} from "../monitor/index.ts";
import { parseReference, SecretError } from "../secrets/index.ts";
import type { Arguments, Option } from "./verb.ts";

/** The options of what is done about leaks. */
export const monitorFlags = {
  "on-leak": {
    value: leakPolicies.join("|"),
    about: "what to do about a leaked secret, beyond masking it (alert)",
  },
  "alert-command": {
    value: "PROGRAM",
    repeatable: true,
    about: 'run for each alert, with JSON on its input; or ["PROGRAM","ARGUMENT"]',
  },
  "alert-webhook": {
    value: "REFERENCE",
    repeatable: true,
    about: "post each alert as JSON to the https address that the reference holds",
  },
} as const satisfies Record<string, Option>;

/**
 * What the command line says of the monitor, over what the configuration says: alerts add up.
 *
 * @throws SecretError `USAGE`.
 */
export function readMonitor(
  args: Arguments,
  configured: MonitorOptions | undefined,
): MonitorOptions {
  const onLeak = args.value("on-leak");
  if (onLeak !== undefined && !leakPolicies.includes(onLeak as LeakPolicy)) {
    throw new SecretError("USAGE", `--on-leak takes one of ${leakPolicies.join(", ")}`);
  }
  const alerts = [
    ...(configured?.alerts ?? []),
    ...args.values("alert-command").map(commandOf),
    ...args.values("alert-webhook").map(webhookOf),
  ];
  return {
    ...configured,
    ...(onLeak === undefined ? {} : { onLeak: onLeak as LeakPolicy }),
    alerts,
  };
}

/** The references that a monitor needs resolved. */
export function webhookReferences(
  args: Arguments,
  configured: MonitorOptions | undefined,
): readonly string[] {
  const given = (configured?.alerts ?? []).flatMap((alert) =>
    "webhook" in alert && typeof alert.webhook === "string" ? [alert.webhook] : [],
  );
  return [...given, ...args.values("alert-webhook").map((text) => webhookOf(text).webhook)];
}

function commandOf(text: string): CommandAlert {
  if (!text.startsWith("[")) return { command: [text] };
  let command: unknown;
  try {
    command = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new SecretError("USAGE", "--alert-command is no valid JSON list");
  }
  const isList = Array.isArray(command) && command.every((item) => typeof item === "string");
  if (!isList || !(command as string[])[0]) {
    throw new SecretError("USAGE", "--alert-command takes a program or a JSON list of strings");
  }
  return { command: command as string[] };
}

/** The address itself is a secret, so it is refused unechoed. */
function webhookOf(text: string): WebhookAlert & { readonly webhook: string } {
  if (/^https?:/i.test(text) || !/^[a-z][a-z0-9-]*:\/\//.test(text)) {
    throw new SecretError(
      "USAGE",
      "--alert-webhook: an address on the command line can be read by everybody; give a reference such as env://ALERT_WEBHOOK",
    );
  }
  parseReference(text);
  return { webhook: text };
}
