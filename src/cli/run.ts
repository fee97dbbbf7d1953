import { randomUUID } from "node:crypto";
import { closeSync, write } from "node:fs";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { type LaunchResult, launch, type Redactions } from "../launch/index.ts";
import { summaryOf as incidentSummary } from "../monitor/index.ts";
import { SecretError } from "../secrets/index.ts";
import { auditOptions, auditPlaceOf } from "./audit-options.ts";
import { collect, type Declared, declaringOptions } from "./declared.ts";
import { readDuration } from "./duration.ts";
import { createEvents, failedEvent, tellFailed } from "./events.ts";
import { exitCodes } from "./exit-codes.ts";
import { holdOption, readHold } from "./hold.ts";
import { leakRotation } from "./leak-rotation.ts";
import { monitorFlags, readMonitor } from "./monitor-flags.ts";
import { chooseRuntime } from "./on.ts";
import { assertDistinct, openPrivate, removeFile, replaceable } from "./private-file.ts";
import { readRules, rulesOption } from "./rules.ts";
import type { OpenAudit } from "./run-audit.ts";
import type { Arguments, Streams, Verb } from "./verb.ts";

export const run: Verb = {
  summary: "Run a command with its secrets, and with none of them in its output",
  usage: "[LAUNCH] [options] -- COMMAND [ARGUMENT...]",
  options: {
    ...declaringOptions,
    env: { value: "NAME=VALUE", repeatable: true, about: "set a plain variable" },
    path: {
      value: "OPTION",
      repeatable: true,
      about: "an option of the command whose operand is a path to check",
    },
    pass: { value: "GLOB", repeatable: true, about: "pass on variables of this environment" },
    on: {
      value: "RUNTIME",
      about: "where to run: local (default), modal, or one of the configuration",
    },
    code: { value: "DIR", about: "the program's files, for a job on another machine" },
    app: { value: "NAME", about: "on modal: the app (default: nopeek)" },
    image: { value: "TAG", about: "on modal: the image (default: python:3.12-slim)" },
    gpu: { value: "TYPE", about: "on modal: such as A100 or T4:2" },
    timeout: {
      value: "DURATION",
      about: "stop the command this long after its start: 90s, 15m, 2h (124)",
    },
    grace: { value: "DURATION", about: "time to end after SIGTERM before it is killed (10s)" },
    hold: holdOption,
    rules: rulesOption,
    ...monitorFlags,
    "refuse-root": { about: "do not run as root" },
    log: { value: "FILE", about: "write the redacted output to a new private file as well" },
    events: { value: "FILE", about: "write what happens as JSON lines" },
    ...auditOptions,
    "on-audit-failure": {
      value: "continue|halt",
      about: "what to do when the audit log cannot be written any more (exit code 15)",
    },
  },
  examples: [
    "nopeek run -- python train.py                  secrets from ./.env",
    "nopeek run --secret HF_TOKEN -- python train.py",
    "nopeek run --on-leak halt -- python train.py    stop the job when it prints a secret (10)",
    "nopeek run --on modal --code . --gpu A100 --timeout 8h -- python train.py",
    "nopeek run --env-file prod.env --timeout 8h -- torchrun train.py",
    "nopeek run -- sh -c 'echo \"$HF_TOKEN\"'          variables are read by the job: quote them",
  ],
  run: runCommand,
};

async function runCommand(args: Arguments, streams: Streams): Promise<number> {
  const say = (message: string, isMidLine = false) =>
    void streams.stderr.write(`${isMidLine ? "\n" : ""}nopeek: ${message}\n`);
  streams.watchesOutput();
  assertNamedDistinct(args, []);
  const { declared, command, on, code } = await prepare(args, say).catch((error: unknown) => {
    tellFailed(args.value("events"), error, say);
    throw error;
  });
  const plainNames = Object.keys(declared.plain);
  if (plainNames.length > 0) say(`passed as plain, not masked: ${plainNames.join(", ")}`);
  if (declared.isEmpty && command.length > 0) {
    say(
      "no secrets are declared; use --secret NAME, --env-file FILE or a configuration (nopeek init)",
    );
  }
  assertNamedDistinct(args, declared.files);
  const runId = randomUUID();
  const events = createEvents(args.value("events"), say);
  let log: Log | undefined;
  let audited: OpenAudit | undefined;
  let result: LaunchResult;
  try {
    log = createLog(args.value("log"));
    audited = await openAudit(args, declared, runId);
    result = await launch({
      ...declared.options,
      ...overrides(args),
      on,
      ...(code !== undefined && { code }),
      command,
      secrets: declared.secrets,
      from: declared.from,
      env: { ...declared.plain, ...declared.options.env, ...variablesOf(args.values("env")) },
      paths: [...(declared.options.paths ?? []), ...args.values("path")],
      pass: [...(declared.options.pass ?? []), ...args.values("pass")],
      monitor: {
        ...readMonitor(args, declared.monitor),
        record: (event) => events.write(event),
        ...(await leakRotation({ ...declared, runId, audit: audited?.log, say })),
      },
      ownCommandLine: [...process.execArgv, ...process.argv],
      forwardSignals: true,
      runId,
      audit: audited?.log,
      onAuditFailure: audited?.onFailure,
      transcript: log?.stream,
      onNotice: say,
      onStart: () => {
        events.write({ type: "start", runId, program: command[0] ?? "" });
        log?.open();
      },
      onLeak: ({ stream, name, rule, form, strength, confidence, where, count }) =>
        events.write({
          ...{ type: "redaction", stream, name, rule, form, strength, confidence },
          // Only a guard in a container counts by itself.
          ...(where === "container" && { where, count }),
        }),
    });
  } catch (error) {
    events.write(failedEvent(error));
    await audited?.close();
    throw error;
  } finally {
    await closeLog(log?.stream);
    await declared.from.close();
  }
  const { endedBy, redactions, incident } = result;
  if (await audited?.hasConfigChanged()) {
    say(`warning: ${declared.config?.file} was changed while the job ran`);
  }
  const isRecorded = (await audited?.close()) ?? true;
  const exitCode = isRecorded ? result.exitCode : exitCodes.notAudited;
  events.write({ type: "end", runId, endedBy, exitCode, redactions, incident });
  // Progress bars leave their line open.
  if (result.isMidLine && redactions.total > 0) streams.stderr.write("\n");
  if (redactions.total > 0) say(summaryOf(redactions));
  if (incident !== undefined) for (const line of incidentSummary(incident)) say(line);
  if (result.outputLost) streams.abandon();
  if (endedBy === "lost") say("the runtime was lost; how the job ended is not known");
  if (endedBy === "timeout") say("stopped: the time limit was reached");
  if (!isRecorded)
    say("the audit log could not be written to the end: not all of this run is recorded");
  return exitCode === 0 && result.outputLost ? exitCodes.launcherFailed : exitCode;
}

/** What is to run, and where: read and checked before anything is opened for writing. */
async function prepare(args: Arguments, say: (message: string) => void) {
  const declared = await collect(args, say, { launch: launchNameOf(args) });
  const command = args.rest ?? declared.options.command;
  return { declared, command, ...(await chooseRuntime(args, declared, say)) };
}

function assertNamedDistinct(args: Arguments, read: readonly string[]): void {
  const config = args.value("config");
  const files = [...args.values("env-file"), ...(config === undefined ? [] : [config]), ...read];
  assertDistinct([
    ...files.map((file) => ["a file that is read", file] as const),
    ["--log", args.value("log")],
    ["--events", args.value("events")],
  ]);
}

/** Opens the audit log that the command line or the configuration names, before anything is resolved. */
async function openAudit(
  args: Arguments,
  declared: Declared,
  runId: string,
): Promise<OpenAudit | undefined> {
  const named = auditPlaceOf(args, declared.config);
  if (named === undefined) {
    if (args.value("on-audit-failure") !== undefined) {
      throw new SecretError("USAGE", "--on-audit-failure needs --audit DIR");
    }
    return undefined;
  }
  const { openRunAudit } = await import("./run-audit.ts");
  return await openRunAudit(named, {
    runId,
    config: declared.config,
    plainValues: Object.keys(declared.plain).length,
    onFailure: readOnFailure(args) ?? declared.config?.audit?.onFailure,
    apart: [
      declared.options.cwd ?? ".",
      args.value("log"),
      args.value("events"),
      ...declared.files,
    ],
  });
}

function readOnFailure(args: Arguments): "continue" | "halt" | undefined {
  const given = args.value("on-audit-failure");
  if (given === undefined || given === "continue" || given === "halt") return given;
  throw new SecretError("USAGE", "--on-audit-failure takes continue or halt");
}

function launchNameOf(args: Arguments): string | undefined {
  const [name, ...more] = args.positionals;
  if (more.length > 0) {
    throw new SecretError(
      "USAGE",
      "write the command after --, as in: nopeek run -- python train.py",
    );
  }
  if (args.rest !== null && args.rest.length === 0) {
    throw new SecretError("USAGE", "no command follows --, as in: nopeek run -- python train.py");
  }
  if (name === undefined && args.rest === null) {
    throw new SecretError(
      "USAGE",
      "there is no command; write it after --, as in: nopeek run -- python train.py",
    );
  }
  return name;
}

function overrides(args: Arguments) {
  const timeout = args.value("timeout");
  const grace = args.value("grace");
  const hold = readHold(args);
  const rules = readRules(args);
  return {
    ...(timeout === undefined ? {} : { timeoutMs: readDuration("--timeout", timeout) }),
    ...(grace === undefined ? {} : { graceMs: readDuration("--grace", grace) }),
    ...(hold === undefined ? {} : { hold }),
    ...(rules === undefined ? {} : { rules }),
    ...(args.flag("refuse-root") ? { refuseRoot: true } : {}),
  } as const;
}

function variablesOf(given: readonly string[]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const item of given) {
    const equals = item.indexOf("=");
    if (equals < 1) throw new SecretError("USAGE", "--env takes NAME=VALUE");
    variables[item.slice(0, equals)] = item.slice(equals + 1);
  }
  return variables;
}

/** The transcript: checked before anything runs, opened when the job has started. */
interface Log {
  readonly stream: Writable;
  open(): void;
}

/** A new private file; an old one is replaced, so that its mode and readers do not matter. */
function createLog(file: string | undefined): Log | undefined {
  if (file === undefined) return undefined;
  replaceable(file, "--log");
  let fd: number | undefined;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (fd === undefined) done(Object.assign(new Error("not open"), { code: "EBADF" }));
      else write(fd, chunk, (error) => done(error));
    },
    destroy(error, done) {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
      done(error);
    },
  });
  return {
    stream,
    open() {
      removeFile(file, "--log");
      fd = openPrivate(file, "wx", "--log");
    },
  };
}

async function closeLog(transcript: Writable | undefined): Promise<void> {
  if (transcript === undefined || transcript.destroyed) return;
  transcript.end();
  await finished(transcript).catch(() => undefined);
}

/** `masked 5 values: HF_TOKEN (raw 2, base64 1), DB_PASSWORD (json 2)`. */
function summaryOf({ total, counts }: Redactions): string {
  const byName = new Map<string, string[]>();
  for (const { name, rule, form, count } of counts) {
    const shown = name ?? rule ?? "(no name)";
    byName.set(shown, [...(byName.get(shown) ?? []), `${form} ${count}`]);
  }
  const names = [...byName].map(([name, forms]) => `${name} (${forms.join(", ")})`);
  return `masked ${total} ${total === 1 ? "value" : "values"} in the output: ${names.join("; ")}`;
}
