import { realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { SecretError } from "../secrets/index.ts";

const groupWrite = 0o020;
const othersWrite = 0o002;

/**
 * Refuses a configuration that somebody else could have written: it decides which program gets
 * which secret, and a TypeScript one is code.
 *
 * @param options - `named`: the user named the file, so a foreign owner is meant.
 * @throws SecretError `FILE_UNSAFE`, with the command that repairs it.
 */
export function assertSafe(file: string, options: { named: boolean }): void {
  const real = realpathSync(file);
  for (const path of new Set([file, dirname(file), real, dirname(real)])) {
    const info = statSync(path);
    if ((info.mode & othersWrite) !== 0) {
      throw unsafe(path, "can be written by every user", `run: chmod o-w ${path}`);
    }
    if ((info.mode & groupWrite) !== 0 && !isPrivateGroup(info)) {
      throw unsafe(path, "can be written by its group", `run: chmod g-w ${path}`);
    }
    const uid = process.getuid?.();
    if (!options.named && uid !== undefined && info.uid !== uid && info.uid !== 0) {
      throw unsafe(path, "belongs to another user", `if you trust it, name it: --config ${file}`);
    }
  }
}

/** By convention the group that is a user's own has the user's number. */
function isPrivateGroup(info: Stats): boolean {
  return info.gid === info.uid;
}

function unsafe(path: string, why: string, remedy: string): SecretError {
  return new SecretError("FILE_UNSAFE", `${path} ${why}, so it is not used; ${remedy}`);
}
