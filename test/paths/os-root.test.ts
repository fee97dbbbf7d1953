/**
 * What a root has to do with every kind of path, after what Go's tests of `os.Root` assert. Each row
 * is one tree and one path, tried with every operation, with links refused and with links followed.
 */
import { closeSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRootSync, type Root } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { codeOf, codeOfLater, plant, scratch } from "../support/scratch.ts";

/** Where a path leads: below the root to this name, or to an error. */
type Outcome = { readonly to: string } | { readonly fails: readonly string[] };

interface Row {
  readonly name: string;
  readonly tree?: readonly string[];
  readonly path: string;
  /** With links refused. */
  readonly strict: Outcome;
  /** With links followed; default: as with links refused. */
  readonly follow?: Outcome;
  /** The last name is a link, which some operations are about themselves. */
  readonly endsInLink?: true;
}

const to = (name: string): Outcome => ({ to: name });
const fails = (...codes: string[]): Outcome => ({ fails: codes });
const leaving = fails("PATH_ESCAPE");
const link = fails("PATH_SYMLINK");
/** A link below the root, which leads to where Go finds it. */
const followed = (name: string) => ({ strict: link, follow: to(name) });
const loop = { strict: link, follow: fails("ELOOP") };
const leaves = { strict: link, follow: leaving };
/** `..` is refused with links refused, and resolved with links followed. */
const dotted = (name: string) => ({ strict: leaving, follow: to(name) });

const chain = Array.from({ length: 60 }, (_, index) => `link${index} => link${index + 1}`);

const rows: readonly Row[] = [
  // Plain
  { name: "a plain name", path: "target", strict: to("target") },
  { name: "a path of folders", tree: ["a/b/"], path: "a/b/target", strict: to("a/b/target") },
  { name: "single dots", tree: ["a/"], path: "./a/././target", strict: to("a/target") },
  { name: "repeated slashes", tree: ["a/"], path: "a///target", strict: to("a/target") },
  { name: "a name of three dots", path: "...", strict: to("...") },
  { name: "a name that starts with dots", path: "..target", strict: to("..target") },
  // Not below the root
  { name: "the empty path", path: "", strict: fails("PATH_INVALID") },
  { name: "an absolute path", path: "/etc/hostname", strict: leaving },
  { name: "an absolute path with two slashes", path: "//etc/hostname", strict: leaving },
  { name: "the parent", path: "../target", strict: leaving },
  { name: "the parent itself", path: "..", strict: leaving },
  { name: "the parent with a slash", path: "../", strict: leaving },
  { name: "the parent after a folder", tree: ["a/"], path: "a/../../target", strict: leaving },
  { name: "the parent, and back", path: "../root/target", strict: leaving },
  { name: "many parents", tree: ["a/b/c/"], path: "a/b/c/../../../../target", strict: leaving },
  // Dots below the root
  { name: "back from a folder", tree: ["a/"], path: "a/../target", ...dotted("target") },
  { name: "back twice", tree: ["a/b/"], path: "a/b/../../target", ...dotted("target") },
  {
    name: "back to a sibling",
    tree: ["a/b/", "c/"],
    path: "a/b/../../c/target",
    ...dotted("c/target"),
  },
  {
    name: "back from what does not exist",
    path: "none/../target",
    strict: leaving,
    follow: fails("ENOENT"),
  },
  {
    name: "back from a file",
    tree: ["file"],
    path: "file/../target",
    strict: leaving,
    follow: fails("ENOTDIR"),
  },
  // Links below the root
  {
    name: "a link",
    tree: ["link => target"],
    path: "link",
    endsInLink: true,
    ...followed("target"),
  },
  {
    name: "a link in a folder",
    tree: ["a/link => target"],
    path: "a/link",
    endsInLink: true,
    ...followed("a/target"),
  },
  {
    name: "a chain of links",
    tree: ["link => b", "b => c/d", "c/d => ../e", "e => f/", "f/"],
    path: "link/target",
    ...followed("f/target"),
  },
  {
    name: "a link to a folder",
    tree: ["link => a", "a/"],
    path: "link/target",
    ...followed("a/target"),
  },
  {
    name: "a link to a folder, with a slash",
    tree: ["link => a/", "a/"],
    path: "link/target",
    ...followed("a/target"),
  },
  {
    name: "a link back",
    tree: ["a/b/link => ../../c", "c/"],
    path: "a/b/link/target",
    ...followed("c/target"),
  },
  {
    name: "a link to its own folder",
    tree: ["a/link => ."],
    path: "a/link/target",
    ...followed("a/target"),
  },
  {
    name: "a link to the root",
    tree: ["a/link => .."],
    path: "a/link/target",
    ...followed("target"),
  },
  {
    name: "dots after a link",
    tree: ["link => a/b", "a/b/", "a/"],
    path: "link/../target",
    strict: leaving,
    follow: to("a/target"),
  },
  {
    name: "a link with dots inside",
    tree: ["a/b/", "link => a/b/../../target"],
    path: "link",
    endsInLink: true,
    ...followed("target"),
  },
  // Links out of the root
  {
    name: "a link to the parent",
    tree: ["link => ../target"],
    path: "link",
    endsInLink: true,
    ...leaves,
  },
  { name: "a link to the parent folder", tree: ["link => .."], path: "link/target", ...leaves },
  {
    name: "a link out and back in",
    tree: ["link => ../root/target"],
    path: "link",
    endsInLink: true,
    ...leaves,
  },
  {
    name: "a link to an absolute path",
    tree: ["link => /etc/hostname"],
    path: "link",
    endsInLink: true,
    ...leaves,
  },
  {
    name: "a link to an absolute folder",
    tree: ["link => /etc"],
    path: "link/hostname",
    ...leaves,
  },
  {
    name: "an absolute link in a chain",
    tree: ["link => a", "a => /etc"],
    path: "link/hostname",
    ...leaves,
  },
  {
    name: "dots that a link adds up to",
    tree: ["a/link => ../..", "a/"],
    path: "a/link/target",
    ...leaves,
  },
  // Loops
  { name: "a link to itself", tree: ["link => link"], path: "link", endsInLink: true, ...loop },
  {
    name: "two links to each other",
    tree: ["link => b", "b => link"],
    path: "link",
    endsInLink: true,
    ...loop,
  },
  { name: "a loop of folders", tree: ["link => link/x"], path: "link/target", ...loop },
  { name: "too many links", tree: chain, path: "link0", endsInLink: true, ...loop },
  // Not there, or not a folder
  { name: "a missing folder", path: "none/target", strict: fails("ENOENT") },
  { name: "a file as a folder", tree: ["file"], path: "file/target", strict: fails("ENOTDIR") },
  {
    name: "a link to nothing, as a folder",
    tree: ["link => none"],
    path: "link/target",
    strict: link,
    follow: fails("ENOENT"),
  },
];

interface Operation {
  /** What has to be at the end of the path. */
  readonly needs: "file" | "folder" | "nothing";
  readonly now: (root: Root, path: string) => unknown;
  readonly later: (root: Root, path: string) => Promise<unknown>;
  /** Whether it was done to this path. */
  readonly done: (path: string) => boolean;
  /** It acts on a link at the end itself. */
  readonly ofLink?: true;
}

const text = "content";
const isFile = (path: string) => existsSync(path) && readFileSync(path, "utf8") === text;

const operations: Record<string, Operation> = {
  readFile: {
    needs: "file",
    now: (root, path) => root.readFileSync(path, "utf8"),
    later: (root, path) => root.readFile(path, "utf8"),
    done: isFile,
  },
  writeFile: {
    needs: "nothing",
    now: (root, path) => root.writeFileSync(path, text, { flush: false }),
    later: (root, path) => root.writeFile(path, text, { flush: false }),
    done: isFile,
  },
  appendFile: {
    needs: "nothing",
    now: (root, path) => root.appendFileSync(path, text),
    later: (root, path) => root.appendFile(path, text),
    done: isFile,
  },
  "open to create": {
    needs: "nothing",
    now: (root, path) => closeSync(root.openSync(path, "w")),
    later: async (root, path) => (await root.open(path, "w")).close(),
    done: existsSync,
  },
  stat: {
    needs: "file",
    now: (root, path) => root.statSync(path),
    later: (root, path) => root.stat(path),
    done: isFile,
  },
  access: {
    needs: "file",
    now: (root, path) => root.accessSync(path),
    later: (root, path) => root.access(path),
    done: isFile,
  },
  lstat: {
    needs: "file",
    ofLink: true,
    now: (root, path) => root.lstatSync(path),
    later: (root, path) => root.lstat(path),
    done: isThere,
  },
  unlink: {
    needs: "file",
    ofLink: true,
    now: (root, path) => root.unlinkSync(path),
    later: (root, path) => root.unlink(path),
    done: (path) => !isThere(path),
  },
  rm: {
    needs: "file",
    ofLink: true,
    now: (root, path) => root.rmSync(path),
    later: (root, path) => root.rm(path),
    done: (path) => !isThere(path),
  },
  "rm -r": {
    needs: "folder",
    ofLink: true,
    now: (root, path) => root.rmSync(path, { recursive: true }),
    later: (root, path) => root.rm(path, { recursive: true }),
    done: (path) => !isThere(path),
  },
  "rename from": {
    needs: "file",
    ofLink: true,
    now: (root, path) => root.renameSync(path, "moved"),
    later: (root, path) => root.rename(path, "moved"),
    done: (path) => !isThere(path),
  },
  readdir: {
    needs: "folder",
    now: (root, path) => root.readdirSync(path),
    later: (root, path) => root.readdir(path),
    done: existsSync,
  },
  openRoot: {
    needs: "folder",
    now: (root, path) => root.openRootSync(path).closeSync(),
    later: async (root, path) => (await root.openRoot(path)).close(),
    done: existsSync,
  },
  "mkdir -p": {
    needs: "folder",
    now: (root, path) => root.mkdirSync(path, { recursive: true }),
    later: (root, path) => root.mkdir(path, { recursive: true }),
    done: existsSync,
  },
};

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** What it may not do is no error for an operation that makes what is missing. */
const makesFolders = new Set(["mkdir -p"]);
/** These check the names they make; `...` is none that is portable. */
const makesNames = new Set(["writeFile", "appendFile", "open to create", "mkdir -p"]);

describe.skipIf(process.platform === "win32").each(["refuse", "follow"] as const)(
  "with links: %s",
  (symlinks) => {
    it.each(rows)("$name", async (row) => {
      for (const [name, operation] of Object.entries(operations)) {
        for (const form of ["now", "later"] as const) {
          expect({ name, form, ...(await run(row, name, operation, form, symlinks)) }).toEqual({
            name,
            form,
            code: expect.any(String),
            asExpected: true,
          });
        }
      }
    });
  },
);

async function run(
  row: Row,
  name: string,
  operation: Operation,
  form: "now" | "later",
  symlinks: "refuse" | "follow",
): Promise<{ code: string; asExpected: boolean }> {
  const base = scratch();
  const folder = plant(join(base, "root"), ["keep", ...(row.tree ?? [])]);
  writeFileSync(join(base, "target"), "outside");
  const outcome = outcomeOf(row, name, operation, symlinks);
  if ("to" in outcome && !isThere(join(folder, outcome.to))) {
    if (operation.needs === "file") writeFileSync(join(folder, outcome.to), text);
    if (operation.needs === "folder") mkdirSync(join(folder, outcome.to));
  }
  using root = openRootSync(folder, { symlinks });
  const code =
    form === "now"
      ? codeOf(() => operation.now(root, row.path))
      : await codeOfLater(() => operation.later(root, row.path));
  const isOutsideWhole = readFileSync(join(base, "target"), "utf8") === "outside";
  const asExpected =
    "to" in outcome
      ? code === "none" && operation.done(join(folder, outcome.to))
      : outcome.fails.includes(code) || (makesFolders.has(name) && outcome.fails[0] === "ENOENT");
  return { code, asExpected: asExpected && isOutsideWhole };
}

function outcomeOf(
  row: Row,
  name: string,
  operation: Operation,
  symlinks: "refuse" | "follow",
): Outcome {
  if (row.endsInLink && operation.ofLink) return to(row.path);
  if (row.path === "..." && makesNames.has(name)) return fails("PATH_ESCAPE");
  return (symlinks === "follow" ? row.follow : undefined) ?? row.strict;
}
