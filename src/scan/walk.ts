import { realpathSync, statSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { openRoot, PathError, type Root } from "../paths/index.ts";
import { SecretError } from "../secrets/index.ts";
import type { SkippedFile } from "./options.ts";

/** A file that a walk came to, opened beneath its root: whoever takes it closes it. */
export interface FoundFile {
  /** As it is told: the path that was given, and the way from there. */
  readonly name: string;
  /** Null where it cannot be opened. */
  readonly handle: FileHandle | null;
}

/** Deeper folders are not looked at: nobody makes them but to be in the way. */
const maxDepth = 100;

/**
 * Walks files and trees in the order of names. Links are not followed, but for the paths that were
 * given themselves.
 *
 * @throws SecretError `FILE_NOT_FOUND` for a path that was given and does not exist.
 */
export async function* walk(
  paths: readonly string[],
  skip: (name: string, why: SkippedFile["why"]) => void,
): AsyncGenerator<FoundFile> {
  const found = paths.map((path) => ({ path, ...existing(path) }));
  for (const { path, real, isFolder } of found) {
    const folder = isFolder ? real : dirname(real);
    // Asked by the system for what is real, this is what was named.
    const root = await opened(folder, path);
    try {
      if (isFolder) yield* walkFolder(root, path, ".", 0, skip);
      else yield { name: path, handle: await openedFile(root, basename(real)) };
    } finally {
      await root.close();
    }
  }
}

async function* walkFolder(
  root: Root,
  shown: string,
  folder: string,
  depth: number,
  skip: (name: string, why: SkippedFile["why"]) => void,
): AsyncGenerator<FoundFile> {
  const entries = await listed(root, folder);
  if (entries === null) {
    skip(shown, "unreadable");
    return;
  }
  for (const entry of entries) {
    const path = folder === "." ? entry.name : `${folder}/${entry.name}`;
    const name = join(shown, entry.name);
    if (entry.kind === "file") yield { name, handle: await openedFile(root, path) };
    else if (entry.kind === "symlink") skip(name, "link");
    else if (entry.kind === "other") skip(name, "special");
    else if (depth >= maxDepth) skip(name, "limit");
    else yield* walkFolder(root, name, path, depth + 1, skip);
  }
}

async function listed(root: Root, folder: string) {
  const entries = await unlessRefused(() => root.readdir(folder, { withFileTypes: true }));
  return entries?.sort((one, other) => (one.name < other.name ? -1 : 1)) ?? null;
}

/** No link is followed, and no other end of a FIFO waited for. */
async function openedFile(root: Root, path: string): Promise<FileHandle | null> {
  return await unlessRefused(() => root.open(path));
}

/** Null for what the system or the root refuses: it is told, and the rest is looked at. */
async function unlessRefused<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PathError || (error as NodeJS.ErrnoException).code !== undefined) {
      return null;
    }
    throw error;
  }
}

function existing(path: string): { real: string; isFolder: boolean } {
  try {
    const real = realpathSync(path);
    return { real, isFolder: statSync(real).isDirectory() };
  } catch {
    throw new SecretError(
      "FILE_NOT_FOUND",
      "a path to look at does not exist, or cannot be reached; nothing was looked at",
    );
  }
}

async function opened(folder: string, path: string): Promise<Root> {
  try {
    return await openRoot(folder, { readOnly: true, names: "native" });
  } catch (error) {
    if (error instanceof PathError) throw error;
    throw new SecretError("FILE_NOT_FOUND", `a folder to look at cannot be opened: ${path}`);
  }
}
