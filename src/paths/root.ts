import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { resolve } from "node:path";
import {
  checkFlags,
  type MkdirOptions,
  makeFolder,
  type RmOptions,
  renamePath,
  unlinkPath,
} from "./change.ts";
import {
  appendContent,
  type FileContent,
  readContent,
  type WriteOptions,
  writeContent,
} from "./content.ts";
import { PathError } from "./errors.ts";
import { bestGround, type Confinement, type Ground, refuseEverything } from "./ground.ts";
import { HeldRoot } from "./held-root.ts";
import { accessPath, listFolder, lstatPath, type RootEntry, statPath } from "./inspect.ts";
import { checkText } from "./name-rules.ts";
import { type OpenFlags, openFile } from "./open-file.ts";
import { openFolder } from "./open-folder.ts";
import { removePath } from "./remove.ts";
import { checkRootOptions, type RootOptions } from "./root-options.ts";
import { runLater, runNow } from "./steps.ts";
import { explain } from "./system-error.ts";

const newFileMode = 0o666;

interface ReaddirOptions {
  readonly withFileTypes?: boolean;
}

/**
 * An open folder. Every path given to its methods is relative and stays below it, also while
 * somebody else moves folders and links about: see {@link Root.confinement}.
 *
 * Every method throws {@link PathError} `PATH_INVALID`, `PATH_ESCAPE`, `PATH_SYMLINK`,
 * `PATH_CROSSES_MOUNT`, `PATH_CHANGED` or `ROOT_CLOSED` for a path that it refuses, every one that
 * changes something `PATH_READ_ONLY` or `ROOT_WEAK`, and an ordinary system error (`ENOENT`, ...)
 * otherwise. Methods that end in `Sync` work on this thread. The others work on the thread pool;
 * only the lookup of the folders on the path, which reads no data, is done on this thread.
 */
export class Root implements Disposable, AsyncDisposable {
  readonly #held: HeldRoot;
  /** Absolute path of the folder when it was opened; for messages. */
  readonly path: string;

  /** @internal Use `openRoot`. */
  constructor(held: HeldRoot, path: string) {
    this.#held = held;
    this.path = path;
  }

  /**
   * `race-free`: nothing outside is reached, even if another process swaps folders and links all
   * the time. `check-only`: paths are checked and then used, which such a process can defeat.
   */
  get confinement(): Confinement {
    return this.#held.ground.confinement;
  }

  /**
   * Opens a file or a folder.
   *
   * @param flags As in `fs.open` (default: `r`). It is emptied only after it was checked.
   * @param mode Permissions of a new file, less the umask (default: 0o666).
   * @throws {@link PathError} Also `PATH_SPECIAL_FILE`, `PATH_HARD_LINK`.
   */
  async open(path: string, flags: OpenFlags = "r", mode = newFileMode): Promise<FileHandle> {
    return (await runLater(openFile(this.#held, path, flags, mode))) as FileHandle;
  }

  /** Like {@link Root.open}; gives a descriptor, to be closed with `fs.closeSync`. */
  openSync(path: string, flags: OpenFlags = "r", mode = newFileMode): number {
    return runNow(openFile(this.#held, path, flags, mode)) as number;
  }

  /** @param encoding Gives text instead of bytes. */
  readFile(path: string): Promise<Buffer>;
  readFile(path: string, encoding: BufferEncoding): Promise<string>;
  async readFile(path: string, encoding?: BufferEncoding): Promise<Buffer | string> {
    const content = await runLater(readContent(this.#held, path));
    return encoding === undefined ? content : content.toString(encoding);
  }

  /** @param encoding Gives text instead of bytes. */
  readFileSync(path: string): Buffer;
  readFileSync(path: string, encoding: BufferEncoding): string;
  readFileSync(path: string, encoding?: BufferEncoding): Buffer | string {
    const content = runNow(readContent(this.#held, path));
    return encoding === undefined ? content : content.toString(encoding);
  }

  /**
   * Writes a whole file at once: others see the old content or the new, never half of it. A crash
   * may leave `.nopeek-*.tmp` beside it. The file is a new one: its owner is this process, and
   * further hard links keep the old content.
   */
  async writeFile(path: string, content: FileContent, options: WriteOptions = {}): Promise<void> {
    await runLater(writeContent(this.#held, path, content, options));
  }

  /** Like {@link Root.writeFile}. */
  writeFileSync(path: string, content: FileContent, options: WriteOptions = {}): void {
    runNow(writeContent(this.#held, path, content, options));
  }

  /** Adds to the end of a file, which is made if it does not exist. */
  async appendFile(path: string, content: FileContent): Promise<void> {
    await runLater(appendContent(this.#held, path, content));
  }

  /** Like {@link Root.appendFile}. */
  appendFileSync(path: string, content: FileContent): void {
    runNow(appendContent(this.#held, path, content));
  }

  /** The names in a folder; `.` is the root itself. With `withFileTypes` also what they are. */
  readdir(path: string): Promise<string[]>;
  readdir(path: string, options: { readonly withFileTypes: true }): Promise<RootEntry[]>;
  async readdir(path: string, options: ReaddirOptions = {}): Promise<(string | RootEntry)[]> {
    checkFlags(options, ["withFileTypes"]);
    const entries = await runLater(listFolder(this.#held, path));
    return options.withFileTypes ? entries : entries.map(({ name }) => name);
  }

  /** Like {@link Root.readdir}. */
  readdirSync(path: string): string[];
  readdirSync(path: string, options: { readonly withFileTypes: true }): RootEntry[];
  readdirSync(path: string, options: ReaddirOptions = {}): (string | RootEntry)[] {
    checkFlags(options, ["withFileTypes"]);
    const entries = runNow(listFolder(this.#held, path));
    return options.withFileTypes ? entries : entries.map(({ name }) => name);
  }

  async mkdir(path: string, options: MkdirOptions = {}): Promise<void> {
    checkFlags(options, ["recursive", "mode"]);
    await runLater(makeFolder(this.#held, path, options));
  }

  mkdirSync(path: string, options: MkdirOptions = {}): void {
    checkFlags(options, ["recursive", "mode"]);
    runNow(makeFolder(this.#held, path, options));
  }

  /** Removes a file, a link or an empty folder; with `recursive` a tree. */
  async rm(path: string, options: RmOptions = {}): Promise<void> {
    checkFlags(options, ["recursive", "force"]);
    await runLater(removePath(this.#held, path, options));
  }

  /** Like {@link Root.rm}. */
  rmSync(path: string, options: RmOptions = {}): void {
    checkFlags(options, ["recursive", "force"]);
    runNow(removePath(this.#held, path, options));
  }

  /** Removes a file or a link. */
  async unlink(path: string): Promise<void> {
    await runLater(unlinkPath(this.#held, path));
  }

  /** Like {@link Root.unlink}. */
  unlinkSync(path: string): void {
    runNow(unlinkPath(this.#held, path));
  }

  /** Moves within the root. A file that has the new name is replaced, a folder never. */
  async rename(from: string, to: string): Promise<void> {
    await runLater(renamePath(this.#held, from, to));
  }

  /** Like {@link Root.rename}. */
  renameSync(from: string, to: string): void {
    runNow(renamePath(this.#held, from, to));
  }

  async stat(path: string): Promise<Stats> {
    return await runLater(statPath(this.#held, path));
  }

  statSync(path: string): Stats {
    return runNow(statPath(this.#held, path));
  }

  /** Like {@link Root.stat}, but of a link itself at the end of the path. */
  async lstat(path: string): Promise<Stats> {
    return await runLater(lstatPath(this.#held, path));
  }

  /** Like {@link Root.lstat}. */
  lstatSync(path: string): Stats {
    return runNow(lstatPath(this.#held, path));
  }

  /** @param mode `R_OK`, `W_OK`, `X_OK` of `fs.constants` (default: 0, it exists). */
  async access(path: string, mode = 0): Promise<void> {
    await runLater(accessPath(this.#held, path, mode));
  }

  /** Like {@link Root.access}. */
  accessSync(path: string, mode = 0): void {
    runNow(accessPath(this.#held, path, mode));
  }

  /** Opens a folder below as a root of its own, under the same rules. */
  async openRoot(path: string): Promise<Root> {
    return this.#below(await runLater(openFolder(this.#held, path)), path);
  }

  /** Like {@link Root.openRoot}. */
  openRootSync(path: string): Root {
    return this.#below(runNow(openFolder(this.#held, path)), path);
  }

  #below(held: HeldRoot, path: string): Root {
    return new Root(held, resolve(this.path, path));
  }

  /** No operation starts any more; resolves when those that run have ended. */
  async close(): Promise<void> {
    this.#held.close();
    await this.#held.dropped;
  }

  /** Like {@link Root.close}, without waiting for what runs on the thread pool. */
  closeSync(): void {
    this.#held.close();
  }

  [Symbol.dispose](): void {
    this.closeSync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a folder to work below it and nowhere else. The path to the folder itself is trusted.
 *
 * On Linux with procfs the root is `race-free`; elsewhere `check-only`, and then writing is refused
 * unless `weak: "allow"`.
 *
 * @throws {@link PathError} `ROOT_UNRESTRICTED` for the whole file system, `ROOT_WEAK` with
 *   `weak: "refuse"`, `PATH_INVALID`, `PATH_OPTION_INVALID`; a system error such as `ENOENT`.
 *
 * @example
 * await using root = await openRoot("/srv/data");
 * const config = await root.readFile(userInput, "utf8");
 * await root.writeFile("reports/today.json", report);
 */
export async function openRoot(directory: string, options: RootOptions = {}): Promise<Root> {
  return openRootSync(directory, options);
}

/** Like {@link openRoot}. */
export function openRootSync(directory: string, options: RootOptions = {}): Root {
  checkText(directory);
  try {
    return openRootOn(bestGround(directory), directory, options);
  } catch (error) {
    throw explain(error, directory);
  }
}

/** Opens a root on a given ground, for `openRoot` and for tests of the weaker one. */
export function openRootOn(ground: Ground, directory: string, options: RootOptions): Root {
  const rules = checkRootOptions(options);
  if (ground.confinement === "check-only" && rules.weak === "refuse") {
    throw new PathError(
      "ROOT_WEAK",
      "this platform cannot exclude races, which this root requires",
      directory,
    );
  }
  const base = ground.openBase(directory);
  try {
    refuseEverything(ground, base, directory);
    return new Root(new HeldRoot(ground, base, rules), resolve(directory));
  } catch (error) {
    ground.leave(base);
    throw error;
  }
}
