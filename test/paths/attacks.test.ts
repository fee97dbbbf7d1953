/** Tricks that an attacker inside the root would try, beside racing. */
import * as fs from "node:fs";
import { join } from "node:path";
import { openRootSync } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { codeOf, countDescriptors, plant, scratch } from "../support/scratch.ts";
import { rootWith } from "./root-with.ts";

describe.skipIf(process.platform !== "linux")("an attacker", () => {
  it("who moves the root and puts another folder in its place changes nothing", () => {
    const base = plant(scratch(), ["root/a/file", "other/a/file"]);
    using root = openRootSync(join(base, "root"));
    fs.renameSync(join(base, "root"), join(base, "moved"));
    fs.symlinkSync("other", join(base, "root"));
    root.writeFileSync("a/file", "mine");
    root.mkdirSync("new");
    expect(fs.readFileSync(join(base, "moved/a/file"), "utf8")).toBe("mine");
    expect(fs.readFileSync(join(base, "other/a/file"), "utf8")).toBe("other/a/file");
    expect(fs.readdirSync(join(base, "other"))).toEqual(["a"]);
  });

  it("who removes the root stops everything", () => {
    const base = plant(scratch(), ["root/", "other/"]);
    using root = openRootSync(join(base, "root"));
    fs.rmdirSync(join(base, "root"));
    fs.renameSync(join(base, "other"), join(base, "root"));
    expect(codeOf(() => root.writeFileSync("x", ""))).toBe("ENOENT");
    expect(codeOf(() => root.mkdirSync("x/y", { recursive: true }))).toBe("ENOENT");
    expect(fs.readdirSync(join(base, "root"))).toEqual([]);
  });

  it("cannot pass flags that open a link itself or a nameless file", () => {
    const root = rootWith(["file", "link => file"]);
    const { O_RDWR, O_DIRECTORY } = fs.constants;
    const O_PATH = 0o10000000;
    const O_TMPFILE = 0o20000000 | O_DIRECTORY;
    for (const flags of [O_PATH, O_TMPFILE | O_RDWR, 1 << 29, -1, 2 ** 31, 0.5, Number.NaN]) {
      expect(codeOf(() => root.openSync("link", flags))).toBe("PATH_OPTION_INVALID");
    }
    expect(codeOf(() => root.openSync("link", O_DIRECTORY))).toBe("PATH_SYMLINK");
  });

  it("cannot use names that are not UTF-8, and they can be removed", () => {
    const root = rootWith(["tree/\ufffd"]);
    const bytes = (name: number[]) =>
      Buffer.concat([Buffer.from(`${root.path}/tree/`), Buffer.from(name)]);
    fs.mkdirSync(bytes([0xff]));
    fs.writeFileSync(Buffer.concat([bytes([0xff]), Buffer.from("/x")]), "");
    fs.symlinkSync(Buffer.from([0xfe]), bytes([0x6c]));
    using follow = openRootSync(root.path, { symlinks: "follow" });
    // Three names that all look like U+FFFD: none of them stands for another.
    expect(codeOf(() => follow.readFileSync("tree/\ufffd"))).toBe("PATH_INVALID");
    expect(codeOf(() => follow.readFileSync("tree/l"))).toBe("PATH_INVALID");
    expect(codeOf(() => follow.readFileSync("tree/\ud800"))).toBe("PATH_INVALID");
    root.rmSync("tree", { recursive: true });
    expect(fs.readdirSync(root.path)).toEqual([]);
  });

  it("cannot exhaust descriptors or the stack with depth", { timeout: 20_000 }, async () => {
    const root = rootWith([]);
    // Deeper than one path can say, by putting one tree into the other.
    const depth = 1500;
    root.mkdirSync("a/".repeat(depth), { recursive: true });
    root.mkdirSync("b/".repeat(depth), { recursive: true });
    root.renameSync("a", `${"b/".repeat(depth)}a`);
    const before = countDescriptors() ?? 0;
    let most = 0;
    const sampler = setInterval(() => {
      most = Math.max(most, countDescriptors() ?? 0);
    }, 1);
    await root.rm("b", { recursive: true });
    clearInterval(sampler);
    expect(most).toBeGreaterThan(before + 10);
    expect(most).toBeLessThan(before + 100);
    expect(fs.readdirSync(root.path)).toEqual([]);
  });

  it("cannot make a lookup take long", { timeout: 5000 }, () => {
    const doubling = Array.from({ length: 39 }, (_, level) => {
      const next = `l${level + 1}`;
      return `l${level} => ${next}/../${next}/../${next}`;
    });
    const root = rootWith([...doubling, "l39/file", "a/", "self => ."], { symlinks: "follow" });
    expect(codeOf(() => root.readFileSync("l0/file"))).toBe("ELOOP");
    expect(codeOf(() => root.readFileSync("self/".repeat(41)))).toBe("ELOOP");
    expect(codeOf(() => root.readFileSync(`${"a/../".repeat(4000)}x`))).toBe("ELOOP");
    expect(codeOf(() => root.readFileSync("a/".repeat(500_000)))).toBe("ENAMETOOLONG");
    expect(codeOf(() => root.readFileSync("x".repeat(5_000_000)))).toBe("PATH_INVALID");
    expect(codeOf(() => root.mkdirSync("%25".repeat(80), { recursive: true }))).toBe("none");
  });

  it("cannot pass a path that changes after it was checked", () => {
    const root = rootWith(["file"]);
    let asked = 0;
    const shifty = {
      toString: () => (asked++ === 0 ? "file" : "../x"),
      [Symbol.toPrimitive]: null,
    };
    for (const path of [
      shifty,
      ["file"],
      new String("file"),
      Buffer.from("file"),
      new URL("file:///x"),
    ]) {
      expect(codeOf(() => root.readFileSync(path as unknown as string))).toBe("PATH_INVALID");
      expect(codeOf(() => root.rmSync(path as unknown as string))).toBe("PATH_INVALID");
      expect(codeOf(() => root.rmSync(path as unknown as string, { recursive: true }))).toBe(
        "PATH_INVALID",
      );
    }
    expect(asked).toBe(0);
  });

  it("cannot loosen a root through its options object or a prototype", () => {
    const options: { symlinks: "refuse" | "follow" } = { symlinks: "refuse" };
    const root = rootWith(["a/file", "link => a"], options);
    options.symlinks = "follow";
    expect(codeOf(() => root.readFileSync("link/file"))).toBe("PATH_SYMLINK");
    Object.defineProperty(Object.prototype, "symlinks", { value: "follow", configurable: true });
    try {
      using polluted = openRootSync(root.path);
      expect(codeOf(() => polluted.readFileSync("link/file"))).toBe("PATH_SYMLINK");
    } finally {
      Reflect.deleteProperty(Object.prototype, "symlinks");
    }
  });

  it("cannot have an outside file changed by a link that takes the place of a target", () => {
    const base = plant(scratch(), ["outside", "root/file"]);
    using root = openRootSync(join(base, "root"));
    fs.rmSync(join(base, "root/file"));
    fs.symlinkSync("../outside", join(base, "root/file"));
    expect(codeOf(() => root.writeFileSync("file", "x"))).toBe("PATH_SYMLINK");
    fs.writeFileSync(join(base, "root/new"), "new");
    root.renameSync("new", "file");
    expect(root.readFileSync("file", "utf8")).toBe("new");
    expect(fs.readFileSync(join(base, "outside"), "utf8")).toBe("outside");
  });

  it("finds no way back from a folder that was moved out", () => {
    const base = plant(scratch(), ["root/a/b/file", "secret"]);
    using root = openRootSync(join(base, "root"), { symlinks: "follow" });
    using below = root.openRootSync("a/b");
    fs.renameSync(join(base, "root/a/b"), join(base, "b"));
    for (const path of ["../secret", "file/../../secret", "./../secret"]) {
      expect(codeOf(() => below.readFileSync(path))).toMatch(/^(PATH_ESCAPE|ENOTDIR)$/);
    }
    expect(below.readFileSync("file", "utf8")).toBe("root/a/b/file");
  });
});
