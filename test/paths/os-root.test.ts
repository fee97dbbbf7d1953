/**
 * What a root has to do with every kind of path, after what Go's tests of `os.Root` assert. Each row
 * is one tree and one path, tried with every operation, with links refused and with links followed.
 */
import { closeSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRootSync, type Root } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { fails, type Outcome, type Row, rows, to } from "../cases/os-root-paths.ts";
import { codeOf, codeOfLater, plant, scratch } from "../support/scratch.ts";

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
      const all = scratch();
      for (const [name, operation] of Object.entries(operations)) {
        for (const form of ["now", "later"] as const) {
          expect({
            name,
            form,
            ...(await run(join(all, name + form), row, name, operation, form, symlinks)),
          }).toEqual({
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
  base: string,
  row: Row,
  name: string,
  operation: Operation,
  form: "now" | "later",
  symlinks: "refuse" | "follow",
): Promise<{ code: string; asExpected: boolean }> {
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
