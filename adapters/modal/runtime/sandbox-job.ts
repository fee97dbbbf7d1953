import type { Readable, Transform } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandEnd, RunningJob } from "../../../src/launch/index.ts";
import { noShimExitCode } from "../shim/index.ts";
import type { ProcessLike, SandboxLike } from "./client.ts";
import { isTransient } from "./failures.ts";
import { type Relay, relay } from "./relay.ts";
import type { ShimGuard } from "./shim-guard.ts";

/** How long Modal may be out of reach before a job counts as lost. */
const outageMs = 15 * 60_000;
/** The same after the job was asked to end. */
const outageWhenStoppedMs = 20_000;
/** How long output may fail to come after the end of the job. */
const restMs = 20_000;
const restWhenStoppedMs = 1_000;
/** Within this time after the first output the guard must have told that it runs. */
const guardMs = 3_000;

export interface SandboxJobOptions {
  readonly sandbox: SandboxLike;
  /** The command, if it is not the sandbox's own. */
  readonly process: ProcessLike | undefined;
  /** A new handle for the same sandbox, to read its output from the start. */
  readonly reopen: () => Promise<SandboxLike>;
  /** The time limit of the sandbox, and when it began. */
  readonly timeoutMs: number;
  readonly startedAt: number;
  readonly onNotice: (notice: string) => void;
  /** The guard inside the container, if there is to be one. */
  readonly guard: ShimGuard | undefined;
}

/** Signals that end a sandbox; it takes no others. */
const ending: ReadonlySet<NodeJS.Signals> = new Set([
  ...(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL", "SIGABRT"] as const),
]);
/** Of Ctrl-Z and `fg` only the launcher itself takes notice. */
const ignored: ReadonlySet<NodeJS.Signals> = new Set(["SIGCONT"]);

/** A job in a sandbox. */
export class SandboxJob implements RunningJob {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<CommandEnd>;
  readonly #options: SandboxJobOptions;
  readonly #relays: readonly Relay[];
  readonly #told = new Set<string>();
  #stoppedAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #state: { isOver: boolean } = { isOver: false };

  constructor(options: SandboxJobOptions) {
    this.#options = options;
    const [stdout, stderr] = (["stdout", "stderr"] as const).map((name) => {
      let first: SandboxLike | ProcessLike | undefined = options.process ?? options.sandbox;
      return relay({
        open: async () => {
          const from = first ?? (await options.reopen());
          // Output of a process has no second reader.
          if (options.process === undefined) first = undefined;
          return from[name];
        },
        outageMs: options.process === undefined ? outageMs : 0,
        onFirst: () => this.#expectGuard(),
        onLost: () => this.#tell(`a part of the job's ${name} was lost on the way from Modal`),
      });
    }) as [Relay, Relay];
    this.#relays = [stdout, stderr];
    this.stdout = stdout.stream;
    const { guard } = options;
    this.stderr = guard === undefined ? stderr.stream : through(stderr.stream, guard.filter);
    this.ended = this.#follow();
  }

  kill(signal: NodeJS.Signals): void {
    if (ending.has(signal)) this.#stop();
    else if (!ignored.has(signal)) {
      this.#tell(`a sandbox of Modal takes no ${signal}; the job does not notice it`);
    }
  }

  /** The sandbox is gone with all that ran in it. */
  async cleanUp(): Promise<number> {
    if (!this.#state.isOver || this.#options.process !== undefined) await this.#terminate();
    for (const each of this.#relays) each.giveUp();
    this.#options.sandbox.detach();
    return 0;
  }

  #tell(notice: string): void {
    if (this.#told.has(notice)) return;
    this.#told.add(notice);
    this.#options.onNotice(notice);
  }

  /** Output without a word of the guard: it does not run. */
  #expectGuard(): void {
    const { guard } = this.#options;
    if (guard === undefined) return;
    this.#timer ??= setTimeout(() => this.#tellOfGuard(), guardMs).unref();
  }

  #tellOfGuard(): void {
    const { guard } = this.#options;
    if (guard === undefined || guard.hasStarted) return;
    this.#tell(
      "there is no Python 3.8 or later in the image, so output was masked here, but not before Modal stored it",
    );
  }

  #stop(): void {
    if (this.#stoppedAt !== undefined) return;
    this.#stoppedAt = performance.now();
    void this.#terminate();
  }

  /** Asks until the sandbox is told to end, or is gone. */
  async #terminate(): Promise<void> {
    const begun = performance.now();
    for (let pauseMs = 100; performance.now() - begun < outageWhenStoppedMs; pauseMs *= 2) {
      try {
        await this.#options.sandbox.terminate();
        return;
      } catch (error) {
        if (this.#state.isOver || !isTransient(error)) return;
      }
      await sleep(Math.min(pauseMs, 2_000));
    }
  }

  async #follow(): Promise<CommandEnd> {
    const code = await this.#exitCode();
    this.#state.isOver = true;
    if (code === null) {
      this.#tell(
        `Modal cannot be reached any more; sandbox ${this.#options.sandbox.sandboxId} ends by its time limit at the latest, nopeek doctor shows it`,
      );
      for (const each of this.#relays) each.giveUp();
      return { code: 125, by: "lost" };
    }
    await this.#drain();
    clearTimeout(this.#timer);
    const { guard } = this.#options;
    const wasStopped = this.#stoppedAt !== undefined || code === 124 || code === 137;
    // 78 without a guard: it was required, and the image says so itself.
    if (!wasStopped && code !== noShimExitCode) this.#tellOfGuard();
    if (guard?.end !== undefined && !wasStopped) return guard.end;
    if (
      code === 124 &&
      performance.now() - this.#options.startedAt > this.#options.timeoutMs - 1000
    ) {
      return { code, by: "timeout" };
    }
    return code === 137 ? { signal: "SIGKILL" } : { code };
  }

  /** The exit code; `null` if it cannot be learnt. */
  async #exitCode(): Promise<number | null> {
    const { sandbox, process: command } = this.#options;
    let failedAt: number | undefined;
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      const asked = performance.now();
      try {
        if (command !== undefined) {
          return await Promise.race([endOf(command, sandbox), this.#gone(sandbox)]);
        }
        return await sandbox.wait();
      } catch (error) {
        const now = performance.now();
        // A wait that lasted had answers in between.
        if (now - asked > 30_000) failedAt = undefined;
        failedAt ??= now;
        const limitMs = this.#stoppedAt === undefined ? outageMs : outageWhenStoppedMs;
        if (!isTransient(error) || now - failedAt > limitMs) return null;
      }
      await sleep(pauseMs);
    }
  }

  /** The sandbox ended around its command. */
  async #gone(sandbox: SandboxLike): Promise<number | null> {
    const code = await sandbox.wait();
    // The command's own end tells more, if it is known.
    await sleep(500);
    return code;
  }

  /** Waits until the output is here, as long as it moves or its reader takes time. */
  async #drain(): Promise<void> {
    const endedAt = performance.now();
    let isDrained = false;
    const drained = Promise.all(this.#relays.map(({ done }) => done)).then(() => {
      isDrained = true;
    });
    while (!isDrained) {
      await Promise.race([drained, sleep(50)]);
      const limitMs = this.#stoppedAt === undefined ? restMs : restWhenStoppedMs;
      const now = performance.now();
      for (const each of this.#relays) {
        const { waitingSince } = each;
        if (waitingSince === null || now - Math.max(waitingSince, endedAt) < limitMs) continue;
        this.#tell("the end of the job's output did not come from Modal; it is not waited for");
        each.giveUp();
      }
    }
  }
}

/** How a command ended; if its sandbox ended around it, how that did. */
async function endOf(command: ProcessLike, sandbox: SandboxLike): Promise<number | null> {
  const code = await command.wait();
  if (code <= 128) return code;
  return (await sandbox.poll().catch(() => null)) ?? code;
}

/** The filter in front of the reader; it ends as the source does. */
function through(source: Readable, filter: Transform): Readable {
  filter.on("close", () => source.destroy());
  return source.pipe(filter);
}
