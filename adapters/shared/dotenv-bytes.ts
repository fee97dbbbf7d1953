import { open, realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { openRoot } from "../../src/paths/index.ts";
import { SecretError } from "../../src/secrets/index.ts";

const maxFileBytes = 1024 * 1024;

/** A dotenv file as bytes, and who may use it. */
export interface DotenvBytes {
  readonly bytes: Buffer;
  readonly isFile: boolean;
  readonly mode: number;
}

/**
 * Reads a dotenv file, or a pipe to its end. The user may name a link; what it leads to now is read,
 * and nothing that replaces it meanwhile.
 *
 * @param path - For messages.
 * @throws SecretError `FILE_NOT_FOUND`, `SECRET_ACCESS_DENIED`, `SECRET_UNREACHABLE`, or
 *   `SECRET_MALFORMED` for a folder and for more than 1 MiB.
 */
export async function readDotenvBytes(path: string, absolute: string): Promise<DotenvBytes> {
  let read: DotenvBytes;
  try {
    const info = await stat(absolute);
    read = {
      bytes: await readGuarded(absolute, info.isFile()),
      isFile: info.isFile(),
      mode: info.mode,
    };
  } catch (error) {
    throw fileError(path, (error as NodeJS.ErrnoException).code);
  }
  if (read.bytes.length <= maxFileBytes) return read;
  throw new SecretError("SECRET_MALFORMED", `${path} is larger than 1 MiB; that is no dotenv file`);
}

async function readGuarded(absolute: string, isFile: boolean): Promise<Buffer> {
  // A pipe such as /dev/fd/63 has no folder.
  if (!isFile) return await readUpToLimit(() => open(absolute));
  const real = await realpath(absolute);
  if (dirname(real) === "/") return await readUpToLimit(() => open(real));
  const root = await openRoot(dirname(real));
  try {
    return await readUpToLimit(() => root.open(basename(real)));
  } finally {
    await root.close();
  }
}

/** Reads a byte more than is allowed at most: a device such as /dev/zero has no end. */
async function readUpToLimit(opened: () => ReturnType<typeof open>): Promise<Buffer> {
  const handle = await opened();
  try {
    const chunks: Buffer[] = [];
    for (let left = maxFileBytes + 1; left > 0; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(left, 65_536)), 0);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

function fileError(path: string, code: string | undefined): SecretError {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new SecretError("FILE_NOT_FOUND", `${path} does not exist; check the path`);
    case "EACCES":
    case "EPERM":
      return new SecretError(
        "SECRET_ACCESS_DENIED",
        `${path} cannot be read by this user; check its owner and mode`,
      );
    case "EISDIR":
      return new SecretError("SECRET_MALFORMED", `${path} is a folder, not a dotenv file`);
    default:
      return new SecretError(
        "SECRET_UNREACHABLE",
        `${path} cannot be read (${code ?? "no detail"})`,
      );
  }
}
