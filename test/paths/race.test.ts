import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openRootSync, type Root } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { isSlow, plant, scratch } from "../support/scratch.ts";
import { startSwapping } from "../support/swapper.ts";

/** What a run attempts at least: attempts, then milliseconds. */
const least = isSlow ? { attempts: 200_000, ms: 0 } : { attempts: 100, ms: 100 };
const parallel = 16;
const secret = "outside";

/** The same tree inside and outside; the attacker makes `a/d` lead to the outside one. */
interface Arena {
  readonly root: Root;
  /** The folder inside that the attacker hides, held since before the attack. */
  readonly inside: Root;
  /** Path of the folder outside that corresponds to it. */
  readonly outside: string;
  readonly path: string;
}

interface Operation {
  now(arena: Arena): unknown;
  later(arena: Arena): Promise<unknown>;
  /** Whether the outside was read or changed; puts it right again. */
  escaped(arena: Arena, result: unknown): boolean;
  /** Makes the next attempt possible. */
  restore?(arena: Arena): void;
}

const file = "a/d/e/f";
const fresh = "a/d/e/new";

function takeNew({ outside }: Arena): boolean {
  const path = join(outside, "e/new");
  if (!existsSync(path)) return false;
  rmSync(path, { recursive: true });
  return true;
}

function isTouched({ outside }: Arena): boolean {
  const path = join(outside, "e/f");
  if (existsSync(path) && readFileSync(path, "utf8") === secret) return false;
  mkdirSync(join(outside, "e"), { recursive: true });
  writeFileSync(path, secret);
  return true;
}

const dropNew = ({ inside }: Arena) => inside.rmSync("e/new", { recursive: true, force: true });
const plantFile = ({ inside }: Arena) => inside.writeFileSync("e/f", "inside", { flush: false });
const plantTree = ({ inside }: Arena) => {
  inside.mkdirSync("e", { recursive: true });
  inside.writeFileSync("e/f", "inside", { flush: false });
};
const isOutsideFile = ({ outside }: Arena, result: unknown) =>
  (result as { ino?: number }).ino === statSync(join(outside, "e/f")).ino;

const operations: Record<string, Operation> = {
  read: {
    now: ({ root }) => root.readFileSync(file, "utf8"),
    later: ({ root }) => root.readFile(file, "utf8"),
    escaped: (_arena, result) => result === secret,
  },
  stat: {
    now: ({ root }) => root.statSync(file),
    later: ({ root }) => root.stat(file),
    escaped: isOutsideFile,
  },
  lstat: {
    now: ({ root }) => root.lstatSync(file),
    later: ({ root }) => root.lstat(file),
    escaped: isOutsideFile,
  },
  readdir: {
    now: ({ root }) => root.readdirSync("a/d/e"),
    later: ({ root }) => root.readdir("a/d/e"),
    escaped: (_arena, result) => Array.isArray(result) && result.includes("marker"),
  },
  openRoot: {
    now({ root }) {
      using below = root.openRootSync("a/d");
      return below.readFileSync("e/f", "utf8");
    },
    async later({ root }) {
      await using below = await root.openRoot("a/d");
      return await below.readFile("e/f", "utf8");
    },
    escaped: (_arena, result) => result === secret,
  },
  create: {
    now: ({ root }) => closeSync(root.openSync(fresh, "wx")),
    later: async ({ root }) => (await root.open(fresh, "wx")).close(),
    escaped: takeNew,
    restore: dropNew,
  },
  writeFile: {
    now: ({ root }) => root.writeFileSync(file, "inside", { flush: false }),
    later: ({ root }) => root.writeFile(file, "inside", { flush: false }),
    escaped: isTouched,
  },
  append: {
    now: ({ root }) => root.appendFileSync(file, "x"),
    later: ({ root }) => root.appendFile(file, "x"),
    escaped: isTouched,
    restore: plantFile,
  },
  truncate: {
    now: ({ root }) => closeSync(root.openSync(file, "w")),
    later: async ({ root }) => (await root.open(file, "w")).close(),
    escaped: isTouched,
  },
  mkdir: {
    now: ({ root }) => root.mkdirSync(fresh),
    later: ({ root }) => root.mkdir(fresh),
    escaped: takeNew,
    restore: dropNew,
  },
  "mkdir -p": {
    now: ({ root }) => root.mkdirSync(`${fresh}/x/y`, { recursive: true }),
    later: ({ root }) => root.mkdir(`${fresh}/x/y`, { recursive: true }),
    escaped: takeNew,
    restore: dropNew,
  },
  unlink: {
    now: ({ root }) => root.unlinkSync(file),
    later: ({ root }) => root.unlink(file),
    escaped: isTouched,
    restore: plantFile,
  },
  "rename into": {
    now: ({ root }) => root.renameSync("stay", fresh),
    later: ({ root }) => root.rename("stay", fresh),
    escaped: takeNew,
    restore({ root }) {
      if (!existsSync(join(root.path, "stay"))) writeFileSync(join(root.path, "stay"), "");
    },
  },
  "rename out of": {
    now: ({ root }) => root.renameSync(file, "taken"),
    later: ({ root }) => root.rename(file, "taken"),
    escaped: isTouched,
    restore: plantFile,
  },
  "rm -r": {
    now: ({ root }) => root.rmSync("a/d/e", { recursive: true }),
    later: ({ root }) => root.rm("a/d/e", { recursive: true }),
    escaped: isTouched,
    restore: plantTree,
  },
};

/** What may go wrong in a tree that changes all the time; anything else is a fault of ours. */
const expected = new Set(
  [
    "PATH_SYMLINK PATH_ESCAPE PATH_CHANGED ENOENT EEXIST ENOTDIR ELOOP ENOTEMPTY".split(" "),
    // Appending to a file that is just being replaced or renamed beside.
    "PATH_HARD_LINK EISDIR".split(" "),
  ].flat(),
);

interface Tally {
  attempts: number;
  done: number;
  escapes: number;
  readonly refusals: Set<string>;
}

async function arenaOf(swap: "folder" | "file", symlinks: "refuse" | "follow"): Promise<Arena> {
  const base = scratch();
  const path = plant(join(base, "root"), ["a/d/e/f", "stay"]);
  const outside = plant(join(base, "out"), ["e/f", "e/marker"]);
  writeFileSync(join(outside, "e/f"), secret);
  const root = openRootSync(path, { symlinks });
  const inside = root.openRootSync("a/d");
  if (swap === "folder") {
    plant(path, ["a/link => ../../out"]);
    await startSwapping(join(path, "a"), "d", "link");
  } else {
    plant(path, ["a/d/e/link => ../../../../out/e/f"]);
    await startSwapping(join(path, "a/d/e"), "f", "link");
  }
  return { root, inside, outside, path };
}

function restore(arena: Arena, operation: Operation): void {
  try {
    operation.restore?.(arena);
  } catch (error) {
    // The attacker is here too; then the attempt is one at what is there.
    expect(expected).toContain((error as NodeJS.ErrnoException).code);
  }
}

async function attempt(arena: Arena, operation: Operation, form: "now" | "later"): Promise<Tally> {
  const tally: Tally = { attempts: 0, done: 0, escapes: 0, refusals: new Set() };
  const until = performance.now() + least.ms;
  const settle = (result: unknown) => {
    tally.done++;
    if (operation.escaped(arena, result)) tally.escapes++;
  };
  const refuse = (error: NodeJS.ErrnoException) => {
    tally.refusals.add(error.code ?? String(error));
    if (operation.escaped(arena, {})) tally.escapes++;
  };
  while (tally.attempts < least.attempts || performance.now() < until) {
    restore(arena, operation);
    if (form === "now") {
      tally.attempts++;
      try {
        settle(operation.now(arena));
      } catch (error) {
        refuse(error as NodeJS.ErrnoException);
      }
    } else {
      tally.attempts += parallel;
      const all = Array.from({ length: parallel }, () => operation.later(arena));
      await Promise.all(all.map((one) => one.then(settle, refuse)));
    }
  }
  return tally;
}

describe.skipIf(process.platform !== "linux").each([
  ["folder", "refuse"],
  ["folder", "follow"],
  ["file", "refuse"],
] as const)("while a %s is swapped for a link, with links: %s", (swap, symlinks) => {
  const swapped = swap === "folder" ? null : ["read", "append", "truncate", "writeFile", "unlink"];
  const names = Object.keys(operations).filter((name) => swapped?.includes(name) ?? true);

  it.each(names)("%s never leaves the root", { timeout: 900_000 }, async (name) => {
    const operation = operations[name] as Operation;
    const arena = await arenaOf(swap, symlinks);
    using _root = arena.root;
    using _inside = arena.inside;
    const seen = { done: 0, refused: 0 };
    const forms: ("now" | "later")[] = ["now", "later"];
    const giveUp = performance.now() + 10_000;
    for (const form of forms) {
      const tally = await attempt(arena, operation, form);
      seen.done += tally.done;
      seen.refused += tally.attempts - tally.done;
      expect(tally.escapes).toBe(0);
      expect([...tally.refusals].filter((code) => !expected.has(code))).toEqual([]);
      expect(tally.attempts).toBeGreaterThanOrEqual(least.attempts);
      // On a busy machine the attacker may not have had its turn yet.
      if (Math.min(seen.done, seen.refused) === 0 && performance.now() < giveUp) forms.push(form);
    }
    // The attacker was there, and did not keep everything from working.
    expect(Math.min(seen.done, seen.refused)).toBeGreaterThan(0);
  });
});

describe.skipIf(process.platform !== "linux")("positive control", () => {
  it("checking the real path and then opening it does leave the root", async () => {
    const { path, root, inside } = await arenaOf("folder", "refuse");
    using _root = root;
    using _inside = inside;
    let escapes = 0;
    const until = performance.now() + 20_000;
    while (escapes === 0 && performance.now() < until) {
      try {
        const real = realpathSync(join(path, file));
        if (!real.startsWith(`${path}/`)) continue;
        const fd = openSync(real, "r");
        if (readFileSync(fd, "utf8") === secret) escapes++;
        closeSync(fd);
      } catch {
        // The name was missing for a moment.
      }
    }
    expect(escapes).toBeGreaterThan(0);
  });
});
