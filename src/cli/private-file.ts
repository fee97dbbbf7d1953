import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { openRootSync, PathError } from "../paths/index.ts";
import { SecretError } from "../secrets/index.ts";

/**
 * Opens a file for writing that only this user may read, beneath its folder: no link is followed and
 * no file with further names is touched.
 *
 * @param flags - `wx`: a new file; `a`: append.
 * @param option - For messages.
 * @returns The descriptor.
 * @throws SecretError `USAGE`.
 */
export function openPrivate(file: string, flags: "wx" | "a", option: string): number {
  return within(file, option, (root, name) => root.openSync(name, flags, 0o600));
}

/** Removes a regular file, if there is one, and says whether its folder can be written. */
export function replaceable(file: string, option: string): void {
  within(file, option, (root, name) => {
    try {
      const info = root.lstatSync(name);
      if (!info.isFile())
        throw new SecretError("USAGE", `${option} ${file} exists and is no regular file`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    root.accessSync(".", 2);
  });
}

/** Removes a file beneath its folder; a missing one is none to remove. */
export function removeFile(file: string, option: string): void {
  within(file, option, (root, name) => root.rmSync(name, { force: true }));
}

/**
 * Refuses one file in two parts: a log would replace a dotenv file, or events end in an unlinked one.
 *
 * @param files - By what they are named with.
 * @throws SecretError `USAGE`.
 */
export function assertDistinct(
  files: readonly (readonly [option: string, file: string | undefined])[],
): void {
  const seen = new Map<string, string>();
  for (const [option, file] of files) {
    if (file === undefined) continue;
    const identity = identityOf(file);
    const other = seen.get(identity);
    if (other !== undefined && other !== option) {
      throw new SecretError(
        "USAGE",
        `${other} and ${option} name the same file; give them files of their own`,
      );
    }
    seen.set(identity, option);
  }
}

function identityOf(file: string): string {
  const info = statSync(file, { throwIfNoEntry: false });
  return info?.isFile() === true ? `${info.dev}:${info.ino}` : resolve(file);
}

type RootSync = ReturnType<typeof openRootSync>;

function within<T>(file: string, option: string, work: (root: RootSync, name: string) => T): T {
  try {
    const path = resolve(file);
    const folder = realpathSync(dirname(path));
    if (folder === "/")
      throw new SecretError("USAGE", `${option} ${file}: name a file in a folder, not in /`);
    const root = openRootSync(folder, { names: "native", weak: "allow" });
    try {
      return work(root, basename(path));
    } finally {
      root.closeSync();
    }
  } catch (error) {
    if (error instanceof SecretError) throw error;
    const reason =
      error instanceof PathError ? error.message : (error as NodeJS.ErrnoException).code;
    throw new SecretError(
      "USAGE",
      `${option} ${join(file)} cannot be written: ${reason ?? "no detail"}`,
    );
  }
}
