import type { Readable } from "node:stream";
import type { Mount } from "../paths/index.ts";
import type { Attached } from "../secrets/index.ts";

/** What a runtime is asked to run. Everything in it was checked; `secrets` is the only secret part. */
export interface Job {
  readonly runId: string;
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
}

export interface JobSecret {
  readonly name: string;
  readonly value: Uint8Array;
  /** `env`: NAME holds the value. `file`: NAME holds the path of a private file. */
  readonly as: "env" | "file";
}

/** How the command itself ended: by its code, or by a signal. */
export type CommandEnd =
  | { readonly code: number; readonly signal?: undefined }
  | { readonly code?: undefined; readonly signal: NodeJS.Signals };

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
   * Starts the job.
   *
   * @throws SecretError If it cannot start; nothing is left behind then.
   */
  start(job: Job): Promise<RunningJob>;
}
