import * as fs from "node:fs";
import { PathError } from "./errors.ts";
import type { HeldRoot } from "./held-root.ts";
import { statPath } from "./inspect.ts";
import { checkName } from "./name-rules.ts";
import { checkMode } from "./open-file.ts";
import { type Steps, step } from "./steps.ts";
import { errnoOf, systemError } from "./system-error.ts";
import { reach } from "./walk.ts";

/** How `mkdir` makes a folder. */
export interface MkdirOptions {
  /** Makes missing parents too, and is content with a folder that exists (default: false). */
  readonly recursive?: boolean | undefined;
  /** Permissions, less the umask (default: 0o777). */
  readonly mode?: number | undefined;
}

export function* makeFolder(root: HeldRoot, path: string, options: MkdirOptions): Steps<void> {
  const { recursive = false, mode = 0o777 } = options;
  checkMode(mode);
  root.assertWritable(path);
  const parents = recursive ? { makeParents: mode } : {};
  const isThere = yield* reach(
    root,
    path,
    function* ({ at, name }): Steps<boolean> {
      if (name === ".") return true;
      checkName(name, root.rules.names, path);
      try {
        yield* step(
          () => fs.mkdirSync(at, mode),
          () => fs.promises.mkdir(at, mode).then(() => undefined),
        );
        return false;
      } catch (error) {
        if (!recursive || errnoOf(error) !== "EEXIST") throw error;
        return true;
      }
    },
    parents,
  );
  if (!isThere) return;
  const stats = recursive ? yield* statPath(root, path) : undefined;
  if (!stats?.isDirectory()) throw systemError("EEXIST", "mkdir", path);
}

export function* unlinkPath(root: HeldRoot, path: string): Steps<void> {
  root.assertWritable(path);
  yield* reach(root, path, function* ({ at, mustBeFolder }): Steps<void> {
    if (mustBeFolder) throw systemError("EISDIR", "unlink", path);
    yield* step(
      () => fs.unlinkSync(at),
      () => fs.promises.unlink(at),
    );
  });
}

/** Moves a file, a link or a folder. As in Go, a folder that exists is never replaced. */
export function* renamePath(root: HeldRoot, from: string, to: string): Steps<void> {
  root.assertWritable(from);
  yield* reach(root, from, function* (source): Steps<undefined> {
    if (source.name === ".") throw systemError("EINVAL", "rename", from);
    yield* reach(
      root,
      to,
      function* (target): Steps<undefined> {
        if (target.name === ".") throw systemError("EINVAL", "rename", to);
        checkName(target.name, root.rules.names, to);
        const isFolder = (at: string) =>
          fs.lstatSync(at, { throwIfNoEntry: false })?.isDirectory() === true;
        if ((source.mustBeFolder || target.mustBeFolder) && !isFolder(source.at)) {
          throw systemError("ENOTDIR", "rename", from);
        }
        if (isFolder(target.at)) throw systemError("EEXIST", "rename", to);
        yield* step(
          () => fs.renameSync(source.at, target.at),
          () => fs.promises.rename(source.at, target.at),
        );
        return undefined;
      },
      { from },
    );
    return undefined;
  });
}

/** How `rm` removes. */
export interface RmOptions {
  /** Removes a folder with everything in it; links in it are removed, not followed. */
  readonly recursive?: boolean | undefined;
  /** Is content if there is nothing (default: false). */
  readonly force?: boolean | undefined;
}

/** @throws {@link PathError} `PATH_OPTION_INVALID`. */
export function checkFlags(options: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) {
      throw new PathError("PATH_OPTION_INVALID", `unknown option; known are ${known.join(", ")}`);
    }
    if (name !== "mode" && value !== undefined && typeof value !== "boolean") {
      throw new PathError("PATH_OPTION_INVALID", `option ${name} must be true or false`);
    }
  }
}
