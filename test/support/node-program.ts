/** Runs a program given as text with the built package, as its users run theirs. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { root } from "./command.ts";

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  readonly kind?: "module" | "commonjs";
}

/** The program gets this environment and nothing else. */
export async function runProgram(
  program: string,
  { env = {}, nodeArgs = [], kind = "module" }: ProgramOptions = {},
): Promise<Ran> {
  const flags = [...nodeArgs, `--input-type=${kind}`, "-"];
  const child = spawn(process.execPath, flags, {
    cwd: root,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: "pipe",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.end(program);
  const closed = new Promise<number | null>((settle) => child.on("close", settle));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await closed, stdout, stderr };
}
