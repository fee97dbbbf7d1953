import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { SecretError } from "../secrets/index.ts";
import { bindMounts } from "./mounts.ts";
import { closeWriters, openPipes } from "./pipes.ts";
import { endProcesses, signalStrays } from "./processes.ts";
import type { CommandEnd, Job, RunningJob, Runtime } from "./runtime.ts";
import { sweepSecretFiles, writeSecretFiles } from "./secret-files.ts";

/**
 * Runs jobs as processes of this machine: without a shell, in a process group of their own, with
 * the standard input of the launcher.
 *
 * @example
 * await launch({ on: local(), command: ["python", "train.py"], secrets, from });
 */
export function local(): Runtime {
  return { name: "local", isLocal: true, start };
}

async function start(job: Job): Promise<RunningJob> {
  if (/child_process|\*/i.test(process.env["NODE_DEBUG"] ?? "")) {
    throw new SecretError(
      "LAUNCH_FAILED",
      "NODE_DEBUG makes Node print the whole environment of a job; unset it",
    );
  }
  sweepSecretFiles();
  const files = job.secrets.filter(({ as }) => as === "file");
  const mounts = await bindMounts(job.mounts);
  const written = files.length === 0 ? null : writeSecretFiles(files);
  const free = () => {
    written?.remove();
    mounts.close();
  };
  try {
    for (const [name, value] of Object.entries(job.env)) asVariable(name, Buffer.from(value));
    const env: Record<string, string> = { ...job.env, ...mounts.variables, ...written?.paths };
    for (const { name, value, as } of job.secrets)
      if (as === "env") env[name] = asVariable(name, value);
    const started = await spawnChild(job, env);
    return runningJob(job, started, free);
  } catch (error) {
    free();
    throw error;
  }
}

/** Linux takes at most 128 KiB for one variable, with its name. */
const maxVariableBytes = 128 * 1024;

/** What the operating system would refuse is refused here: Node's own errors quote the value. */
function asVariable(name: string, value: Uint8Array): string {
  const text = Buffer.from(value).toString("utf8");
  if (text.includes("\0") || !Buffer.from(text).equals(value)) {
    throw new SecretError(
      "SECRET_NOT_TEXT",
      `${name} holds bytes that no variable can hold; declare it with as: "file"`,
    );
  }
  if (value.length + name.length + 2 > maxVariableBytes) {
    throw new SecretError(
      "LAUNCH_FAILED",
      `${name} is too long for a variable (128 KiB); declare it with as: "file"`,
    );
  }
  return text;
}

interface Started {
  readonly child: ChildProcess;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

async function spawnChild(job: Job, env: Record<string, string>): Promise<Started> {
  const [program, ...args] = job.command;
  const pipes = openPipes(2);
  const [out, err] = pipes ?? [];
  try {
    let child: ChildProcess;
    try {
      child = spawn(program, args, {
        cwd: job.cwd,
        env,
        detached: true,
        shell: false,
        stdio: ["inherit", out?.writerFd ?? "pipe", err?.writerFd ?? "pipe"],
      });
      await once(child, "spawn");
    } catch (error) {
      throw await startError(job, env, (error as NodeJS.ErrnoException).code);
    }
    return { child, stdout: out?.reader ?? child.stdout, stderr: err?.reader ?? child.stderr };
  } catch (error) {
    for (const { reader } of pipes ?? []) reader.destroy();
    throw error;
  } finally {
    closeWriters(pipes ?? []);
  }
}

async function startError(
  job: Job,
  env: Record<string, string>,
  code: string | undefined,
): Promise<SecretError> {
  const [program] = job.command;
  if (job.cwd !== undefined && !(await isFolder(job.cwd))) {
    return new SecretError("FILE_NOT_FOUND", `the working directory ${job.cwd} does not exist`);
  }
  if (code === "E2BIG") {
    return new SecretError(
      "COMMAND_NOT_EXECUTABLE",
      "the arguments and variables are too long together",
    );
  }
  const isMissing = code === "ENOENT" || code === "ENOTDIR";
  if (isMissing && !(await isFound(program, job.cwd ?? ".", env["PATH"]))) {
    return new SecretError("COMMAND_NOT_FOUND", `${program}: command not found`);
  }
  const why = code === "ENOENT" ? "its interpreter does not exist" : (code ?? "no detail");
  return new SecretError("COMMAND_NOT_EXECUTABLE", `${program}: cannot be executed (${why})`);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

async function isFound(program: string, cwd: string, path = "/usr/bin:/bin"): Promise<boolean> {
  const candidates = program.includes("/")
    ? [resolve(cwd, program)]
    : path.split(delimiter).map((folder) => join(resolve(cwd, folder), program));
  const exist = await Promise.all(
    candidates.map((candidate) =>
      access(candidate, constants.F_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return exist.includes(true);
}

function runningJob(
  job: Job,
  { child, stdout, stderr }: Started,
  removeFiles: () => void,
): RunningJob {
  const { pid } = child;
  if (pid === undefined || stdout === null || stderr === null) {
    throw new SecretError("LAUNCH_FAILED", "the command started without pipes");
  }
  const ended = new Promise<CommandEnd>((settle) => {
    child.once("exit", (code, signal) =>
      settle(signal === null ? { code: code ?? 0 } : { signal }),
    );
  });
  const strays = signalStrays(job.runId, pid);
  return {
    stdout,
    stderr,
    ended,
    kill(signal, reach) {
      try {
        process.kill(-pid, signal);
      } catch {
        // The group is gone.
      }
      if (reach === "everything") strays(signal);
    },
    async cleanUp(graceMs) {
      try {
        return await endProcesses(job.runId, pid, graceMs);
      } finally {
        removeFiles();
      }
    },
  };
}
