/** Runs a file of this repository with the built package, as its users run theirs. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

const root = resolve(import.meta.dirname, "../..");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @param file - Path below the repository. TypeScript may have no types in it: it is given to Node
 *   as it is.
 * @param env - All of its environment.
 */
export async function runFile(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  nodeArgs: readonly string[] = [],
): Promise<Ended> {
  const flags = [...nodeArgs, "--input-type=module", "-"];
  const child = spawn(process.execPath, [...flags, ...args], { cwd: root, env, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin.end(await readFile(join(root, file)));
  const closed = new Promise<number | null>((settle) => child.on("close", settle));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await closed, stdout, stderr };
}
