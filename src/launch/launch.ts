import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import type { MountTable } from "../paths/index.ts";
import { assertVariableName, checkDuration, SecretError } from "../secrets/index.ts";
import type { RunAudit } from "./audit.ts";
import { checkCode } from "./code.ts";
import { assertNoSecret, type Command, checkCommand } from "./command.ts";
import { type Declared, resolveDeclared, toJobSecret } from "./declared.ts";
import { buildEnvironment } from "./environment.ts";
import { follow, type Notify } from "./follow.ts";
import { Leaks } from "./leaks.ts";
import { local } from "./local.ts";
import { checkMounts } from "./mounts.ts";
import { checkOperands, uncheckedParents } from "./operands.ts";
import type { LaunchOptions, LaunchResult } from "./options.ts";
import { heldSignals, takeSignals } from "./signals.ts";
import { tell } from "./tell.ts";
import { checkMonitor, startWatch } from "./watching.ts";

/**
 * Runs a job with its secrets, and with none of them in its output.
 *
 * Everything is resolved and checked first: if one secret fails, nothing runs. The job's environment
 * is built from nothing. When the command ends, what it left running is ended too.
 *
 * @returns How it ended. Rejects only if the job never started.
 * @throws SecretError From resolving, `DECLARATION_INVALID`, `COMMAND_*`, `ROOT_REFUSED`, `LAUNCH_FAILED`, `AUDIT_*`.
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
  return await launchWith(options, undefined);
}

/** As {@link launch}. @param shared - Secrets that were resolved already, for several jobs. */
export async function launchWith(
  options: LaunchOptions,
  shared: Declared | undefined,
): Promise<LaunchResult> {
  const runId = checkRunId(options.runId);
  if (options.audit === undefined) return await start(options, runId, shared, undefined);
  const { RunAudit } = await import("./audit.ts");
  using audit = new RunAudit(options.audit, runId);
  try {
    return await start(options, runId, shared, audit);
  } catch (error) {
    await audit.refused(error);
    throw error;
  }
}

async function start(
  options: LaunchOptions,
  runId: string,
  shared: Declared | undefined,
  audit: RunAudit | undefined,
): Promise<LaunchResult> {
  const notify: Notify = (text, code, count) => {
    tell(options.onNotice, text);
    audit?.notice(code, count);
  };
  const command = checkCommand(options.command);
  checkMonitor(options.monitor);
  checkDuration("timeoutMs", options.timeoutMs);
  checkDuration("graceMs", options.graceMs, 0);
  if (options.refuseRoot === true && process.getuid?.() === 0) {
    throw new SecretError(
      "ROOT_REFUSED",
      "this launch refuses to run as root; run it as another user",
    );
  }
  const runtime = options.on ?? local();
  const base = resolve(options.base ?? ".");
  const mounts = checkMounts(options.mounts, base);
  const code = checkCode(options.code, base);
  const cwd = options.cwd ?? code?.dir;
  const localCwd = runtime.isLocal === true ? resolve(cwd ?? ".") : undefined;
  options.audit?.assertApart([
    ...(localCwd === undefined ? [] : [localCwd]),
    ...mounts.mounts.flatMap(({ dir }) => dir ?? []),
  ]);
  await checkPaths(command, mounts, localCwd, options.paths ?? [], notify);
  using own = shared === undefined ? await resolveDeclared(options, runtime) : undefined;
  const declared = shared ?? (own as Declared);
  assertFreeNames(mounts, [...declared.names, ...Object.keys(options.env ?? {})]);
  const environment = buildEnvironment({
    from: process.env,
    inherits: runtime.hasOwnEnvironment !== true,
    kept: runtime.ownVariables,
    pass: options.pass ?? [],
    set: checkVariables(options.env ?? {}),
    declared: declared.names,
    runId,
  });
  const { redactor, secrets, attached, resolutions } = declared;
  assertNoSecret(command, redactor);
  assertNoSecret(options.ownCommandLine ?? [], redactor, "nopeek's own command line");
  if (environment.withheld.length > 0) {
    notify(
      `not passed to the job: ${environment.withheld.join(", ")} (declare what it needs: --secret NAME)`,
      "credentials-withheld",
      environment.withheld.length,
    );
  }
  await audit?.started({
    runtime: runtime.name,
    command,
    variables: environment.variables,
    secrets,
    attached,
    resolutions,
    mounts: mounts.mounts.length,
  });
  await using watching = await startWatch(command, options, {
    runId,
    secrets: secrets.map(({ secret }) => secret),
    attached,
    audit,
    redactor,
  });
  // Before files with secrets are written: a signal must not end this process and leave them.
  using signals = takeSignals(options.forwardSignals === true);
  using starting = heldSignals(signals, options.signal);
  const leaks = new Leaks({ watch: watching.watch, audit, listener: options.onLeak });
  const job = await runtime.start({
    runId,
    name: options.name,
    command,
    env: environment.variables,
    secrets: secrets.map(toJobSecret),
    attached,
    cwd,
    mounts: mounts.mounts,
    code,
    hold: options.hold,
    signal: starting.signal,
    onNotice: (notice) => tell(options.onNotice, notice),
    onFinding: (finding) => leaks.inContainer(finding),
  });
  tell(options.onStart, runId);
  const early = starting.held;
  return await follow(job, {
    runId,
    redactor,
    signals,
    early,
    leaks,
    watching,
    audit,
    notify,
    options,
  });
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
  cwd: string | undefined,
  declared: readonly string[],
  notify: Notify,
): Promise<void> {
  const unused = await checkOperands(command, declared, { mounts, cwd });
  if (unused.length > 0) {
    notify(
      `the command has no ${unused.join(", ")}, so no path of it was checked`,
      "path-option-unused",
      unused.length,
    );
  }
  const unchecked = uncheckedParents(command, declared);
  if (unchecked.length === 0) return;
  const which = `argument${unchecked.length === 1 ? "" : "s"} ${unchecked.join(", ")}`;
  notify(
    `warning: ".." in ${which} of the command; if it is a path, declare its option with --path`,
    "path-unchecked",
    unchecked.length,
  );
}

/** The id finds a job's processes again, so it must be one of its own. */
function checkRunId(given: string | undefined): string {
  if (given === undefined) return randomUUID();
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given)) return given;
  throw new SecretError("DECLARATION_INVALID", "runId must be a random UUID (crypto.randomUUID)");
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
