import * as fs from "node:fs";
import { openRoot, openRootSync, type RootOptions } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { codeOf, codeOfLater, scratch } from "../support/scratch.ts";
import { rootWith } from "./root-with.ts";

describe("options", () => {
  it("readOnly refuses every change and nothing else", async () => {
    const root = rootWith(["file", "folder/"], { readOnly: true });
    const changes: (() => Promise<unknown>)[] = [
      () => root.writeFile("file", ""),
      () => root.appendFile("file", ""),
      () => root.open("file", "r+"),
      () => root.open("file", "a"),
      () => root.open("file", fs.constants.O_RDONLY | fs.constants.O_TRUNC),
      () => root.open("new", fs.constants.O_RDONLY | fs.constants.O_CREAT),
      () => root.mkdir("new"),
      () => root.mkdir("folder", { recursive: true }),
      () => root.rm("file"),
      () => root.rm("none", { force: true }),
      () => root.unlink("file"),
      () => root.rename("file", "new"),
      () => root.access("file", fs.constants.W_OK),
      async () => (await root.openRoot("folder")).writeFile("x", ""),
    ];
    for (const act of changes) expect(await codeOfLater(act)).toBe("PATH_READ_ONLY");
    expect(await root.readFile("file", "utf8")).toBe("file");
    await root.access("file", fs.constants.R_OK);
    expect(fs.readdirSync(root.path).sort()).toEqual(["file", "folder"]);
  });

  it("names: what is made must be portable, what exists can be used", () => {
    const odd = ["a:b", "CON", "x~1", "%2e%2e", "line\nbreak", "back\\slash", "end.", "\u202e"];
    const root = rootWith(odd.map((name) => `folder?/${name}`));
    for (const name of odd) {
      const path = `folder?/${name}`;
      expect(root.readFileSync(path, "utf8")).toBe(path);
      expect(codeOf(() => root.writeFileSync(path, "x"))).toMatch(/^PATH_(INVALID|ESCAPE)$/);
      expect(codeOf(() => root.openSync(path, "a"))).toMatch(/^PATH_(INVALID|ESCAPE)$/);
      expect(codeOf(() => root.mkdirSync(`new/${name}/x`, { recursive: true }))).toMatch(/^PATH_/);
      expect(codeOf(() => root.renameSync("folder?", name))).toMatch(/^PATH_/);
    }
    root.writeFileSync("folder?/plain", "x");
    using native = openRootSync(root.path, { names: "native", weak: "allow" });
    for (const name of odd) native.writeFileSync(`folder?/${name}`, "new");
    using posix = openRootSync(root.path, { names: "posix", weak: "allow" });
    posix.writeFileSync("folder?/a:b", "x");
    expect(codeOf(() => posix.writeFileSync("folder?/%2e%2e", "x"))).toBe("PATH_ESCAPE");
    for (const name of odd) root.rmSync(`folder?/${name}`);
  });

  it("dotdot can be chosen apart from links", () => {
    const lines = ["a/b/file", "file", "link => a"];
    const resolving = rootWith(lines, { dotdot: "resolve" });
    expect(resolving.readFileSync("a/b/../../file", "utf8")).toBe("file");
    expect(codeOf(() => resolving.readFileSync("a/../../file"))).toBe("PATH_ESCAPE");
    expect(codeOf(() => resolving.readFileSync("link/../file"))).toBe("PATH_SYMLINK");
    const refusing = rootWith(lines, { symlinks: "follow", dotdot: "refuse" });
    expect(codeOf(() => refusing.readFileSync("a/../file"))).toBe("PATH_ESCAPE");
    expect(refusing.readFileSync("link/b/file", "utf8")).toBe("a/b/file");
  });

  it("unknown or wrong ones are refused", async () => {
    const folder = scratch();
    for (const options of [
      { hardlinks: "refuse" },
      { symlinks: "reject" },
      { symlinks: true },
      { readOnly: "false" },
      { toString: "x" },
      null,
    ]) {
      const code = await codeOfLater(() => openRoot(folder, options as unknown as RootOptions));
      expect(code).toBe("PATH_OPTION_INVALID");
    }
    const root = rootWith(["file"]);
    const wrong: (() => unknown)[] = [
      () => root.mkdirSync("x", { recursiv: true } as object),
      () => root.rmSync("file", { recursive: 1 } as unknown as object),
      () => root.writeFileSync("x", "", { flag: "wx" } as object),
      () => root.openSync("file", "rw" as "r"),
      () => root.openSync("file", "toString" as "r"),
      () => root.accessSync("file", 64),
    ];
    for (const act of wrong) expect(codeOf(act)).toBe("PATH_OPTION_INVALID");
  });
});
