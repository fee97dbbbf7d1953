import { SecretError } from "../../../src/secrets/index.ts";
import type { SandboxLike } from "./client.ts";
import { isTransient, launchFailure } from "./failures.ts";

/** A file that goes into a sandbox. */
export interface Upload {
  /** Absolute. */
  readonly folder: string;
  /** Below the folder. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Of the file, where it is not the usual one. */
  readonly mode?: number | undefined;
}

const atATime = 8;
/** The client takes no longer command. */
const maxCommandLength = 32_000;

/** Writes files into a sandbox, some at a time. */
export async function uploadAll(
  sandbox: SandboxLike,
  uploads: readonly Upload[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const waiting = [...uploads];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (signal?.aborted === true) throw abortedError();
      await writeFile(sandbox, next);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, uploads.length) }, worker));
  await setModes(sandbox, uploads);
}

export function abortedError(): SecretError {
  return new SecretError("SECRET_ABORTED", "the launch was given up while the job was starting");
}

async function writeFile(sandbox: SandboxLike, { folder, path, bytes }: Upload): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sandbox.filesystem.writeBytes(bytes, `${folder}/${path}`);
    } catch (error) {
      // Writing the whole file once more does no harm.
      if (attempt === 3 || !isTransient(error)) throw launchFailure(error, `the upload of ${path}`);
    }
  }
}

async function setModes(sandbox: SandboxLike, uploads: readonly Upload[]): Promise<void> {
  const groups = new Map<string, { folder: string; mode: number; paths: string[] }>();
  for (const { folder, path, mode } of uploads) {
    if (mode === undefined) continue;
    const key = `${mode} ${folder}`;
    const group = groups.get(key) ?? { folder, mode, paths: [] };
    group.paths.push(`./${path}`);
    groups.set(key, group);
  }
  for (const { folder, mode, paths } of groups.values()) {
    for (const part of partsOf(paths)) await changeMode(sandbox, folder, mode, part);
  }
}

/** As many at a time as a command can take. */
function* partsOf(paths: readonly string[]): Generator<string[]> {
  let part: string[] = [];
  let length = 0;
  for (const path of paths) {
    if (part.length > 0 && length + path.length > maxCommandLength) {
      yield part;
      [part, length] = [[], 0];
    }
    part.push(path);
    length += path.length;
  }
  yield part;
}

async function changeMode(
  sandbox: SandboxLike,
  folder: string,
  mode: number,
  paths: string[],
): Promise<void> {
  let code: number;
  try {
    const command = await sandbox.exec(["chmod", mode.toString(8), ...paths], { workdir: folder });
    code = await command.wait();
  } catch (error) {
    throw launchFailure(error, "the mode of uploaded files");
  }
  if (code !== 0) {
    throw new SecretError(
      "LAUNCH_FAILED",
      "the mode of uploaded files cannot be set; the image needs chmod",
    );
  }
}
