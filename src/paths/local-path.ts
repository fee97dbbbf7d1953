import { posix, win32 } from "node:path";
import { PathError } from "./errors.ts";
import { checkName, checkText, type NameProfile } from "./name-rules.ts";

declare const brand: unique symbol;

/** A relative path that cannot leave the folder it is joined to, as far as its text goes. */
export type LocalPath = string & { readonly [brand]: "LocalPath" };

const longestPathBytes = 4095;
const deepestPath = 64;

/**
 * Splits a relative path into checked components; `.` and repeated slashes vanish.
 *
 * @throws {@link PathError} `PATH_INVALID`, `PATH_ESCAPE`.
 */
export function splitLocal(path: unknown, profile: NameProfile = "portable"): string[] {
  checkText(path);
  if (path.length > longestPathBytes) {
    throw new PathError("PATH_INVALID", `a path is longer than ${longestPathBytes} bytes`, path);
  }
  if (posix.isAbsolute(path) || win32.isAbsolute(path) || /^[A-Za-z]:/.test(path)) {
    throw new PathError("PATH_ESCAPE", "a relative path is needed and this one is not", path);
  }
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.length === 0) throw new PathError("PATH_INVALID", "the path names nothing", path);
  if (parts.length > deepestPath) {
    throw new PathError("PATH_INVALID", `a path is deeper than ${deepestPath} folders`, path);
  }
  if (parts[0]?.startsWith("~")) {
    throw new PathError("PATH_INVALID", 'a path may not start with "~", which shells expand', path);
  }
  for (const part of parts) checkName(part, profile, path);
  return parts;
}

/**
 * Whether a path stays inside whatever folder it is joined to, on every platform and however it
 * is decoded. Like Go's `filepath.IsLocal`, but stricter: no `..` at all. Text only: what links do
 * is for `openRoot`.
 *
 * @example
 * isLocalPath("shards/model-00001.safetensors"); // true
 * isLocalPath("..%2fetc/passwd"); // false
 */
export function isLocalPath(path: unknown): path is LocalPath {
  try {
    splitLocal(path);
    return true;
  } catch (error) {
    if (error instanceof PathError) return false;
    throw error;
  }
}
