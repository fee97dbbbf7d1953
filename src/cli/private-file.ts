import { realpathSync } from "node:fs";
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

type RootSync = ReturnType<typeof openRootSync>;

function within<T>(file: string, option: string, work: (root: RootSync, name: string) => T): T {
  try {
    const path = resolve(file);
    const folder = realpathSync(dirname(path));
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
