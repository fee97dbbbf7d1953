import { setMaxListeners } from "node:events";
import { resolve } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { codeOf, SecretError, type SecretErrorCode } from "../secrets/index.ts";
import { checkCommand } from "./command.ts";
import { resolveDeclared } from "./declared.ts";
import { launchWith } from "./launch.ts";
import { linePrefix } from "./line-prefix.ts";
import { local } from "./local.ts";
import { checkMounts } from "./mounts.ts";
import type { LaunchOptions, LaunchResult, Leak } from "./options.ts";
import { takeSignals } from "./signals.ts";
import { tell } from "./tell.ts";

/** One of several jobs. */
export interface ManyJob {
  /** Stands before its lines and in its result; letters, digits, dots, dashes and underscores. */
  readonly name: string;
  /** Instead of the common one. */
  readonly command?: readonly string[] | undefined;
  /** Plain variables beside the common ones; these win. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Where its redacted output goes, without a prefix, instead of the common place. */
  readonly output?: LaunchOptions["output"];
}

/** What became of one job. */
export type JobResult =
  | { readonly name: string; readonly status: "ended"; readonly result: LaunchResult }
  /** It never started; the message is safe to print. */
  | {
      readonly name: string;
      readonly status: "failed";
      readonly code: SecretErrorCode;
      readonly message: string;
    }
  /** Its turn did not come before the others were stopped. */
  | { readonly name: string; readonly status: "skipped" };

/** How far several jobs are. */
export interface Progress {
  readonly jobs: number;
  readonly waiting: number;
  readonly running: number;
  /** With exit code 0. */
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface LaunchManyOptions
  extends Omit<LaunchOptions, "command" | "name" | "onLeak" | "onStart" | "runId" | "transcript"> {
  readonly command?: readonly string[] | undefined;
  readonly jobs: readonly ManyJob[];
  /** How many run at a time. */
  readonly concurrency: number;
  /** Stops all jobs as soon as one is halted. */
  readonly stopOnHalt?: boolean | undefined;
  /** Told of every mask. */
  readonly onLeak?: ((leak: Leak & { readonly job: string }) => void) | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Told of each job when it has ended, failed or was skipped. */
  readonly onResult?: ((result: JobResult) => void) | undefined;
}

const mostAtATime = 1_000;

/**
 * Runs several jobs over one declaration: the secrets are resolved once, so many jobs run at a time,
 * and every line of output begins with the name of its job. One job that fails does not stop others.
 *
 * @returns What became of each job, in the order given.
 * @throws SecretError For what is wrong with all of them, before anything runs: from resolving,
 *   `COMMAND_INVALID`, `DECLARATION_INVALID`.
 *
 * @example
 * const results = await launchMany({
 *   on: modalRuntime({ app: "sweep", image, timeoutMs: 3_600_000 }),
 *   command: ["python", "train.py"],
 *   jobs: rates.map((lr) => ({ name: `lr-${lr}`, env: { LR: String(lr) } })),
 *   concurrency: 20,
 *   secrets: { HF_TOKEN: "env://HF_TOKEN" },
 *   from,
 * });
 */
export async function launchMany(options: LaunchManyOptions): Promise<readonly JobResult[]> {
  const { jobs, concurrency, command = [], stopOnHalt = false, onLeak, ...common } = options;
  checkJobs(jobs, concurrency);
  for (const job of jobs) checkCommand(job.command ?? command);
  const runtime = common.on ?? local();
  checkMounts(common.mounts, resolve(common.base ?? "."));
  using declared = await resolveDeclared({ ...common, command }, runtime);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const onAbort = () => stop.abort();
  common.signal?.addEventListener("abort", onAbort, { once: true });
  if (common.signal?.aborted === true) onAbort();
  // One for all: each job would take the signals for itself.
  using signals = takeSignals(common.forwardSignals === true);
  signals.to((signal) => {
    if (signal !== "SIGCONT" && signal !== "SIGUSR1" && signal !== "SIGUSR2") stop.abort();
  });
  const sinks = {
    stdout: common.output?.stdout ?? process.stdout,
    stderr: common.output?.stderr ?? process.stderr,
  };
  // A reader that went away is no reason to stop the jobs.
  const ignore = () => undefined;
  for (const sink of Object.values(sinks)) sink.on("error", ignore);
  const width = Math.max(...jobs.map(({ name }) => name.length));
  const board = new Board(jobs.length, options.onProgress);

  async function runOne(job: ManyJob): Promise<JobResult> {
    const { name } = job;
    if (stop.signal.aborted) return { name, status: "skipped" };
    const prefix = `[${name}]`.padEnd(width + 3);
    const output = job.output ?? {
      stdout: linePrefix(prefix, sinks.stdout),
      stderr: linePrefix(prefix, sinks.stderr),
    };
    try {
      const result = await launchWith(
        {
          ...common,
          command: job.command ?? command,
          env: { ...common.env, ...job.env },
          name,
          output,
          signal: stop.signal,
          forwardSignals: false,
          onLeak: (leak) => onLeak?.({ ...leak, job: name }),
          onNotice: (notice) => tell(options.onNotice, `${name}: ${notice}`),
        },
        declared,
      );
      if (stopOnHalt && result.endedBy === "halt") stop.abort();
      return { name, status: "ended", result };
    } catch (error) {
      if (stop.signal.aborted && codeOf(error, "LAUNCH_FAILED") === "SECRET_ABORTED") {
        return { name, status: "skipped" };
      }
      return { name, status: "failed", ...safe(error) };
    } finally {
      if (job.output === undefined) await endAll(Object.values(output));
    }
  }

  const results: JobResult[] = [];
  const waiting = jobs.entries();
  const worker = async () => {
    for (const [index, job] of waiting) {
      board.begin();
      const result = await runOne(job);
      results[index] = result;
      board.end(result);
      tell(options.onResult, result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, jobs.length) }, worker));
  common.signal?.removeEventListener("abort", onAbort);
  for (const sink of Object.values(sinks)) sink.off("error", ignore);
  return results;
}

/** @throws SecretError `DECLARATION_INVALID`. */
function checkJobs(jobs: readonly ManyJob[], concurrency: number): void {
  const invalid = (why: string) => new SecretError("DECLARATION_INVALID", why);
  if (!Array.isArray(jobs) || jobs.length === 0) throw invalid("launchMany needs a list of jobs");
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > mostAtATime) {
    throw invalid(`concurrency must be a whole number from 1 to ${mostAtATime}`);
  }
  const names = new Set<string>();
  jobs.forEach((job: ManyJob, index) => {
    const isName =
      typeof job?.name === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$/.test(job.name);
    if (!isName) {
      throw invalid(
        `job ${index + 1} needs a name of up to 48 letters, digits, dots, dashes and underscores`,
      );
    }
    if (names.has(job.name)) throw invalid(`two jobs have the name ${job.name}`);
    names.add(job.name);
  });
}

/** Of a foreign error nothing is kept. */
function safe(error: unknown): { code: SecretErrorCode; message: string } {
  const isOurs = error instanceof Error && /^(?:Secret|Path)Error$/.test(error.name);
  return {
    code: codeOf(error, "LAUNCH_FAILED"),
    message: isOurs ? error.message : "the job could not be started",
  };
}

async function endAll(streams: readonly Writable[]): Promise<void> {
  await Promise.all(
    streams.map((stream) => {
      if (stream.destroyed || stream.writableFinished) return undefined;
      stream.end();
      return finished(stream).catch(() => undefined);
    }),
  );
}

/** Counts where the jobs are. */
class Board {
  readonly #listener: ((progress: Progress) => void) | undefined;
  #progress: Progress;

  constructor(jobs: number, listener: ((progress: Progress) => void) | undefined) {
    this.#listener = listener;
    this.#progress = { jobs, waiting: jobs, running: 0, succeeded: 0, failed: 0, skipped: 0 };
  }

  begin(): void {
    const { waiting, running } = this.#progress;
    this.#set({ waiting: waiting - 1, running: running + 1 });
  }

  end(result: JobResult): void {
    const isGood = result.status === "ended" && result.result.exitCode === 0;
    const place = result.status === "skipped" ? "skipped" : isGood ? "succeeded" : "failed";
    this.#set({ running: this.#progress.running - 1, [place]: this.#progress[place] + 1 });
  }

  #set(change: Partial<Progress>): void {
    this.#progress = { ...this.#progress, ...change };
    tell(this.#listener, this.#progress);
  }
}
