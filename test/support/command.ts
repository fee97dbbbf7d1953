/** Runs the built command as a user does: as a child process. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";

export const root = resolve(import.meta.dirname, "../..");
export const bin = join(root, "dist/src/cli/bin.js");

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Buffer;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly input?: string | Buffer;
}

const basicEnv = { PATH: process.env["PATH"] ?? "", HOME: tmpdir() };

/** Starts `nopeek` with these arguments and an environment of its own. */
export function start(
  args: readonly string[],
  options: CommandOptions = {},
): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, ["--", bin, ...args], {
    cwd: options.cwd ?? emptyFolder(),
    env: { ...basicEnv, ...options.env },
    stdio: "pipe",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  return child;
}

/** Waits until a started command ended and gives what it wrote. */
export async function finish(child: ChildProcessWithoutNullStreams): Promise<Finished> {
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((settle) => {
    child.on("close", (code, signal) => settle([code, signal]));
  });
  const [bytes, errors] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  const [code, signal] = await closed;
  return { code, signal, bytes, stdout: bytes.toString(), stderr: errors.toString() };
}

/** The first line that a started command writes; what may become a secret comes a little later. */
export function firstLine(child: ChildProcessWithoutNullStreams): Promise<string> {
  let text = "";
  return new Promise((settle) => {
    child.stdout.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) settle(text.slice(0, text.indexOf("\n")));
    });
  });
}

/** Runs `nopeek` to its end. */
export function nopeek(args: readonly string[], options: CommandOptions = {}): Promise<Finished> {
  return finish(start(args, options));
}

/** A folder that is removed after the test, with these files in it (0600). */
export function emptyFolder(files: Record<string, string | Buffer> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nopeek-test-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
  }
  return folder;
}

/** A job: a Node program given as text. */
export function job(program: string): string[] {
  return ["--", process.execPath, "-e", program];
}
