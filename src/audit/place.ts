import { createHash } from "node:crypto";
import { existsSync, realpathSync, type Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isWithin, openRootSync, PathError, type Root } from "../paths/index.ts";
import { SecretError } from "../secrets/index.ts";
import { fileNamePattern } from "./record-group.ts";

/** The file of the anchors, in a folder of its own. */
export const anchorsName = "anchors.jsonl";

/** Where a log is. */
export interface AuditPlace {
  /** The folder of the records; it holds nothing else. Made (0700) if it does not exist. */
  readonly dir: string;
  /**
   * The folder of the anchors: best on another disk or machine, for whoever can change both can
   * remove the newest records unseen.
   */
  readonly anchors: string;
}

/** Both folders, open. */
export interface OpenPlace extends Disposable {
  readonly records: Root;
  readonly anchors: Root;
}

/**
 * Opens the folders to write to, and makes them if they do not exist.
 *
 * @param apart - Folders and files that the log must have nothing to do with: where the job runs,
 *   what it may write, application logs.
 * @throws SecretError `AUDIT_PLACE_REFUSED`, `AUDIT_NOT_WRITABLE`.
 */
export function preparePlace(place: AuditPlace, apart: readonly string[]): OpenPlace {
  const dir = realOf(place.dir);
  const anchors = realOf(place.anchors);
  if (overlaps(dir, anchors)) {
    throw refused("the anchors must be in another folder than the log, neither below the other");
  }
  assertApart(place, apart);
  return openBoth(dir, anchors, (path, isOurs) => {
    const root = openOrMake(path);
    try {
      assertPrivate(root);
      const foreign = root.readdirSync(".").some((name) => !isOurs(name));
      if (foreign) {
        throw refused(
          `${path} holds other files than those of an audit log; choose an empty folder`,
        );
      }
      return root;
    } catch (error) {
      root.closeSync();
      throw error;
    }
  });
}

/**
 * Refuses a log that lies in one of the paths, or one of them in it.
 *
 * @throws SecretError `AUDIT_PLACE_REFUSED`.
 */
export function assertApart(place: AuditPlace, paths: readonly string[]): void {
  const folders = [realOf(place.dir), realOf(place.anchors)];
  for (const path of paths) {
    const real = realOf(path);
    // The whole file system is no folder to be outside of.
    if (real === "/" || !folders.some((folder) => overlaps(folder, real))) continue;
    throw refused(
      "the audit log and its anchors must be kept apart from the folders of the run and from other logs; choose folders outside",
    );
  }
}

/**
 * A short name for a log by its folder, to keep the anchors of several logs apart.
 *
 * @example
 * const anchors = join(stateFolder, anchorsFolderName("/var/log/nopeek"));
 */
export function anchorsFolderName(dir: string): string {
  return createHash("sha256").update(realOf(dir)).digest("hex").slice(0, 16);
}

/**
 * Opens the folders to read from.
 *
 * @throws SecretError `FILE_NOT_FOUND`, `AUDIT_PLACE_REFUSED`.
 */
export function findPlace(place: AuditPlace): OpenPlace {
  for (const [what, path] of [
    ["audit log", place.dir],
    ["anchors of the audit log", place.anchors],
  ] as const) {
    if (!existsSync(path)) throw new SecretError("FILE_NOT_FOUND", `there is no ${what}: ${path}`);
  }
  return openBoth(resolve(place.dir), resolve(place.anchors), (path) =>
    openRootSync(path, { readOnly: true }),
  );
}

type Open = (path: string, isOurs: (name: string) => boolean) => Root;

function openBoth(dir: string, anchors: string, open: Open): OpenPlace {
  const records = guarded(dir, () => open(dir, (name) => fileNamePattern.test(name)));
  try {
    const second = guarded(anchors, () => open(anchors, (name) => name === anchorsName));
    return {
      records,
      anchors: second,
      [Symbol.dispose]() {
        records.closeSync();
        second.closeSync();
      },
    };
  } catch (error) {
    records.closeSync();
    throw error;
  }
}

function guarded(path: string, open: () => Root): Root {
  try {
    return open();
  } catch (error) {
    if (error instanceof SecretError) throw error;
    if (error instanceof PathError) throw refused(error.message);
    throw notWritable(`${path} cannot be opened`, error);
  }
}

/** What is missing is made for this user alone, below the folder that exists. */
function openOrMake(path: string): Root {
  const options = { weak: "allow", names: "native" } as const;
  if (existsSync(path)) return openRootSync(path, options);
  let parent = dirname(path);
  const missing = [basename(path)];
  while (!existsSync(parent)) {
    missing.unshift(basename(parent));
    parent = dirname(parent);
  }
  const root = openRootSync(parent, options);
  try {
    root.mkdirSync(missing.join("/"), { recursive: true, mode: 0o700 });
    return root.openRootSync(missing.join("/"));
  } finally {
    root.closeSync();
  }
}

function assertPrivate(root: Root): void {
  const info: Stats = root.statSync(".");
  const uid = process.getuid?.();
  if (uid !== undefined && info.uid !== uid) {
    throw refused(`${root.path} belongs to another user; choose a folder of your own`);
  }
  if ((info.mode & 0o022) !== 0) {
    throw refused(`${root.path} can be written by others; run: chmod 700 ${root.path}`);
  }
}

/** The path without links, as far as it exists. */
function realOf(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realOf(parent), basename(absolute));
  }
}

function overlaps(one: string, other: string): boolean {
  return one === other || isWithin(one, other) || isWithin(other, one);
}

function refused(why: string): SecretError {
  return new SecretError("AUDIT_PLACE_REFUSED", why);
}

/** @internal Of a system error only its code is told. */
export function notWritable(what: string, error?: unknown): SecretError {
  if (error instanceof SecretError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const isShown = typeof code === "string" && /^[A-Z][A-Z0-9_]{1,30}$/.test(code);
  return new SecretError(
    "AUDIT_NOT_WRITABLE",
    `the audit log cannot be written: ${what}${isShown ? ` (${code})` : ""}`,
  );
}
