import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { ByteLog } from "./byte-log.ts";

/** How a command ended: the numbers of `GenericResult.GenericStatus`. */
export const endStatus = { success: 1, failure: 2, terminated: 3, timeout: 4 } as const;

/** How a command ended. */
export interface EndResult {
  readonly status: number;
  readonly exitcode: number;
}

/** What a container is asked to run. */
export interface CommandOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly timeoutMs?: number | undefined;
}

/** A command inside a sandbox: a real process, in a process group of its own. */
export class ContainerProcess {
  readonly stdout = new ByteLog();
  readonly stderr = new ByteLog();
  /** Settles when it has ended. */
  readonly ended: Promise<EndResult>;
  #result: EndResult | undefined;
  #settle: (result: EndResult) => void = () => undefined;
  #child: ChildProcessWithoutNullStreams | undefined;
  #timer: NodeJS.Timeout | undefined;
  #killedAs: number | undefined;
  /** A variable that every process of the container has. */
  #mark: string | undefined;

  /** Without a command it is idle until it is ended. */
  constructor(command: readonly string[] = [], options?: CommandOptions) {
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const taskId = options?.env["MODAL_TASK_ID"];
    if (taskId !== undefined) this.#mark = `MODAL_TASK_ID=${taskId}`;
    const timeoutMs = options?.timeoutMs ?? 0;
    if (timeoutMs > 0) this.#timer = setTimeout(() => this.kill(endStatus.timeout), timeoutMs);
    this.#timer?.unref();
    const [program, ...args] = command;
    if (program !== undefined && options !== undefined) this.#start(program, args, options);
  }

  get result(): EndResult | undefined {
    return this.#result;
  }

  write(data: Uint8Array): void {
    if (data.length > 0) this.#child?.stdin.write(data);
  }

  closeInput(): void {
    this.#child?.stdin.end();
  }

  /** Kills the process with all that it started. */
  kill(status: number = endStatus.terminated): void {
    this.#killedAs ??= status;
    const pid = this.#child?.pid;
    if (pid === undefined || this.#child?.exitCode !== null) {
      this.end({ status, exitcode: 137 });
      return;
    }
    killAll(-pid);
    // What left the group dies with the container too.
    if (this.#mark !== undefined) for (const left of carriersOf(this.#mark)) killAll(left);
  }

  end(result: EndResult): void {
    if (this.#result !== undefined) return;
    this.#result = result;
    clearTimeout(this.#timer);
    this.stdout.close();
    this.stderr.close();
    this.#settle(result);
  }

  #start(program: string, args: readonly string[], { env, cwd }: CommandOptions) {
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(program, args, { env, cwd, stdio: "pipe", detached: true });
    } catch {
      // Arguments that are too long, for example; the message may quote the environment.
      this.end({ status: endStatus.failure, exitcode: 126 });
      return;
    }
    this.#child = child;
    child.stdin.on("error", () => undefined);
    child.stdout.on("data", (data: Buffer) => this.stdout.push(data));
    child.stderr.on("data", (data: Buffer) => this.stderr.push(data));
    child.on("error", () => this.end({ status: endStatus.failure, exitcode: 127 }));
    child.on("close", (code) => this.end(this.#endOf(code)));
  }

  #endOf(code: number | null): EndResult {
    if (code === null) return { status: this.#killedAs ?? endStatus.failure, exitcode: 137 };
    return { status: code === 0 ? endStatus.success : endStatus.failure, exitcode: code };
  }
}

function killAll(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** The processes that have a variable, where /proc tells. */
function carriersOf(variable: string): number[] {
  const has = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(variable);
    } catch {
      return false;
    }
  };
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && has(name))
      .map(Number);
  } catch {
    return [];
  }
}
