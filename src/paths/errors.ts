/**
 * The one error of this folder and the closed list of its codes.
 *
 * Every refusal that the guard itself makes is a `PathError`. What the operating system refuses
 * (`ENOENT`, `EEXIST`, ...) stays an ordinary system error, rebuilt so that it shows the path that
 * the caller gave and no descriptor.
 */

/** Every error code, with what it stands for. */
export const pathErrorCodes = {
  // A path
  PATH_INVALID: "the path holds a name that some platform or decoder reads as something else",
  PATH_ESCAPE: "the path, or a link on it, leads out of the root",
  PATH_SYMLINK: "there is a symbolic link on the path and the root refuses links",
  PATH_SPECIAL_FILE: "the path names a FIFO, a socket or a device",
  PATH_HARD_LINK: "the file has further names, perhaps outside the root",
  PATH_CROSSES_MOUNT: "another file system is mounted on the path and the root refuses that",
  PATH_READ_ONLY: "the root or mount is declared read-only",
  PATH_CHANGED: "somebody changed the path while it was looked up; try again",
  PATH_OPTION_INVALID: "an option or argument is unknown or has a wrong type",
  // A root
  ROOT_INVALID: "the root is not an absolute, canonical path, or is no folder",
  ROOT_UNRESTRICTED: "the root is the whole file system, which restricts nothing",
  ROOT_CLOSED: "the root was closed",
  ROOT_WEAK: "this platform cannot exclude races, and the root does not allow that",
  // A mount
  MOUNT_INVALID: "a mount has a wrong path, source or option",
  MOUNT_NOT_CANONICAL: "a mount path or subPath is not absolute or not in its shortest form",
  MOUNT_RESERVED: "a mount would hide a part of the system or of the runtime",
  MOUNT_OVERLAP: "a mount lies inside another one",
  MOUNT_DUPLICATE: "two mounts have the same path or variable",
  MOUNT_SOURCE_REUSED: "two mounts have the same source, so the second could undo readOnly",
  MOUNT_UNDECLARED: "the path is under no declared mount or outside the allowed trees",
  MOUNT_NOT_LOCAL: "the mount declares no local folder to open",
} as const;

/** A stable error code: switch on it, not on the message. */
export type PathErrorCode = keyof typeof pathErrorCodes;

/**
 * A refusal of the path guard. Its message quotes a path only escaped and cut, and holds no other
 * value.
 *
 * @example
 * try {
 *   await root.readFile(userInput);
 * } catch (error) {
 *   if (error instanceof PathError && error.code === "PATH_ESCAPE") reject();
 * }
 */
export class PathError extends Error {
  override readonly name: string = "PathError";
  readonly code: PathErrorCode;
  readonly #path: string | undefined;

  constructor(code: PathErrorCode, message: string, path?: unknown) {
    super(path === undefined ? message : `${message}: ${quote(path)}`);
    this.code = code;
    this.#path = typeof path === "string" ? path : undefined;
  }

  /** The path as it was given. It may hold control characters: do not print it. */
  get path(): string | undefined {
    return this.#path;
  }
}

const longestQuote = 120;

/** A path that is safe in a log: quoted, escaped to printable ASCII, cut. */
export function quote(path: unknown): string {
  if (typeof path !== "string") return `(${path === null ? "null" : typeof path})`;
  const cut = path.length > longestQuote ? `${path.slice(0, longestQuote)}...` : path;
  return JSON.stringify(cut).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
