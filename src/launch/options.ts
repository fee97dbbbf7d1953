/** What a launch takes and gives. */
import type { Writable } from "node:stream";
import type { AuditLog } from "../audit/index.ts";
import type { RuleChoice } from "../detect/index.ts";
import type { Incident, Monitor, MonitorOptions } from "../monitor/index.ts";
import type { Finding } from "../redact/index.ts";
import type { Declarations, SecretInput, Secrets } from "../secrets/index.ts";
import type { CodeInput } from "./code.ts";
import type { Command } from "./command.ts";
import type { MountInput } from "./mounts.ts";
import type { Runtime } from "./runtime.ts";
import type { Redactions } from "./tally.ts";

export interface LaunchOptions {
  /** Where the job runs (default: `local()`). */
  readonly on?: Runtime | undefined;
  /** Program and arguments; never a shell line. */
  readonly command: Command | readonly string[];
  /** What the job gets, by variable name. */
  readonly secrets?: Readonly<Record<string, SecretInput>> | Declarations | undefined;
  /** Resolves the references among `secrets`. */
  readonly from?: Secrets | undefined;
  /** Plain variables to set. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Further variables of this process to pass on, with `*` and `?`; never credentials. */
  readonly pass?: readonly string[] | undefined;
  /** Working directory of a local job (default: `dir` of `code`). */
  readonly cwd?: string | undefined;
  /** The program's files: copied to where the job runs if that is another machine. */
  readonly code?: CodeInput | undefined;
  /** A name for the job where the runtime shows it. */
  readonly name?: string | undefined;
  /** What the job may find at which path; by container path, or made by `defineMounts`. */
  readonly mounts?: MountInput | undefined;
  /** The folder that relative `dir`s of mounts are meant from (default: the working directory). */
  readonly base?: string | undefined;
  /**
   * Options of the command whose operand is a path, such as `--data-path`: refused if it leads out of
   * the mounts and the working directory.
   */
  readonly paths?: readonly string[] | undefined;
  /** The job is stopped after this time, counted from its start; stores have time limits of their own. */
  readonly timeoutMs?: number | undefined;
  /** How long the job may take to end after SIGTERM before it is killed (default: 10,000). */
  readonly graceMs?: number | undefined;
  /** Refuses to run as root. */
  readonly refuseRoot?: boolean | undefined;
  /** `strict` holds back every byte until it is decided, also at a pause. */
  readonly hold?: "pause" | "strict" | undefined;
  /**
   * Formats of credentials that are masked beside the secrets (default: those that are known). With
   * `none` the output is not looked at for what to review either.
   */
  readonly rules?: RuleChoice | undefined;
  /** Where the redacted output goes (default: this process's). */
  readonly output?: { readonly stdout?: Writable; readonly stderr?: Writable } | undefined;
  /** Gets the redacted output of both streams as well. */
  readonly transcript?: Writable | undefined;
  /** Told of every mask in the output, not of what is only to be reviewed. A `monitor` halts the job. */
  readonly onLeak?: ((finding: Leak) => void) | undefined;
  /**
   * What is done about leaks beyond masking them (default: `onNotice` is told once of each secret and
   * stream). The webhooks of its options may be references.
   */
  readonly monitor?: Monitor | MonitorOptions | undefined;
  /**
   * Told of what is not an error: leaks, withheld credentials, processes left over.
   * `isMidLine`: the job's stderr is in the middle of a line.
   */
  readonly onNotice?: ((notice: string, isMidLine?: boolean) => void) | undefined;
  /** Told when the job runs. */
  readonly onStart?: ((runId: string) => void) | undefined;
  /**
   * Records what is done: nothing runs before its start is on the disk. Opened and closed by the
   * caller.
   */
  readonly audit?: AuditLog | undefined;
  /** If the log cannot be written any more: go on without it, or stop the job (default: continue). */
  readonly onAuditFailure?: "continue" | "halt" | undefined;
  /** The id of the run, a random UUID (default: made here). */
  readonly runId?: string | undefined;
  /** Command line of this process: refused too if it holds a secret, since everybody can read it. */
  readonly ownCommandLine?: readonly string[] | undefined;
  /** Stops the job when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Sends SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 on to the job (default: false). */
  readonly forwardSignals?: boolean | undefined;
}

/** A finding in the output of a job. */
export interface Leak extends Finding {
  readonly stream: "stdout" | "stderr";
  /** `container`: masked before it left the container; `offset` is 0 then. */
  readonly where: "output" | "container";
  /** How often; `output` tells of each by itself. */
  readonly count: number;
}

/**
 * Why the job ended: by itself, by a signal, or because it was stopped; `halt`: by the monitor,
 * `audit`: because its audit log could not be written. `lost`: its runtime could not be reached any
 * more, so how it ended is not known.
 */
export type EndedBy = "exit" | "signal" | "timeout" | "abort" | "halt" | "audit" | "lost";

export interface LaunchResult {
  readonly runId: string;
  readonly endedBy: EndedBy;
  /** The command's own code; 128 + n after signal n; 124 after the time limit; 10 if it was halted. */
  readonly exitCode: number;
  readonly redactions: Redactions;
  /** What the monitor found and did, if there was anything. */
  readonly incident?: Incident | undefined;
  /** Part of the output could not be written, or nobody took it after a stop. */
  readonly outputLost: boolean;
  /** The audit log could not be written to the end: not all is recorded. */
  readonly auditFailed: boolean;
  /** The job's stderr ended without a line break. */
  readonly isMidLine: boolean;
}
