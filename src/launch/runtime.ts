import type { Readable } from "node:stream";
import type { Mount } from "../paths/index.ts";
import type { Finding } from "../redact/index.ts";
import type { Attached } from "../secrets/index.ts";
import type { Code } from "./code.ts";

/** What a runtime is asked to run. Everything in it was checked; `secrets` is the only secret part. */
export interface Job {
  readonly runId: string;
  /** The name of one of several jobs. */
  readonly name?: string | undefined;
  readonly command: readonly [string, ...string[]];
  /** Plain variables: nothing secret. */
  readonly env: Readonly<Record<string, string>>;
  /** Secret variables by name, as bytes to be delivered. */
  readonly secrets: readonly JobSecret[];
  /** Secrets that the runtime injects itself, from where they live. */
  readonly attached: readonly Attached[];
  readonly cwd: string | undefined;
  /** The declared mounts; the runtime sets their variables (see `mountVariables`). */
  readonly mounts: readonly Mount[];
  /** The program's files, for a runtime that has to copy them. */
  readonly code?: Code | undefined;
  /** What a guard inside the container does at a pause of the output. */
  readonly hold?: "pause" | "strict" | undefined;
  /** Aborted if the job is not wanted any more while it starts. */
  readonly signal?: AbortSignal | undefined;
  /** Takes what the user should know; one line without a value. */
  readonly onNotice?: ((notice: string) => void) | undefined;
  /** Takes what was masked before it reached this process. */
  readonly onFinding?: ((finding: ContainerFinding) => void) | undefined;
}

/** What a guard inside a container masked, as often as it says. */
export interface ContainerFinding
  extends Pick<Finding, "name" | "form" | "strength" | "fingerprint"> {
  readonly stream: "stdout" | "stderr";
  readonly count: number;
}

export interface JobSecret {
  readonly name: string;
  readonly value: Uint8Array;
  /** `env`: NAME holds the value. `file`: NAME holds the path of a private file. */
  readonly as: "env" | "file";
}

/**
 * How the command itself ended: by its code, or by a signal. `by`: the runtime's own time limit, or
 * the connection was lost for good and the end is not known.
 */
export type CommandEnd =
  | {
      readonly code: number;
      readonly signal?: undefined;
      readonly by?: "timeout" | "lost" | undefined;
    }
  | { readonly code?: undefined; readonly signal: NodeJS.Signals; readonly by?: undefined };

/** A job that runs. */
export interface RunningJob {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the command ended; its output may still be on the way. */
  readonly ended: Promise<CommandEnd>;
  /**
   * Sends a signal to the command and to what it started.
   *
   * @param reach - `everything`: also to what left the command's process group, where it can be found.
   */
  kill(signal: NodeJS.Signals, reach?: "group" | "everything"): void;
  /**
   * Ends what the command left running and frees what the job used. Safe to call more than once.
   *
   * @param graceMs - How long a process may take to end by itself.
   * @returns How many processes were left.
   */
  cleanUp(graceMs: number): Promise<number>;
}

/** Where a job runs. */
export interface Runtime {
  /** For messages and events: `local`. */
  readonly name: string;
  /** Names of the providers whose secrets it can attach, without a value passing through here. */
  readonly attaches?: readonly string[];
  /** Its jobs see the files of this machine. */
  readonly isLocal?: boolean;
  /**
   * Its jobs run on another machine: of this process's variables they get those that `pass` names
   * and no others.
   */
  readonly hasOwnEnvironment?: boolean;
  /** Variables of this process that are the runtime's own, with `*`: never passed to a job. */
  readonly ownVariables?: readonly string[];
  /**
   * Starts the job.
   *
   * @throws SecretError If it cannot start; nothing is left behind then.
   */
  start(job: Job): Promise<RunningJob>;
}
