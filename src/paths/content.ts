import * as fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { PathError } from "./errors.ts";
import type { HeldRoot } from "./held-root.ts";
import { checkName } from "./name-rules.ts";
import { checkMode, closeOpened, type Opened, openFile, specialFile } from "./open-file.ts";
import { type Steps, step } from "./steps.ts";
import { naming, systemError } from "./system-error.ts";
import { Link, type Place, reach, readTarget } from "./walk.ts";

/** What can be written to a file. */
export type FileContent = string | Uint8Array;

/** How `writeFile` writes. */
export interface WriteOptions {
  /**
   * Permissions of the file, exactly. Default: those of the file it replaces; for a new file 0o666
   * less the umask.
   */
  readonly mode?: number | undefined;
  /** Fails with EEXIST if the name is taken (default: false). */
  readonly exclusive?: boolean | undefined;
  /** Waits until the content is on the disk before the name shows it (default: true). */
  readonly flush?: boolean | undefined;
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;
const newFileMode = 0o666;

export function* readContent(root: HeldRoot, path: string): Steps<Buffer> {
  const opened = yield* openFile(root, path, "r", newFileMode);
  try {
    return yield* naming(path, readAll(opened));
  } finally {
    yield* closeOpened(opened);
  }
}

export function* appendContent(root: HeldRoot, path: string, content: FileContent): Steps<void> {
  checkContent(content);
  const opened = yield* openFile(root, path, "a", newFileMode);
  try {
    yield* naming(path, writeAll(opened, content));
  } finally {
    yield* closeOpened(opened);
  }
}

/**
 * Writes a file under another name beside it and then gives it its name, so that nobody ever sees
 * half of it, and a link or a second name of an old file changes nothing elsewhere.
 */
export function* writeContent(
  root: HeldRoot,
  path: string,
  content: FileContent,
  options: WriteOptions,
): Steps<void> {
  checkContent(content);
  const { mode, exclusive = false, flush = true } = checkWriteOptions(options);
  root.assertWritable(path);
  yield* reach(root, path, function* (place): Steps<Link | undefined> {
    if (place.mustBeFolder) throw systemError("EISDIR", "open", path);
    checkName(place.name, root.rules.names, path);
    const old = fs.lstatSync(place.at, { throwIfNoEntry: false });
    if (old !== undefined && exclusive) throw systemError("EEXIST", "open", path);
    if (old?.isSymbolicLink()) {
      const target = readTarget(place.at);
      if (target !== null) return new Link(target);
    }
    if (old?.isDirectory()) throw systemError("EISDIR", "open", path);
    if (old && !old.isFile() && !old.isSymbolicLink()) throw specialFile(path);
    const exact = mode ?? (old?.isFile() ? old.mode & 0o777 : undefined);
    yield* replace(place, content, { exact, exclusive, flush });
    return undefined;
  });
}

interface Replacing {
  readonly exact: number | undefined;
  readonly exclusive: boolean;
  readonly flush: boolean;
}

function* replace(place: Place, content: FileContent, how: Replacing): Steps<void> {
  const temporary = `${place.folder.prefix}.nopeek-${crypto.randomUUID()}.tmp`;
  const flags = O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0);
  // Never wider than it will be, not even for a moment.
  const mode = how.exact ?? newFileMode;
  const opened = yield* step<Opened>(
    () => fs.openSync(temporary, flags, mode),
    () => fs.promises.open(temporary, flags, mode),
  );
  let named = false;
  try {
    try {
      yield* writeAll(opened, content);
      if (how.exact !== undefined) yield* setMode(opened, how.exact);
      if (how.flush) yield* flush(opened);
    } finally {
      yield* closeOpened(opened);
    }
    if (how.exclusive) {
      // Unlike a rename, a link never replaces what has the name already.
      yield* step(
        () => fs.linkSync(temporary, place.at),
        () => fs.promises.link(temporary, place.at),
      );
    } else {
      yield* step(
        () => fs.renameSync(temporary, place.at),
        () => fs.promises.rename(temporary, place.at),
      );
      named = true;
    }
  } finally {
    if (!named) yield* discard(temporary);
  }
}

function* discard(temporary: string): Steps<void> {
  try {
    yield* step(
      () => fs.unlinkSync(temporary),
      () => fs.promises.unlink(temporary),
    );
  } catch {
    // What failed before is what the caller has to know.
  }
}

function* readAll(opened: Opened): Steps<Buffer> {
  return yield* step(
    () => fs.readFileSync(opened as number),
    () => (opened as FileHandle).readFile(),
  );
}

function* writeAll(opened: Opened, content: FileContent): Steps<void> {
  yield* step(
    () => fs.writeFileSync(opened as number, content),
    () => (opened as FileHandle).writeFile(content),
  );
}

function* setMode(opened: Opened, mode: number): Steps<void> {
  yield* step(
    () => fs.fchmodSync(opened as number, mode),
    () => (opened as FileHandle).chmod(mode),
  );
}

function* flush(opened: Opened): Steps<void> {
  yield* step(
    () => fs.fsyncSync(opened as number),
    () => (opened as FileHandle).sync(),
  );
}

/** Checked here, since Node's own errors quote what they were given. */
function checkContent(content: unknown): void {
  if (typeof content !== "string" && !(content instanceof Uint8Array)) {
    throw new PathError("PATH_OPTION_INVALID", "the content must be text or bytes");
  }
}

function checkWriteOptions(given: WriteOptions): WriteOptions {
  const { mode, exclusive, flush, ...unknown } = given;
  if (mode !== undefined) checkMode(mode);
  for (const value of [exclusive, flush]) {
    if (value !== undefined && typeof value !== "boolean") {
      throw new PathError("PATH_OPTION_INVALID", "exclusive and flush must be true or false");
    }
  }
  if (Object.keys(unknown).length > 0) {
    throw new PathError("PATH_OPTION_INVALID", "writeFile knows mode, exclusive and flush");
  }
  return { mode, exclusive, flush };
}
