import * as fs from "node:fs";
import type { RmOptions } from "./change.ts";
import type { Folder } from "./ground.ts";
import type { HeldRoot } from "./held-root.ts";
import { checkText } from "./name-rules.ts";
import { type Steps, step } from "./steps.ts";
import { errnoOf, systemError } from "./system-error.ts";
import { reach } from "./walk.ts";

/** How often a name may turn out to be something else before removing it is given up. */
const mostTries = 64;
/** What unlinking a folder fails with. */
const isFolderCode = process.platform === "linux" ? "EISDIR" : "EPERM";
/** One descriptor is held for each level, so deeper folders are moved up first. */
const deepestLevel = 64;

/** Removes a file, a link, an empty folder or, recursively, a tree. */
export function* removePath(root: HeldRoot, path: string, options: RmOptions): Steps<void> {
  const { recursive = false, force = false } = options;
  checkText(path);
  root.assertWritable(path);
  // A tree behind a link is not the link's: `rm -r link/` removes the link.
  const named = recursive ? path.replace(/(?<=[^/])\/+$/, "") : path;
  try {
    yield* reach(root, named, function* ({ at, name, mustBeFolder, folder }): Steps<undefined> {
      if (name === ".") throw systemError("EINVAL", "rm", path);
      if (!mustBeFolder && (yield* unlinked(at))) return undefined;
      if (recursive) yield* new Removal(root, path).removeTree(folder, Buffer.from(name));
      else yield* removeFolder(at);
      return undefined;
    });
  } catch (error) {
    if (!(force && errnoOf(error) === "ENOENT")) throw error;
  }
}

/** A name as bytes: a name that is not UTF-8 must be removable too. */
type Name = Buffer;

/** Removes one tree while others may change it. Every folder is entered as a folder, or not at all. */
class Removal {
  readonly #root: HeldRoot;
  readonly #path: string;
  /** The folder that is removed as a whole. */
  #top: Folder | undefined;
  /** Folders that were too deep, now in the top one under these names. */
  readonly #moved: Name[] = [];

  constructor(root: HeldRoot, path: string) {
    this.#root = root;
    this.#path = path;
  }

  *removeTree(parent: Folder, name: Name, level = 0): Steps<void> {
    const at = atOf(parent, name);
    for (let tries = 0; tries < mostTries; tries++) {
      const folder = this.#enter(at);
      if (folder === "gone") return;
      if (folder === "no folder") {
        if (yield* unlinkedIfThere(at)) return;
        continue;
      }
      if (level === 0) this.#top = folder;
      try {
        this.#root.assertSameMount(folder, this.#path);
        for (const entry of yield* namesIn(folder)) yield* this.#removeEntry(folder, entry, level);
        if (level === 0) yield* this.#removeMoved(folder);
      } finally {
        this.#root.ground.leave(folder);
      }
      try {
        yield* removeFolder(at);
        return;
      } catch (error) {
        const code = errnoOf(error);
        if (code === "ENOENT") return;
        // Somebody put something in, or swapped it for a link.
        if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOTDIR") throw error;
      }
    }
    throw systemError("ENOTEMPTY", "rm", this.#path);
  }

  *#removeEntry(folder: Folder, name: Name, level: number): Steps<void> {
    const at = atOf(folder, name);
    if (yield* unlinkedIfThere(at)) return;
    if (level < deepestLevel) yield* this.removeTree(folder, name, level + 1);
    else yield* this.#moveUp(at);
  }

  *#removeMoved(top: Folder): Steps<void> {
    for (let name = this.#moved.pop(); name !== undefined; name = this.#moved.pop()) {
      yield* this.#removeEntry(top, name, 0);
    }
  }

  *#moveUp(at: Buffer): Steps<void> {
    if (this.#top === undefined) return;
    const name = Buffer.from(`.nopeek-${crypto.randomUUID()}.rm`);
    const to = atOf(this.#top, name);
    yield* step(
      () => fs.renameSync(at, to),
      () => fs.promises.rename(at, to),
    );
    this.#moved.push(name);
  }

  #enter(at: Buffer): Folder | "gone" | "no folder" {
    try {
      return this.#root.ground.enter(at);
    } catch (error) {
      const code = errnoOf(error);
      if (code === "ENOENT") return "gone";
      if (code === "ENOTDIR" || code === "ELOOP") return "no folder";
      throw error;
    }
  }
}

function atOf(folder: Folder, name: Name): Buffer {
  return Buffer.concat([Buffer.from(folder.prefix), name]);
}

function* namesIn({ prefix }: Folder): Steps<Name[]> {
  return yield* step(
    () => fs.readdirSync(prefix, { encoding: "buffer" }),
    () => fs.promises.readdir(prefix, { encoding: "buffer" }),
  );
}

function* removeFolder(at: string | Buffer): Steps<void> {
  yield* step(
    () => fs.rmdirSync(at),
    () => fs.promises.rmdir(at),
  );
}

/** Whether the name was no folder and is gone. */
function* unlinked(at: string | Buffer): Steps<boolean> {
  try {
    yield* step(
      () => fs.unlinkSync(at),
      () => fs.promises.unlink(at),
    );
    return true;
  } catch (error) {
    if (errnoOf(error) !== isFolderCode) throw error;
    return false;
  }
}

function* unlinkedIfThere(at: Buffer): Steps<boolean> {
  try {
    return yield* unlinked(at);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return true;
  }
}
