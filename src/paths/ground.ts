import * as fs from "node:fs";
import { join, parse, resolve } from "node:path";
import { PathError } from "./errors.ts";
import { type Steps, step } from "./steps.ts";
import { errnoOf, systemError } from "./system-error.ts";

/** `race-free`: holds against a process that changes the tree meanwhile. `check-only`: does not. */
export type Confinement = "race-free" | "check-only";

/** A folder that is held while a path below it is looked up. */
export interface Folder {
  /** What to put before a name in it. */
  readonly prefix: string;
  /** Its descriptor; none where folders are only known by path. */
  readonly fd: number | undefined;
}

/** An object below a root that is held, whatever its name means meanwhile. */
export interface Pinned {
  /** Names the object itself. */
  readonly path: string;
  readonly stats: fs.Stats;
  readonly fd: number | undefined;
}

/** How folders are held on a platform. A name given to it is one component, never `..`. */
export interface Ground {
  readonly confinement: Confinement;
  /** Opens the folder that everything below is confined to. */
  openBase(directory: string): Folder;
  /** Opens a folder, and fails with ENOTDIR or ELOOP at a link. */
  enter(at: string | Buffer): Folder;
  leave(folder: Folder): void;
  /** Device and inode tell a folder from every other one that exists at the same time. */
  identify(folder: Folder): Identity;
  /** Which mounted file system a held object is on. */
  mountOf(held: Folder | Pinned): string;
  pin(at: string): Steps<Pinned>;
  unpin(pinned: Pinned): void;
}

const { O_DIRECTORY, O_NOFOLLOW } = fs.constants;
/** Not in `fs.constants`; the same number on every architecture that Node runs on. */
const O_PATH = 0o10000000;
const procfsType = 0x9fa0;

/** What tells objects apart. */
export interface Identity {
  readonly dev: number;
  readonly ino: number;
}

export function isSame(one: Identity, other: Identity): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

/**
 * Linux: a folder is an `O_PATH` descriptor, and a name in it is `/proc/self/fd/N/name`, which the
 * kernel looks up in that very folder.
 */
const descriptors: Ground = {
  confinement: "race-free",
  openBase(directory) {
    return folderOf(fs.openSync(directory, O_PATH | O_DIRECTORY));
  },
  enter(at) {
    return folderOf(fs.openSync(at, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  },
  leave({ fd }) {
    if (fd !== undefined) fs.closeSync(fd);
  },
  identify({ fd }) {
    return fs.fstatSync(fd ?? -1);
  },
  mountOf({ fd }) {
    // The device number does not tell a bind mount from the file system that it shows.
    const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
    return /^mnt_id:\s*(\d+)/m.exec(info)?.[1] ?? "unknown";
  },
  *pin(at) {
    const fd = fs.openSync(at, O_PATH | O_NOFOLLOW);
    try {
      const stats = yield* fstat(fd);
      return { path: `/proc/self/fd/${fd}`, stats, fd };
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  },
  unpin({ fd }) {
    if (fd !== undefined) fs.closeSync(fd);
  },
};

function folderOf(fd: number): Folder {
  return { prefix: `/proc/self/fd/${fd}/`, fd };
}

function* fstat(fd: number): Steps<fs.Stats> {
  return yield* step(
    () => fs.fstatSync(fd),
    () =>
      new Promise((settle, fail) => {
        fs.fstat(fd, (error, stats) => (error === null ? settle(stats) : fail(error)));
      }),
  );
}

/** Everywhere else: a folder is a path, and each name is looked at before it is used. */
export const checkedPaths: Ground = {
  confinement: "check-only",
  openBase(directory) {
    const path = fs.realpathSync(directory);
    if (!fs.lstatSync(path).isDirectory()) throw systemError("ENOTDIR", "open", directory);
    return { prefix: join(path, "/"), fd: undefined };
  },
  enter(at) {
    if (!fs.lstatSync(at).isDirectory()) throw systemError("ENOTDIR", "open", String(at));
    return { prefix: join(String(at), "/"), fd: undefined };
  },
  leave() {
    // Nothing is held.
  },
  identify({ prefix }) {
    // With a slash at the end a link that took the folder's place would be followed.
    return fs.lstatSync(parse(prefix).root === prefix ? prefix : prefix.slice(0, -1));
  },
  mountOf(held) {
    return String(fs.lstatSync("prefix" in held ? held.prefix : held.path).dev);
  },
  *pin(at) {
    const stats = yield* step(
      () => fs.lstatSync(at),
      () => fs.promises.lstat(at),
    );
    return { path: at, stats, fd: undefined };
  },
  unpin() {
    // Nothing is held.
  },
};

/**
 * The best ground of this machine. `/proc` must be the kernel's own and show our own descriptors:
 * in a container it may be missing, or be a look-alike.
 */
export function bestGround(directory: string): Ground {
  if (process.platform !== "linux") return checkedPaths;
  const probe = descriptors.openBase(directory);
  try {
    if (fs.statfsSync("/proc/self/fd").type !== procfsType) return checkedPaths;
    const seen = fs.statSync(`${probe.prefix}.`);
    return isSame(seen, descriptors.identify(probe)) ? descriptors : checkedPaths;
  } catch {
    return checkedPaths;
  } finally {
    descriptors.leave(probe);
  }
}

/** @throws {@link PathError} `ROOT_UNRESTRICTED` for the root of the file system. */
export function refuseEverything(ground: Ground, base: Folder, directory: string): void {
  const top = parse(resolve(directory)).root;
  let isTop = resolve(directory) === top;
  try {
    isTop ||= isSame(ground.identify(base), fs.statSync(top));
  } catch (error) {
    // Under Node's permission model the root of the file system may not be looked at.
    if (errnoOf(error) !== "ERR_ACCESS_DENIED") throw error;
  }
  if (isTop) {
    throw new PathError("ROOT_UNRESTRICTED", "the whole file system is no restriction", directory);
  }
}
