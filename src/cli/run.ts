import { closeSync, write } from "node:fs";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { type LaunchResult, launch, type Redactions } from "../launch/index.ts";
import { codeOf, SecretError } from "../secrets/index.ts";
import { collect, declaringOptions } from "./declared.ts";
import { readDuration } from "./duration.ts";
import { createEvents } from "./events.ts";
import { exitCodeOf, exitCodes } from "./exit-codes.ts";
import { holdOption, readHold } from "./hold.ts";
import { assertDistinct, openPrivate, removeFile, replaceable } from "./private-file.ts";
import { readRules, rulesOption } from "./rules.ts";
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
    on: { value: "RUNTIME", about: "where to run: local (default)" },
    timeout: { value: "DURATION", about: "stop the command after 90s, 15m, 2h (exit code 124)" },
    grace: { value: "DURATION", about: "time to end after SIGTERM before it is killed (10s)" },
    hold: holdOption,
    rules: rulesOption,
    "refuse-root": { about: "do not run as root" },
    log: { value: "FILE", about: "write the redacted output to a new private file as well" },
    events: { value: "FILE", about: "write what happens as JSON lines" },
  },
  examples: [
    "nopeek run -- python train.py                  secrets from ./.env",
    "nopeek run --secret HF_TOKEN -- python train.py",
    "nopeek run --env-file prod.env --timeout 8h -- torchrun train.py",
    "nopeek run -- sh -c 'echo \"$HF_TOKEN\"'          variables are read by the job: quote them",
  ],
  run: runCommand,
};

async function runCommand(args: Arguments, streams: Streams): Promise<number> {
  const say = (message: string) => void streams.stderr.write(`nopeek: ${message}\n`);
  const launchName = launchNameOf(args);
  if (args.value("on") !== undefined && args.value("on") !== "local") {
    throw new SecretError("USAGE", "--on takes local; no other runtime is known here");
  }
  const declared = await collect(args, say, { launch: launchName });
  const command = args.rest ?? declared.options.command;
  const plainNames = Object.keys(declared.plain);
  if (plainNames.length > 0) say(`passed as plain, not masked: ${plainNames.join(", ")}`);
  if (declared.isEmpty && command.length > 0) {
    say(
      "no secrets are declared; use --secret NAME, --env-file FILE or a configuration (nopeek init)",
    );
  }
  assertDistinct([
    ...declared.files.map((file) => ["a file that is read", file] as const),
    ["--log", args.value("log")],
    ["--events", args.value("events")],
  ]);
  const log = createLog(args.value("log"));
  const events = createEvents(args.value("events"), say);
  let result: LaunchResult;
  try {
    result = await launch({
      ...declared.options,
      ...overrides(args),
      command,
      secrets: declared.secrets,
      from: declared.from,
      env: { ...declared.plain, ...declared.options.env, ...variablesOf(args.values("env")) },
      paths: [...(declared.options.paths ?? []), ...args.values("path")],
      pass: [...(declared.options.pass ?? []), ...args.values("pass")],
      ownCommandLine: [...process.execArgv, ...process.argv],
      forwardSignals: true,
      transcript: log?.stream,
      onNotice: say,
      onStart: (runId) => {
        events.write({ type: "start", runId, program: command[0] ?? "" });
        log?.open();
      },
      onLeak: ({ stream, name, rule, form, strength, confidence }) =>
        events.write({ type: "redaction", stream, name, rule, form, strength, confidence }),
    });
  } catch (error) {
    events.write({
      type: "end",
      endedBy: "error",
      exitCode: exitCodeOf(error),
      code: codeOf(error, "LAUNCH_FAILED"),
    });
    throw error;
  } finally {
    await closeLog(log?.stream);
    await declared.from.close();
  }
  const { runId, endedBy, exitCode, redactions } = result;
  events.write({ type: "end", runId, endedBy, exitCode, redactions });
  // Progress bars leave their line open.
  if (result.isMidLine && redactions.total > 0) streams.stderr.write("\n");
  if (redactions.total > 0) say(summaryOf(redactions));
  if (result.outputLost) streams.abandon();
  if (endedBy === "timeout") say("stopped: the time limit was reached");
  return exitCode === 0 && result.outputLost ? exitCodes.launcherFailed : exitCode;
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
