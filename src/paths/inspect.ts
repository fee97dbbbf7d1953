import * as fs from "node:fs";
import { PathError } from "./errors.ts";
import type { Pinned } from "./ground.ts";
import type { HeldRoot } from "./held-root.ts";
import { atOnce, type Steps, step } from "./steps.ts";
import { systemError } from "./system-error.ts";
import { changedMeanwhile, Link, reach, readTarget } from "./walk.ts";

/** What a name in a folder stands for; a link is not followed. */
export interface RootEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
}

/** Holds the object that a path ends at, whatever its kind, and looks at it. */
function* inspect<T>(
  root: HeldRoot,
  path: string,
  look: (pinned: Pinned) => Steps<T>,
  must: "be-folder" | "exist" = "exist",
): Steps<T> {
  return yield* reach(root, path, function* (place): Steps<T | Link> {
    const pinned = yield* root.ground.pin(place.at);
    try {
      if (pinned.stats.isSymbolicLink()) {
        const target = readTarget(place.at);
        if (target === null) throw changedMeanwhile(path);
        return new Link(target);
      }
      if ((must === "be-folder" || place.mustBeFolder) && !pinned.stats.isDirectory()) {
        throw systemError("ENOTDIR", "open", path);
      }
      root.assertSameMount(pinned, path);
      return yield* look(pinned);
    } finally {
      root.ground.unpin(pinned);
    }
  });
}

export function* statPath(root: HeldRoot, path: string): Steps<fs.Stats> {
  return yield* inspect(root, path, ({ stats }) => atOnce(() => stats));
}

/** Like `statPath`, but of a link itself at the end of the path. */
export function* lstatPath(root: HeldRoot, path: string): Steps<fs.Stats> {
  return yield* reach(root, path, function* ({ at }): Steps<fs.Stats> {
    const pinned = yield* root.ground.pin(at);
    try {
      root.assertSameMount(pinned, path);
      return pinned.stats;
    } finally {
      root.ground.unpin(pinned);
    }
  });
}

/** @param mode `R_OK`, `W_OK` and `X_OK` of `fs.constants`. */
export function* accessPath(root: HeldRoot, path: string, mode: number): Steps<void> {
  const { R_OK, W_OK, X_OK } = fs.constants;
  if (typeof mode !== "number" || (mode & (R_OK | W_OK | X_OK)) !== mode) {
    throw new PathError("PATH_OPTION_INVALID", "the mode of access must be made of R_OK and so on");
  }
  if (mode & W_OK) root.assertWritable(path);
  yield* inspect(root, path, function* (pinned): Steps<void> {
    yield* step(
      () => fs.accessSync(pinned.path, mode),
      () => fs.promises.access(pinned.path, mode),
    );
  });
}

export function* listFolder(root: HeldRoot, path: string): Steps<RootEntry[]> {
  return yield* inspect(
    root,
    path,
    function* (pinned): Steps<RootEntry[]> {
      const entries = yield* step(
        () => fs.readdirSync(pinned.path, { withFileTypes: true }),
        () => fs.promises.readdir(pinned.path, { withFileTypes: true }),
      );
      // Node's own entries would show the descriptor as their folder.
      return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    },
    "be-folder",
  );
}

function kindOf(entry: fs.Dirent): RootEntry["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "symlink" : "other";
}
