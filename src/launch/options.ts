/** What a launch takes and gives. */
import type { Writable } from "node:stream";
import type { RuleChoice } from "../detect/index.ts";
import type { Finding } from "../redact/index.ts";
import type { Declarations, SecretInput, Secrets } from "../secrets/index.ts";
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
  /** Working directory of a local job. */
  readonly cwd?: string | undefined;
  /** What the job may find at which path; by container path, or made by `defineMounts`. */
  readonly mounts?: MountInput | undefined;
  /** The folder that relative `dir`s of mounts are meant from (default: the working directory). */
  readonly base?: string | undefined;
  /**
   * Options of the command whose operand is a path, such as `--data-path`: refused if it leads out of
   * the mounts and the working directory.
   */
  readonly paths?: readonly string[] | undefined;
  /** The job is stopped after this time. */
  readonly timeoutMs?: number | undefined;
  /** How long the job may take to end after SIGTERM before it is killed (default: 10,000). */
  readonly graceMs?: number | undefined;
  /** Refuses to run as root. */
  readonly refuseRoot?: boolean | undefined;
  /** `strict` holds back every byte until it is decided, also at a pause. */
  readonly hold?: "pause" | "strict" | undefined;
  /** Formats of credentials that are masked beside the secrets (default: those that are known). */
  readonly rules?: RuleChoice | undefined;
  /** Where the redacted output goes (default: this process's). */
  readonly output?: { readonly stdout?: Writable; readonly stderr?: Writable } | undefined;
  /** Gets the redacted output of both streams as well. */
  readonly transcript?: Writable | undefined;
  /** Told of every mask in the output. */
  readonly onLeak?: ((finding: Leak) => void) | undefined;
  /** Told of what is not an error: withheld credentials, processes left over. */
  readonly onNotice?: ((notice: string) => void) | undefined;
  /** Told when the job runs. */
  readonly onStart?: ((runId: string) => void) | undefined;
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
}

/** Why the job ended: by itself, by a signal, or because it was stopped. */
export type EndedBy = "exit" | "signal" | "timeout" | "abort";

export interface LaunchResult {
  readonly runId: string;
  readonly endedBy: EndedBy;
  /** The command's own code; 128 + n after signal n; 124 after the time limit. */
  readonly exitCode: number;
  readonly redactions: Redactions;
  /** Part of the output could not be written, or nobody took it after a stop. */
  readonly outputLost: boolean;
  /** The job's stderr ended without a line break. */
  readonly isMidLine: boolean;
}
