import { SecretError } from "../../../src/secrets/index.ts";
import type { SandboxLike } from "./client.ts";
import { isTransient, launchFailure } from "./failures.ts";

/** A file that goes into a sandbox. */
export interface Upload {
  /** Absolute. */
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

async function writeFile(sandbox: SandboxLike, { path, bytes }: Upload): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await sandbox.filesystem.writeBytes(bytes, path);
    } catch (error) {
      // Writing the whole file once more does no harm.
      if (attempt === 3 || !isTransient(error)) throw launchFailure(error, `the upload of ${path}`);
    }
  }
}

async function setModes(sandbox: SandboxLike, uploads: readonly Upload[]): Promise<void> {
  const byMode = new Map<number, string[]>();
  for (const { path, mode } of uploads) {
    if (mode !== undefined) byMode.set(mode, [...(byMode.get(mode) ?? []), path]);
  }
  for (const [mode, paths] of byMode) {
    for (let rest = paths; rest.length > 0; ) {
      let length = 0;
      const fits = rest.findIndex((path) => {
        length += path.length;
        return length > maxCommandLength;
      });
      const count = fits === -1 ? rest.length : Math.max(1, fits);
      await changeMode(sandbox, mode, rest.slice(0, count));
      rest = rest.slice(count);
    }
  }
}

async function changeMode(sandbox: SandboxLike, mode: number, paths: string[]): Promise<void> {
  let code: number;
  try {
    const command = await sandbox.exec(["chmod", mode.toString(8), ...paths]);
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
