import { PathError, type PathErrorCode, quote } from "./errors.ts";
import { type LocalPath, splitLocal } from "./local-path.ts";
import type { SafePath } from "./safe-join.ts";

/** What mounts a launch may have at all. */
export interface MountPolicy {
  /** Mounts may only lie in these trees, such as `["/data", "/mnt"]` (default: anywhere else). */
  readonly within?: readonly string[] | undefined;
  /** Paths that are reserved by default and allowed here, exactly. */
  readonly allowReserved?: readonly string[] | undefined;
  /** Whether a mount may lie inside another one (default: `refuse`). */
  readonly nested?: "refuse" | "allow" | undefined;
  /** The folder that relative `dir`s are meant from (default: they are refused). */
  readonly base?: string | undefined;
}

/** A path inside a container may not be one of these itself. */
const reservedPaths = [
  ..."/ /root /tmp /home /var /opt /srv".split(" "),
  ..."/var/lib /var/log /var/tmp /var/cache".split(" "),
] as const;

/** Neither one of these nor anything below: parts of the system, and credentials. */
const systemTrees = [
  ..."/proc /sys /dev /run /var/run /var/spool /etc /boot /bin /sbin /usr".split(" "),
  ..."/lib /lib32 /lib64 /libx32 /snap /nix /lost+found".split(" "),
  ..."/root/.ssh /root/.aws /root/.gnupg /root/.kube /root/.docker /root/.config".split(" "),
  ..."/root/.netrc /root/.modal.toml /root/.bashrc /root/.profile /root/.local".split(" "),
] as const;

/** Neither one of these nor anything below, whatever a policy says: the runtime lives there. */
const runtimeTrees = ["/__modal", "/pkg"] as const;

/** No separator of any tool, and no letter that only looks like another one. */
const componentPattern = /^[A-Za-z0-9_.][A-Za-z0-9_.+@=-]*$/;
const longestMountPath = 1024;
const deepestMountPath = 16;

/** An error of one mount; its message starts with the mount. */
export function mountError(code: PathErrorCode, mountPath: unknown, why: string): PathError {
  return new PathError(code, `mount ${quote(mountPath)}: ${why}`);
}

/**
 * Checks where a mount goes in the container.
 *
 * @throws {@link PathError} `MOUNT_INVALID`, `MOUNT_NOT_CANONICAL`, `MOUNT_RESERVED`,
 *   `MOUNT_UNDECLARED`.
 */
export function checkMountPath(path: string, policy: MountPolicy): SafePath {
  checkContainerPath(path, path);
  // Some file systems do not tell capitals from small letters.
  const folded = foldPath(path);
  const refuse = (why: string) => mountError("MOUNT_RESERVED", path, why);
  if (policy.allowReserved?.includes(path) !== true) {
    if (reservedPaths.some((reserved) => folded === reserved)) {
      throw refuse("this path is reserved; mount below it or elsewhere");
    }
    const tree = systemTrees.find((reserved) => isUnder(folded, reserved));
    if (tree !== undefined) throw refuse(`${tree} belongs to the system of the container`);
  }
  const tree = runtimeTrees.find((reserved) => isUnder(folded, reserved));
  if (tree !== undefined) throw refuse(`${tree} belongs to the runtime of the container`);
  const { within } = policy;
  if (within !== undefined && !within.some((allowed) => isUnder(path, allowed))) {
    const trees = within.join(", ") || "no tree at all";
    throw mountError("MOUNT_UNDECLARED", path, `outside of what the policy allows: ${trees}`);
  }
  return path as SafePath;
}

/** Checks the form of a path in a container: absolute and canonical, of plain characters. */
export function checkContainerPath(path: string, mount: string): void {
  if (path === "/") {
    throw mountError("MOUNT_RESERVED", mount, "the root of the container cannot be a mount");
  }
  if (!path.startsWith("/")) {
    throw mountError("MOUNT_NOT_CANONICAL", mount, "the path must be absolute");
  }
  const parts = path.slice(1).split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) {
    const why =
      'the path must be in its shortest form, without "//", ".", ".." or a slash at the end';
    throw mountError("MOUNT_NOT_CANONICAL", mount, why);
  }
  if (!parts.every((part) => componentPattern.test(part) && !part.endsWith("."))) {
    throw mountError("MOUNT_INVALID", mount, "the path may only hold letters, digits and _.+@=-");
  }
  if (path.length > longestMountPath || parts.length > deepestMountPath) {
    throw mountError("MOUNT_INVALID", mount, "the path is too long or too deep");
  }
}

/**
 * Checks a folder inside a source: `users/me`, or `/users/me` as Modal's documentation writes it.
 *
 * @throws {@link PathError} `MOUNT_INVALID`, `MOUNT_NOT_CANONICAL`.
 */
export function checkInnerPath(path: unknown, mount: string, option: string): LocalPath {
  if (typeof path !== "string") {
    throw mountError("MOUNT_INVALID", mount, `${option} must be text`);
  }
  const relative = path.replace(/^\//, "");
  if (relative === "") {
    throw mountError("MOUNT_INVALID", mount, `${option} is empty; leave it out to mount the whole`);
  }
  let canonical: string;
  try {
    canonical = splitLocal(relative, "posix").join("/");
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    const why = `${option} must be a plain path inside the source, without ".." and encodings`;
    throw mountError(
      error.code === "PATH_ESCAPE" ? "MOUNT_NOT_CANONICAL" : "MOUNT_INVALID",
      mount,
      why,
    );
  }
  if (canonical !== relative.replace(/\/$/, "")) {
    throw mountError("MOUNT_NOT_CANONICAL", mount, `${option} must be in its shortest form`);
  }
  return canonical as LocalPath;
}

/** The same for paths that some file system takes for the same. */
export function foldPath(path: string): string {
  return path.normalize("NFKC").toLowerCase();
}

/** Whether a canonical path is the tree or below it. */
export function isUnder(path: string, tree: string): boolean {
  return path === tree || path.startsWith(`${tree}/`);
}
