/** Runs commands in the shim as a sandbox does: as a process, with an environment of its own. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import {
  createRecordFilter,
  newShimKey,
  type ShimRecord,
  shimKeyVariable,
  type WrapOptions,
  wrapCommand,
} from "../../../adapters/modal/shim/index.ts";

/** Of other versions of Python, the folder with their `python3` is given. */
const folders = [process.env["NOPEEK_TEST_PYTHON"], "/usr/local/bin", "/usr/bin", "/bin"];
export const path = folders.filter((folder) => folder !== undefined).join(":");

export const python = "python3";
export const whyNoPython =
  spawnSync(python, ["-c", "import sys;sys.exit(sys.version_info<(3,8))"], {
    env: { PATH: path },
  }).status === 0
    ? null
    : "needs Python 3.8 or later";

export interface ShimRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  /** Without the records. */
  readonly stderr: Buffer;
  /** With them. */
  readonly rawStderr: Buffer;
  readonly records: readonly ShimRecord[];
}

export interface ShimOptions extends Partial<WrapOptions> {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `null` leaves the input open. */
  readonly input?: string | Buffer | null;
  readonly cwd?: string;
  readonly user?: { readonly uid?: number; readonly gid?: number };
}

export const runId = "run-of-tests";
export const shimKey = newShimKey();

export type ShimProcess = ChildProcessWithoutNullStreams;

/** Starts it; the variables of `env` that `declared` does not name are like those of an image. */
export function startInShim(options: ShimOptions): ShimProcess {
  const { env = {}, input = "", cwd = "/", user } = options;
  const [program = "", ...args] = wrapCommand({ declared: Object.keys(env), runId, ...options });
  const child = spawn(program, args, {
    env: { PATH: path, [shimKeyVariable]: shimKey.reveal(), ...env },
    stdio: "pipe",
    cwd,
    ...user,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => undefined);
  if (input !== null) child.stdin.end(input);
  return child;
}

/** Waits for its end. */
export async function endOfShim(child: ShimProcess, { keepStdout = true } = {}): Promise<ShimRun> {
  const records: ShimRecord[] = [];
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((settle) => {
    child.on("close", (code, signal) => settle([code, signal]));
  });
  const onRecord = (record: ShimRecord) => void records.push(record);
  const filter = createRecordFilter({ key: shimKey, runId, onRecord });
  const raw = child.stderr.pipe(new PassThrough());
  const [stdout, stderr, rawStderr] = await Promise.all([
    keepStdout ? buffer(child.stdout) : Buffer.alloc(0),
    buffer(child.stderr.pipe(filter)),
    buffer(raw),
  ]);
  const [code, signal] = await ended;
  return { code, signal, stdout, stderr, rawStderr, records };
}

/** Runs a command in the shim to its end. */
export function runInShim(options: ShimOptions): Promise<ShimRun> {
  return endOfShim(startInShim(options));
}

/** A command: a line of the shell, or a Python program. */
export const sh = (line: string): string[] => ["sh", "-c", line];
export const py = (program: string): string[] => [python, "-u", "-c", program];

/** Waits until a stream has said something. */
export async function until(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  let seen = "";
  stream.on("data", (chunk) => {
    seen += chunk;
  });
  while (!seen.includes(text)) await once(stream, "data");
}

export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
