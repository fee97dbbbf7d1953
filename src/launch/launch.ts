import { randomUUID } from "node:crypto";
import { constants as osConstants } from "node:os";
import { resolve } from "node:path";
import type { MountTable } from "../paths/index.ts";
import { createRedactor, type Finding, type Redactor } from "../redact/index.ts";
import {
  type Attached,
  assertUnmasked,
  assertVariableName,
  createSecrets,
  type Declarations,
  defineSecrets,
  onSecret,
  Secret,
  SecretError,
  type SecretInput,
  throwFailures,
} from "../secrets/index.ts";
import { assertNoSecret, type Command, checkCommand } from "./command.ts";
import { finish, Stop, type StopReason, startTimer } from "./ending.ts";
import { buildEnvironment } from "./environment.ts";
import { local } from "./local.ts";
import { checkMounts } from "./mounts.ts";
import { checkOperands, uncheckedParents } from "./operands.ts";
import type { EndedBy, LaunchOptions, LaunchResult } from "./options.ts";
import { type Pump, pump } from "./output.ts";
import type { CommandEnd, JobSecret, RunningJob, Runtime } from "./runtime.ts";
import { type SignalForwarding, takeSignals } from "./signals.ts";
import { Tally } from "./tally.ts";
import { tell } from "./tell.ts";

const defaultGraceMs = 10_000;

/**
 * Runs a job with its secrets, and with none of them in its output.
 *
 * Everything is resolved and checked first: if one secret fails, nothing runs. The job's environment
 * is built from nothing. When the command ends, what it left running is ended too.
 *
 * @returns How it ended. Rejects only if the job never started.
 * @throws SecretError From resolving, `COMMAND_*`, `ROOT_REFUSED`, `LAUNCH_FAILED`.
 *
 * @example
 * const run = await launch({
 *   command: ["python", "train.py"],
 *   secrets: { HF_TOKEN: "env://HF_TOKEN" },
 *   from: createSecrets({ providers: [env()] }),
 * });
 * process.exitCode = run.exitCode;
 */
export async function launch(options: LaunchOptions): Promise<LaunchResult> {
  const command = checkCommand(options.command);
  if (options.refuseRoot === true && process.getuid?.() === 0) {
    throw new SecretError(
      "ROOT_REFUSED",
      "this launch refuses to run as root; run it as another user",
    );
  }
  const runId = randomUUID();
  const runtime = options.on ?? local();
  const mounts = checkMounts(options.mounts, resolve(options.base ?? "."));
  await checkPaths(command, mounts, runtime, options);
  const { secrets, attached } = await resolveSecrets(options, runtime.attaches ?? []);
  assertFreeNames(mounts, [
    ...secrets.map(({ secret }) => secret.name),
    ...attached.map(({ name }) => name),
    ...Object.keys(options.env ?? {}),
  ]);
  const environment = buildEnvironment({
    from: process.env,
    pass: options.pass ?? [],
    set: checkVariables(options.env ?? {}),
    declared: [...secrets.map(({ secret }) => secret), ...attached].map(({ name }) => name ?? ""),
    runId,
  });
  // The declared ones first: their names stand in the masks. Then whatever else this process knows.
  using redactor = createRedactor({
    secrets: secrets.map(({ secret }) => secret),
    rules: options.rules,
  });
  using _following = onSecret((secret) => redactor.add(secret));
  assertNoSecret(command, redactor);
  assertNoSecret(options.ownCommandLine ?? [], redactor, "nopeek's own command line");
  if (environment.withheld.length > 0) {
    tell(
      options.onNotice,
      `not passed to the job: ${environment.withheld.join(", ")} (declare what it needs: --secret NAME)`,
    );
  }
  // Before files with secrets are written: a signal must not end this process and leave them.
  using signals = takeSignals(options.forwardSignals === true);
  const job = await runtime.start({
    runId,
    command,
    env: environment.variables,
    secrets: secrets.map(toJobSecret),
    attached,
    cwd: options.cwd,
    mounts: mounts.mounts,
  });
  tell(options.onStart, runId);
  return await follow(job, runId, redactor, signals, options);
}

/** @throws SecretError `DECLARATION_INVALID` for a mount whose variable is declared as something else. */
function assertFreeNames(mounts: MountTable, names: readonly (string | undefined)[]): void {
  for (const { env, mountPath } of mounts.mounts) {
    if (env === undefined || !names.includes(env)) continue;
    throw new SecretError(
      "DECLARATION_INVALID",
      `${env}: it is declared, and is the variable of the mount ${mountPath} too`,
    );
  }
}

/** Paths in arguments: those that are declared are checked, of others one is told. */
async function checkPaths(
  command: Command,
  mounts: MountTable,
  runtime: Runtime,
  options: LaunchOptions,
): Promise<void> {
  const declared = options.paths ?? [];
  const cwd = runtime.isLocal === true ? resolve(options.cwd ?? ".") : undefined;
  const unused = await checkOperands(command, declared, { mounts, cwd });
  if (unused.length > 0) {
    tell(options.onNotice, `the command has no ${unused.join(", ")}, so no path of it was checked`);
  }
  const unchecked = uncheckedParents(command, declared);
  if (unchecked.length === 0) return;
  const which = `argument${unchecked.length === 1 ? "" : "s"} ${unchecked.join(", ")}`;
  tell(
    options.onNotice,
    `warning: ".." in ${which} of the command; if it is a path, declare its option with --path`,
  );
}

interface Resolved {
  readonly secret: Secret;
  readonly as: "env" | "file";
}

async function resolveSecrets(
  options: LaunchOptions,
  attach: readonly string[],
): Promise<{ secrets: Resolved[]; attached: Attached[] }> {
  const given = options.secrets ?? {};
  const declared =
    given instanceof Map
      ? (given as Declarations)
      : defineSecrets(given as Readonly<Record<string, SecretInput>>);
  const from = options.from ?? createSecrets({ providers: [] });
  const resolutions = await from.resolve(declared, { signal: options.signal, attach });
  throwFailures(resolutions.flatMap(({ failure }) => (failure ? [failure] : [])));
  const attached = resolutions.flatMap(({ attached }) => (attached ? [attached] : []));
  const secrets = resolutions.flatMap(({ name, secret }) => {
    if (secret === null) return [];
    assertUnmasked(secret);
    const declaration = declared.get(name);
    const as = declaration instanceof Secret ? "env" : (declaration?.as ?? "env");
    // Under the name of its variable, which is the name that the mask shows.
    const named = secret.name === name ? secret : new Secret(secret.revealBytes(), { name });
    return [{ secret: named, as }];
  });
  return { secrets, attached };
}

function toJobSecret({ secret, as }: Resolved): JobSecret {
  return { name: secret.name ?? "", value: secret.revealBytes(), as };
}

/** Follows a running job to its end. */
async function follow(
  job: RunningJob,
  runId: string,
  redactor: Redactor,
  signals: SignalForwarding,
  options: LaunchOptions,
): Promise<LaunchResult> {
  const tally = new Tally();
  const notice = (text: string) => tell(options.onNotice, text);
  options.transcript?.on("error", (error: NodeJS.ErrnoException) => {
    notice(`the transcript ends here: it cannot be written (${error.code ?? "no detail"})`);
  });
  const [stdout, stderr] = (["stdout", "stderr"] as const).map((stream) => {
    const onFinding = (finding: Finding) => {
      tally.add(finding);
      tell(options.onLeak, { ...finding, stream });
    };
    const main = options.output?.[stream] ?? process[stream];
    const clean = redactor.stream({ hold: options.hold, onFinding });
    return pump(job[stream], clean, { main, copy: options.transcript });
  }) as [Pump, Pump];
  const graceMs = options.graceMs ?? defaultGraceMs;
  using stop = new Stop(job, graceMs);
  signals.to((signal) => {
    job.kill(signal);
    if (signal === "SIGTERM" || signal === "SIGHUP") stop.killAfterGrace();
  });
  const onAbort = () => stop.because("abort");
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted === true) onAbort();
  using _limit = startTimer(options.timeoutMs, () => stop.because("timeout"));
  const end = await job.ended;
  options.signal?.removeEventListener("abort", onAbort);
  const { processes, heldOpen } = await finish(job, [stdout, stderr], stop, graceMs);
  if (processes > 0) {
    notice(
      `ended ${processes} process${processes === 1 ? "" : "es"} that the command left running`,
    );
  }
  if (heldOpen) notice("a process that left the job holds its output open; it is not waited for");
  const errors = await Promise.all([stdout.done, stderr.done]);
  for (const error of errors) {
    if (error !== null)
      notice(`output was lost: it could not be written (${error.code ?? "no detail"})`);
  }
  return {
    runId,
    ...outcomeOf(end, stop.reason),
    redactions: tally.redactions,
    outputLost: errors.some((error) => error !== null),
    isMidLine: stderr.isMidLine,
  };
}

function outcomeOf(
  end: CommandEnd,
  reason: StopReason | undefined,
): { endedBy: EndedBy; exitCode: number } {
  const exitCode = end.signal === undefined ? end.code : 128 + osConstants.signals[end.signal];
  if (reason === "timeout") return { endedBy: "timeout", exitCode: 124 };
  return { endedBy: reason ?? (end.signal === undefined ? "exit" : "signal"), exitCode };
}

/** Variables that are set as they are: checked here, since Node's own errors quote the value. */
function checkVariables(variables: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(variables)) {
    assertVariableName(name);
    if (typeof value !== "string" || value.includes("\0")) {
      throw new SecretError("DECLARATION_INVALID", `${name} must be text without NUL characters`);
    }
    checked[name] = value;
  }
  return checked;
}
