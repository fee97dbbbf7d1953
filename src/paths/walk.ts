import { lstatSync, mkdirSync, readlinkSync } from "node:fs";
import { isAbsolute, sep } from "node:path";
import { PathError } from "./errors.ts";
import type { Folder } from "./ground.ts";
import type { HeldRoot } from "./held-root.ts";
import { checkName, checkText } from "./name-rules.ts";
import type { Steps } from "./steps.ts";
import { errnoOf, explain, systemError } from "./system-error.ts";

/** Where a path ends: a held folder and one name in it. */
export interface Place {
  /** What to give to the system. */
  readonly at: string;
  /** The last name; `.` for the root itself. */
  readonly name: string;
  readonly folder: Folder;
  /** The path ended with a slash. */
  readonly mustBeFolder: boolean;
}

/** Given back by the end of an operation that found a link, to have it followed or refused. */
export class Link {
  readonly target: string;

  constructor(target: string) {
    this.target = target;
  }
}

const mostLinks = 40;
const mostParts = 8192;
/** A path may be longer, but not by going back again and again. */
const mostSteps = 255;
const mostRestarts = 8;
const mostSwaps = 8;

export interface ReachOptions {
  /** Makes the folders that are missing on the way, with this mode. */
  readonly makeParents?: number | undefined;
  /** Of an operation on two paths, the first one, for its errors. */
  readonly from?: string | undefined;
}

/**
 * Looks a path up below a root, one name at a time, and does `last` where it ends. Folders are held
 * from one name to the next, so that none of them can be swapped for a link meanwhile.
 *
 * The lookup itself runs on this thread, for a descriptor of a folder touches no data; `last` may
 * wait.
 */
export function* reach<T>(
  root: HeldRoot,
  path: string,
  last: (place: Place) => Steps<T | Link>,
  options: ReachOptions = {},
): Steps<T> {
  const parts = splitPath(path, root.rules.dotdot === "resolve");
  root.acquire(path);
  const walk = new Walk(root, path, parts, options.makeParents);
  try {
    for (;;) {
      const outcome = yield* last(walk.toLast());
      if (!(outcome instanceof Link)) return outcome;
      walk.follow(outcome.target);
    }
  } catch (error) {
    throw explain(error, path, options.from);
  } finally {
    walk.end();
    root.release();
  }
}

/** The names of a path, and whether it ended with a slash. The kernel never sees that slash. */
interface Parts {
  names: string[];
  slash: boolean;
}

const endsInFolder = /(?:^|\/)\.{0,2}$/;

/** @throws {@link PathError} `PATH_INVALID`, `PATH_ESCAPE`. */
function splitPath(path: string, allowDotdot: boolean): Parts {
  checkText(path);
  if (path.startsWith("/")) throw new PathError("PATH_ESCAPE", "the path is absolute", path);
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.length > mostParts) throw systemError("ENAMETOOLONG", "open", path);
  if (!allowDotdot && names.includes("..")) {
    throw new PathError("PATH_ESCAPE", 'the path holds ".."', path);
  }
  for (const name of names) checkName(name, "native", path);
  return { names, slash: endsInFolder.test(path) };
}

/** One lookup. `#names` up to `#index` are folders that were entered. */
class Walk {
  readonly #root: HeldRoot;
  readonly #path: string;
  readonly #parentMode: number | undefined;
  #names: string[];
  #slash: boolean;
  #folder: Folder;
  #index = 0;
  #steps = 0;
  #restarts = 0;
  #links = 0;
  #swaps = 0;

  constructor(root: HeldRoot, path: string, parts: Parts, parentMode: number | undefined) {
    this.#root = root;
    this.#path = path;
    this.#parentMode = parentMode;
    this.#names = parts.names;
    this.#slash = parts.slash;
    this.#folder = root.base;
  }

  /** Enters folders up to the last name, or to the next one after a link was followed. */
  toLast(): Place {
    for (;;) {
      this.#steps++;
      if (this.#steps > mostSteps && this.#restarts > mostRestarts) throw this.#error("ELOOP");
      const name = this.#names[this.#index];
      if (name === undefined) {
        return {
          at: `${this.#folder.prefix}.`,
          name: ".",
          folder: this.#folder,
          mustBeFolder: true,
        };
      }
      const at = this.#folder.prefix + name;
      if (name === "..") this.#goBack();
      else if (this.#index < this.#names.length - 1) this.#enter(at, name);
      else if (!this.#slash) return { at, name, folder: this.#folder, mustBeFolder: false };
      else if (!this.#followBeforeSlash(at)) {
        return { at, name, folder: this.#folder, mustBeFolder: true };
      }
    }
  }

  /**
   * Puts a link's target in its place.
   *
   * @throws {@link PathError} `PATH_SYMLINK`, `PATH_ESCAPE`.
   */
  follow(target: string): void {
    if (this.#root.rules.symlinks === "refuse") {
      throw new PathError("PATH_SYMLINK", "there is a symbolic link on the path", this.#path);
    }
    this.#links++;
    if (this.#links > mostLinks) throw this.#error("ELOOP");
    if (target === "") throw this.#error("ENOENT");
    const text = target.replaceAll(sep, "/");
    if (isAbsolute(target) || text.startsWith("/") || (sep === "\\" && /^[a-z]:/i.test(text))) {
      throw new PathError("PATH_ESCAPE", "a symbolic link leads to an absolute path", this.#path);
    }
    const { names } = splitPath(text, true);
    const rest = this.#names.slice(this.#index + 1);
    if (rest.length === 0 && endsInFolder.test(text)) this.#slash = true;
    this.#names = [...this.#names.slice(0, this.#index), ...names, ...rest];
    if (this.#names.length > mostParts) throw this.#error("ENAMETOOLONG");
    // A link to ".": what is left is a folder that was entered already, so it is looked up again.
    if (this.#index >= this.#names.length) this.#restart();
  }

  end(): void {
    this.#moveTo(this.#root.base);
  }

  #enter(at: string, name: string): void {
    let next: Folder;
    try {
      next = this.#openFolder(at, name);
    } catch (error) {
      const code = errnoOf(error);
      if (code !== "ENOTDIR" && code !== "ELOOP") throw error;
      const target = readTarget(at);
      if (target !== null) this.follow(target);
      else if (lstatSync(at).isDirectory()) this.#swapped();
      else throw this.#error("ENOTDIR");
      return;
    }
    this.#moveTo(next);
    this.#root.assertSameMount(next, this.#path);
    this.#index++;
  }

  #openFolder(at: string, name: string): Folder {
    const { ground, rules } = this.#root;
    try {
      return ground.enter(at);
    } catch (error) {
      if (this.#parentMode === undefined || errnoOf(error) !== "ENOENT") throw error;
    }
    checkName(name, rules.names, this.#path);
    try {
      mkdirSync(at, this.#parentMode);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
    }
    return ground.enter(at);
  }

  /** `link/` means the folder behind the link. Whether there was one to follow. */
  #followBeforeSlash(at: string): boolean {
    const target = readTarget(at);
    if (target === null) {
      const stats = lstatSync(at, { throwIfNoEntry: false });
      if (stats !== undefined && !stats.isDirectory()) throw this.#error("ENOTDIR");
      return false;
    }
    this.follow(target);
    return true;
  }

  /**
   * Goes back over `..`. The kernel is never asked for it: a folder that was moved meanwhile has
   * another parent. What was entered so far are folders, so their names cancel out.
   */
  #goBack(): void {
    const start = this.#index;
    let end = start;
    while (this.#names[end] === "..") end++;
    const count = end - start;
    if (count > start) {
      throw new PathError("PATH_ESCAPE", "the path leads out of the root", this.#path);
    }
    this.#names.splice(start - count, 2 * count);
    this.#restart();
  }

  #restart(): void {
    this.#restarts++;
    this.#index = 0;
    this.#moveTo(this.#root.base);
  }

  /** It was a link, and now it is a folder: somebody is swapping them. */
  #swapped(): void {
    this.#swaps++;
    if (this.#swaps > mostSwaps) throw changedMeanwhile(this.#path);
  }

  #moveTo(folder: Folder): void {
    if (this.#folder !== this.#root.base) this.#root.ground.leave(this.#folder);
    this.#folder = folder;
  }

  #error(code: string): Error {
    return systemError(code, "open", this.#path);
  }
}

/** The target of a link; null for what is no link. */
export function readTarget(at: string): string | null {
  try {
    return readlinkSync(at);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EINVAL" || code === "ENOENT" || code === "UNKNOWN") return null;
    throw error;
  }
}

export function changedMeanwhile(path: string): PathError {
  return new PathError("PATH_CHANGED", "the path was changed while it was looked up", path);
}
