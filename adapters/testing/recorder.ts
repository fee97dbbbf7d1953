import { Readable } from "node:stream";
import type { Job, Runtime } from "../../src/launch/index.ts";

export interface RecorderOptions {
  /** What the job "prints". */
  readonly stdout?: string | Uint8Array | undefined;
  readonly stderr?: string | Uint8Array | undefined;
  /** How it ends (default: 0). */
  readonly exitCode?: number | undefined;
  /** Providers whose secrets it attaches, by name. */
  readonly attaches?: readonly string[] | undefined;
}

/** A runtime that runs nothing and keeps what it was asked to run. */
export interface Recorder extends Runtime {
  /** The jobs so far; their `secrets` hold values. */
  readonly jobs: readonly Job[];
}

/**
 * A runtime for tests of launchers: what would have been run, with which environment, is in `jobs`.
 *
 * @example
 * const on = recorder({ stdout: "done\n" });
 * await launch({ on, command: ["python", "train.py"], secrets, from });
 * on.jobs[0]?.command; // ["python", "train.py"]
 */
export function recorder(options: RecorderOptions = {}): Recorder {
  const jobs: Job[] = [];
  return {
    name: "recorder",
    ...(options.attaches && { attaches: options.attaches }),
    jobs,
    async start(job) {
      jobs.push(job);
      return {
        stdout: Readable.from([Buffer.from((options.stdout ?? "") as string)]),
        stderr: Readable.from([Buffer.from((options.stderr ?? "") as string)]),
        ended: Promise.resolve({ code: options.exitCode ?? 0 }),
        kill: () => undefined,
        cleanUp: async () => 0,
      };
    },
  };
}
