import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ContainerProcess, endStatus } from "./processes.ts";

/** The program that the client executes in a sandbox to read and write files. */
export const fileToolPath = "/__modal/.bin/modal-sandbox-fs-tools";

type Request = Readonly<Partial<Record<"ReadFile" | "WriteFile", { readonly path: string }>>>;

/**
 * Does what the file tool does, in the folder that stands for the sandbox's file system.
 *
 * @param input - All that is written to its stdin.
 */
export async function runFileTool(
  command: ContainerProcess,
  rootDir: string,
  argument: string,
  input: Promise<Uint8Array>,
): Promise<void> {
  const request = JSON.parse(argument) as Request;
  const path = join(rootDir, request.ReadFile?.path ?? request.WriteFile?.path ?? "");
  try {
    if (request.ReadFile !== undefined) command.stdout.push(readFileSync(path));
    else if (request.WriteFile !== undefined) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, await input);
    } else return refuse(command, "NotSupported", "not served by the test server");
  } catch {
    return refuse(command, "NotFound", "No such file");
  }
  command.end({ status: endStatus.success, exitcode: 0 });
}

function refuse(command: ContainerProcess, kind: string, message: string): void {
  command.stderr.push(Buffer.from(JSON.stringify({ error_kind: kind, message, detail: "" })));
  command.end({ status: endStatus.failure, exitcode: 1 });
}
