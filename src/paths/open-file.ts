import * as fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { PathError } from "./errors.ts";
import type { HeldRoot } from "./held-root.ts";
import { checkName } from "./name-rules.ts";
import { type Steps, step } from "./steps.ts";
import { errnoOf, systemError } from "./system-error.ts";
import { changedMeanwhile, Link, type Place, reach, readTarget } from "./walk.ts";

const system = fs.constants;
const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = system;

/** The flags of `fs.open` in their usual spelling. */
const flagWords = {
  r: O_RDONLY,
  "r+": O_RDWR,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_EXCL,
  "w+": O_RDWR | O_CREAT | O_TRUNC,
  "wx+": O_RDWR | O_CREAT | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
  "a+": O_RDWR | O_CREAT | O_APPEND,
  "ax+": O_RDWR | O_CREAT | O_APPEND | O_EXCL,
} as const;

/** How to open a file: as in `fs.open`, or a number made of `fs.constants`. */
export type OpenFlags = keyof typeof flagWords | number;

/** Nothing else gets to the system: with `O_PATH`, say, a link itself could be opened. */
const knownFlags = [
  O_WRONLY | O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_APPEND,
  ...[system.O_SYNC, system.O_DSYNC, system.O_DIRECTORY, system.O_NOFOLLOW],
  ...[system.O_NONBLOCK, system.O_NOCTTY, system.O_NOATIME, system.O_DIRECT],
].reduce((all, flag) => all | (flag ?? 0), 0);
const writingFlags = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
/** Never through a link at the end, never a terminal of ours, never waiting for another process. */
const ownFlags = (system.O_NOFOLLOW ?? 0) | (system.O_NOCTTY ?? 0) | (system.O_NONBLOCK ?? 0);

/** A file in the form of the operation: a number on this thread, a handle on the thread pool. */
export type Opened = number | FileHandle;

/** Opens what a path below the root names. */
export function* openFile(
  root: HeldRoot,
  path: string,
  given: OpenFlags,
  mode: number,
): Steps<Opened> {
  const flags = numberOf(given);
  checkMode(mode);
  if (flags & writingFlags) root.assertWritable(path);
  return yield* reach(root, path, function* (place): Steps<Opened | Link> {
    if (flags & O_CREAT) {
      if (place.mustBeFolder) throw systemError("EISDIR", "open", path);
      checkName(place.name, root.rules.names, path);
    }
    const opened = yield* openPlace(root, place, path, flags, mode);
    if (opened instanceof Link) return opened;
    try {
      const fd = typeof opened === "number" ? opened : opened.fd;
      const stats = fs.fstatSync(fd);
      checkKind(root, stats, path, (flags & writingFlags) !== 0);
      if (root.rules.mounts === "refuse") {
        root.assertSameMount({ path: place.at, stats, fd }, path);
      }
      // Not before it was checked: the wrong file would be empty by then.
      if (flags & O_TRUNC && stats.isFile() && stats.size > 0) yield* emptyOpened(opened);
      return opened;
    } catch (error) {
      yield* closeOpened(opened);
      throw error;
    }
  });
}

function* openPlace(
  root: HeldRoot,
  place: Place,
  path: string,
  flags: number,
  mode: number,
): Steps<Opened | Link> {
  const { at } = place;
  const folderFlag = place.mustBeFolder ? (system.O_DIRECTORY ?? 0) : 0;
  const all = (flags & ~O_TRUNC) | ownFlags | folderFlag;
  if (root.ground.confinement === "check-only") {
    const target = readTarget(at);
    if (target !== null && !(flags & O_EXCL)) return new Link(target);
  }
  try {
    return yield* step<Opened>(
      () => fs.openSync(at, all, mode),
      () => fs.promises.open(at, all, mode),
    );
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENXIO" && root.rules.specialFiles === "refuse") throw specialFile(path);
    if (code !== "ELOOP" && code !== "ENOTDIR" && code !== "EEXIST") throw error;
    if (flags & O_EXCL) throw error;
    const target = readTarget(at);
    if (target !== null) return new Link(target);
    throw code === "ELOOP" ? changedMeanwhile(path) : error;
  }
}

/** @throws {@link PathError} `PATH_SPECIAL_FILE`, `PATH_HARD_LINK`. */
function checkKind(root: HeldRoot, stats: fs.Stats, path: string, writing: boolean): void {
  const { specialFiles, hardLinks } = root.rules;
  if (specialFiles === "refuse" && !stats.isFile() && !stats.isDirectory()) {
    throw specialFile(path);
  }
  if (!stats.isFile() || stats.nlink <= 1 || hardLinks === "allow") return;
  if (writing || hardLinks === "refuse") {
    throw new PathError("PATH_HARD_LINK", "the file has further names", path);
  }
}

export function specialFile(path: string): PathError {
  return new PathError("PATH_SPECIAL_FILE", "neither a file nor a folder", path);
}

function numberOf(given: unknown): number {
  const known = typeof given === "string" && Object.hasOwn(flagWords, given);
  const flags = known ? flagWords[given as keyof typeof flagWords] : given;
  if (typeof flags !== "number" || !Number.isInteger(flags) || (flags & ~knownFlags) !== 0) {
    throw new PathError("PATH_OPTION_INVALID", "the flags to open a file with are unknown");
  }
  return flags;
}

/** @throws {@link PathError} `PATH_OPTION_INVALID`: a mode is permissions, never set-user-id. */
export function checkMode(mode: unknown): asserts mode is number {
  if (typeof mode !== "number" || (mode & 0o777) !== mode) {
    throw new PathError("PATH_OPTION_INVALID", "a mode must be a number up to 0o777");
  }
}

function* emptyOpened(opened: Opened): Steps<void> {
  yield* step(
    () => fs.ftruncateSync(opened as number),
    () => (opened as FileHandle).truncate(),
  );
}

export function* closeOpened(opened: Opened): Steps<void> {
  yield* step(
    () => fs.closeSync(opened as number),
    () => (opened as FileHandle).close(),
  );
}
