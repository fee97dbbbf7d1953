import { loadConfig } from "../config/index.ts";
import {
  asMarkdown,
  deadlinesOf,
  findIncident,
  foldIncidents,
  type Incident,
  metricsOf,
  reportOf,
} from "../incident/index.ts";
import { SecretError } from "../secrets/index.ts";
import { auditOptions, auditPlaceOf } from "./audit-options.ts";
import { exitCodes } from "./exit-codes.ts";
import { scope } from "./incident-scope.ts";
import { shownIncident, shownRows } from "./incident-text.ts";
import { close, contain, open, recover, review } from "./incident-work.ts";
import type { Arguments, Streams, Verb } from "./verb.ts";
import { useAudit, type VerbAudit } from "./verb-audit.ts";

/** What an action of the verb works with. */
export interface IncidentContext {
  readonly args: Arguments;
  readonly streams: Streams;
  readonly audit: VerbAudit;
  readonly incidents: readonly Incident[];
  /** What follows the action. */
  readonly operands: readonly string[];
  readonly base: string | undefined;
  readonly contacts: Readonly<Record<string, string>>;
  readonly timeZone: string | undefined;
  readonly say: (message: string) => void;
}

interface Action {
  readonly operands: readonly [least: number, most: number];
  /** Options besides those that say where the log is, and `--json`. */
  readonly options: readonly string[];
  readonly run: (context: IncidentContext) => Promise<number>;
}

const actions: Readonly<Record<string, Action>> = {
  list: { operands: [0, 0], options: ["all"], run: list },
  show: { operands: [1, 1], options: [], run: show },
  scope: { operands: [2, Number.MAX_SAFE_INTEGER], options: ["value-stdin", "note"], run: scope },
  review: {
    operands: [1, Number.MAX_SAFE_INTEGER],
    options: ["severity", "harmless", "note"],
    run: review,
  },
  open: { operands: [0, 0], options: ["secret", "severity"], run: open },
  contain: { operands: [1, 1], options: ["how", "note"], run: contain },
  recover: { operands: [1, 1], options: ["note"], run: recover },
  close: { operands: [1, 1], options: ["note"], run: close },
  due: { operands: [0, 0], options: [], run: due },
  report: { operands: [1, 1], options: [], run: report },
};

const everywhere: ReadonlySet<string> = new Set([
  ...["config", "audit", "audit-anchors", "audit-key", "json", "help"],
]);

export const incident: Verb = {
  summary: "From an alert to a closed incident: what leaked, how far, until when, what was done",
  usage: "list|show|scope|review|contain|recover|close|due|report|open [ID] [options]",
  options: {
    config: { value: "FILE", about: "configuration that names the log and the contacts" },
    audit: { ...auditOptions.audit, about: "the folder of the audit log" },
    "audit-anchors": auditOptions["audit-anchors"],
    "audit-key": auditOptions["audit-key"],
    all: { about: "list: closed ones too" },
    note: { value: "TEXT", about: "what a person has to say; close: what was learned" },
    severity: { value: "WORD", about: "review, open: critical, high, medium, low or info" },
    harmless: { about: "review: nothing leaked; then it may be closed" },
    how: { value: "WORD", about: "contain: halted, rotated, revoked or elsewhere" },
    secret: { value: "NAME", about: "open: the name under which jobs were given it" },
    "value-stdin": { about: "scope: take the value that leaked from standard input" },
    json: { about: "report as one JSON document" },
  },
  examples: [
    "nopeek incident list --audit ../audit",
    "nopeek incident due --audit ../audit                      exit code 16 if something is overdue",
    "nopeek incident review 0b9f9a57 --severity high --note 'token in a traceback'",
    "nopeek incident scope 0b9f9a57 logs/ wandb/               where else the value is",
    "nopeek rotate hf --leaked 0b9f9a57 --yes",
    "nopeek incident close 0b9f9a57 --note 'headers are masked in the client now'",
    "nopeek incident report 0b9f9a57 > incident.md",
  ],
  run: runIncident,
};

async function runIncident(args: Arguments, streams: Streams): Promise<number> {
  const [name = "", ...operands] = args.positionals;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined || args.rest !== null) {
    const known = Object.keys(actions).join(", ");
    throw new SecretError("USAGE", `write nopeek incident and one of: ${known}`);
  }
  checkUse(name, action, operands, args);
  const file = args.value("config");
  // Code that lies about is not executed beside the key of the log; what is named is meant.
  const config =
    args.value("audit") !== undefined && file === undefined
      ? null
      : await loadConfig({ file, execute: file !== undefined });
  const named = auditPlaceOf(args, config);
  if (named === undefined) {
    throw new SecretError("USAGE", "name the folder of the audit log with --audit DIR");
  }
  await using audit = await useAudit(named, config);
  const incidents = foldIncidents(await audit.records());
  const code = await action.run({
    ...{ args, streams, audit, incidents, operands, base: named.base },
    contacts: config?.incidents?.contacts ?? {},
    timeZone: config?.incidents?.timeZone,
    say: (message) => void streams.stderr.write(`nopeek: ${message}\n`),
  });
  await audit.close();
  return code;
}

function checkUse(
  name: string,
  action: Action,
  operands: readonly string[],
  args: Arguments,
): void {
  const [least, most] = action.operands;
  if (operands.length < least || operands.length > most) {
    const wanted = most === 0 ? "no ID" : least > 1 ? "an ID and paths" : "an ID";
    throw new SecretError("USAGE", `incident ${name} takes ${wanted}`);
  }
  for (const option of Object.keys(incident.options)) {
    if (!args.flag(option) || everywhere.has(option) || action.options.includes(option)) continue;
    throw new SecretError("USAGE", `--${option} is not for incident ${name}`);
  }
}

async function list({ args, streams, incidents, timeZone }: IncidentContext): Promise<number> {
  const shown = incidents.filter(({ phase }) => args.flag("all") || phase !== "lessons");
  const deadlines = deadlinesOf(shown, { timeZone });
  streams.stdout.write(
    args.flag("json")
      ? asJson({ incidents: shown, metrics: metricsOf(incidents) })
      : shownRows(shown, deadlines),
  );
  return 0;
}

async function show(context: IncidentContext): Promise<number> {
  const { args, streams, timeZone, audit } = context;
  const found = pick(context);
  const deadlines = deadlinesOf([found], { timeZone });
  streams.stdout.write(
    args.flag("json")
      ? asJson({ incident: found, deadlines })
      : shownIncident(found, deadlines, audit.clean),
  );
  return 0;
}

async function due({ args, streams, incidents, timeZone }: IncidentContext): Promise<number> {
  const deadlines = deadlinesOf(incidents, { timeZone });
  const overdue = deadlines.filter(({ isOverdue }) => isOverdue);
  if (args.flag("json")) {
    streams.stdout.write(asJson({ overdue: overdue.length, deadlines }));
  } else {
    for (const { incidentId, what, dueAtMs, isOverdue } of deadlines) {
      const when = new Date(dueAtMs).toISOString();
      streams.stdout.write(
        `${isOverdue ? "OVERDUE" : "due    "}  ${when}  ${incidentId}  ${what}\n`,
      );
    }
  }
  return overdue.length > 0 ? exitCodes.overdue : 0;
}

async function report(context: IncidentContext): Promise<number> {
  const { args, streams, incidents, contacts, timeZone, audit, say } = context;
  const made = reportOf(pick(context), { incidents, contacts, timeZone, clean: audit.clean });
  if (Object.keys(contacts).length === 0) {
    say("warning: the configuration names no contacts (incidents.contacts)");
  }
  streams.stdout.write(args.flag("json") ? `${JSON.stringify(made, null, 2)}\n` : asMarkdown(made));
  return 0;
}

function pick({ incidents, operands }: IncidentContext): Incident {
  return findIncident(incidents, operands[0] ?? "");
}

function asJson(report: object): string {
  return `${JSON.stringify({ schemaVersion: 1, ...report }, null, 2)}\n`;
}
