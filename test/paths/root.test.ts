import * as fs from "node:fs";
import { join } from "node:path";
import { openRoot, PathError, type Root } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { codeOf, codeOfLater, plant, scratch } from "../support/scratch.ts";
import { rootWith } from "./root-with.ts";

const plainText = (root: Root, name: string) => fs.readFileSync(join(root.path, name), "utf8");
const modeOf = (root: Root, name: string) => root.lstatSync(name).mode & 0o777;

describe("the end of a path", () => {
  const tree = ["file", "folder/x", "filelink => file", "link => folder", "dangling => new"];

  it.each(["refuse", "follow"] as const)("with a slash means a folder; links: %s", (symlinks) => {
    const root = rootWith(tree, { symlinks });
    const link = symlinks === "refuse" ? "PATH_SYMLINK" : undefined;
    for (const slash of ["/", "//", "/.", "/./"]) {
      expect(root.readdirSync(`folder${slash}`)).toEqual(["x"]);
      expect(root.statSync(`folder${slash}`).isDirectory()).toBe(true);
      expect(codeOf(() => root.readFileSync(`file${slash}`))).toBe("ENOTDIR");
      expect(codeOf(() => root.statSync(`file${slash}`))).toBe("ENOTDIR");
      expect(codeOf(() => root.unlinkSync(`file${slash}`))).toBe("ENOTDIR");
      expect(codeOf(() => root.writeFileSync(`new${slash}`, ""))).toBe("EISDIR");
      expect(codeOf(() => root.openSync(`new${slash}`, "w"))).toBe("EISDIR");
      expect(codeOf(() => root.unlinkSync(`folder${slash}`))).toBe("EISDIR");
      expect(codeOf(() => root.renameSync(`file${slash}`, "moved"))).toBe("ENOTDIR");
      expect(codeOf(() => root.renameSync("file", `moved${slash}`))).toBe("ENOTDIR");
      // A slash never makes a link be followed where links are refused.
      expect(codeOf(() => root.readdirSync(`link${slash}`))).toBe(link ?? "none");
      expect(codeOf(() => root.statSync(`link${slash}`))).toBe(link ?? "none");
      expect(codeOf(() => root.lstatSync(`link${slash}`))).toBe(link ?? "none");
      expect(codeOf(() => root.readFileSync(`filelink${slash}`))).toBe(link ?? "ENOTDIR");
      expect(codeOf(() => root.openRootSync(`link${slash}`).closeSync())).toBe(link ?? "none");
      expect(codeOf(() => root.mkdirSync(`dangling${slash}`))).toBe(link ?? "none");
      if (symlinks === "follow") root.rmSync("new");
    }
    root.mkdirSync("made/");
    root.renameSync("made/", "moved/");
    root.rmSync("moved/");
    root.rmSync("link/", { recursive: true });
    expect(fs.readdirSync(root.path).sort()).toEqual(["dangling", "file", "filelink", "folder"]);
    expect(plainText(root, "folder/x")).toBe("folder/x");
  });

  it("may be a link to nothing: refused, or made where it leads below the root", async () => {
    const lines = ["a/dangling => b/new", "a/b/", "out => ../outside", "far => /tmp/nopeek-none"];
    const strict = rootWith(lines);
    const follow = rootWith(lines, { symlinks: "follow" });
    for (const act of [
      (root: Root, path: string) => root.openSync(path, "w"),
      (root: Root, path: string) => root.appendFileSync(path, ""),
      (root: Root, path: string) => root.writeFileSync(path, ""),
    ]) {
      expect(codeOf(() => act(strict, "a/dangling"))).toBe("PATH_SYMLINK");
      expect(codeOf(() => act(follow, "out"))).toBe("PATH_ESCAPE");
      expect(codeOf(() => act(follow, "far"))).toBe("PATH_ESCAPE");
    }
    expect(codeOf(() => follow.openSync("a/dangling", "wx"))).toBe("EEXIST");
    expect(codeOf(() => follow.readFileSync("a/dangling"))).toBe("ENOENT");
    await follow.writeFile("a/dangling", "made");
    expect(plainText(follow, "a/b/new")).toBe("made");
    expect(follow.lstatSync("a/dangling").isSymbolicLink()).toBe(true);
    expect(codeOf(() => strict.mkdirSync("a/dangling", { recursive: true }))).toBe("PATH_SYMLINK");
    expect(codeOf(() => strict.mkdirSync("a/dangling"))).toBe("EEXIST");
  });

  it("may be the root itself, where that makes sense", () => {
    const root = rootWith(["file", "sub/"], { dotdot: "resolve" });
    for (const path of [".", "./", "./.", "sub/.."]) {
      expect(root.readdirSync(path).length).toBeGreaterThan(0);
      expect(root.statSync(path).isDirectory()).toBe(true);
      expect(root.lstatSync(path).isDirectory()).toBe(true);
      root.accessSync(path);
      root.openRootSync(path).closeSync();
      root.mkdirSync(path, { recursive: true });
      fs.closeSync(root.openSync(path));
      expect(codeOf(() => root.mkdirSync(path))).toBe("EEXIST");
      expect(codeOf(() => root.rmSync(path, { recursive: true }))).toBe("EINVAL");
      expect(codeOf(() => root.renameSync(path, "x"))).toBe("EINVAL");
      expect(codeOf(() => root.renameSync("file", path))).toBe("EINVAL");
      expect(codeOf(() => root.unlinkSync(path))).toBe("EISDIR");
      expect(codeOf(() => root.writeFileSync(path, ""))).toBe("EISDIR");
    }
  });
});

describe("listing a folder", () => {
  it("gives names, or what they are", async () => {
    const root = rootWith(["a/file", "a/folder/", "a/link => file"]);
    expect((await root.readdir("a")).sort()).toEqual(["file", "folder", "link"]);
    const entries = await root.readdir("a", { withFileTypes: true });
    expect(entries).toHaveLength(3);
    expect(root.readdirSync("a", { withFileTypes: true })).toEqual(entries);
    expect(entries).toEqual(
      expect.arrayContaining([
        { name: "file", kind: "file" },
        { name: "folder", kind: "directory" },
        { name: "link", kind: "symlink" },
      ]),
    );
  });
});

describe("writing a file", () => {
  it("replaces it as a whole and leaves nothing beside it", async () => {
    const root = rootWith(["file"]);
    const before = root.statSync("file").ino;
    const reader = root.openSync("file");
    await root.writeFile("file", Buffer.from([0, 255]));
    expect(root.readFileSync("file")).toEqual(Buffer.from([0, 255]));
    expect(fs.readFileSync(reader, "utf8")).toBe("file");
    fs.closeSync(reader);
    expect(root.statSync("file").ino).not.toBe(before);
    root.writeFileSync("new", "text");
    expect(fs.readdirSync(root.path).sort()).toEqual(["file", "new"]);
  });

  it("keeps the permissions of what it replaces, or takes the given ones exactly", () => {
    const root = rootWith(["file"]);
    fs.chmodSync(join(root.path, "file"), 0o640);
    root.writeFileSync("file", "x");
    expect(modeOf(root, "file")).toBe(0o640);
    const umask = process.umask();
    root.writeFileSync("new", "x");
    expect(modeOf(root, "new")).toBe(0o666 & ~umask);
    root.writeFileSync("file", "x", { mode: 0o600 });
    root.writeFileSync("open", "x", { mode: 0o666, flush: false });
    expect([modeOf(root, "file"), modeOf(root, "open")]).toEqual([0o600, 0o666]);
    for (const mode of [0o4755, 0o1000, -1, 1.5, "600"]) {
      const options = { mode: mode as number };
      expect(codeOf(() => root.writeFileSync("x", "", options))).toBe("PATH_OPTION_INVALID");
      expect(codeOf(() => root.mkdirSync("x", options))).toBe("PATH_OPTION_INVALID");
      expect(codeOf(() => root.openSync("x", "w", options.mode))).toBe("PATH_OPTION_INVALID");
    }
  });

  it("never replaces with `exclusive`, and cleans up", async () => {
    const root = rootWith(["file", "folder/", "link => none"]);
    for (const path of ["file", "folder", "link"]) {
      const options = { exclusive: true };
      expect(codeOf(() => root.writeFileSync(path, "x", options))).toBe("EEXIST");
      expect(await codeOfLater(() => root.writeFile(path, "x", options))).toBe("EEXIST");
    }
    root.writeFileSync("new", "x", { exclusive: true });
    expect(root.statSync("new").nlink).toBe(1);
    expect(fs.readdirSync(root.path).sort()).toEqual(["file", "folder", "link", "new"]);
  });

  it("adds to the end, and keeps bytes apart from text", async () => {
    const root = rootWith([]);
    await root.appendFile("log", "a\n");
    root.appendFileSync("log", new Uint8Array([98, 10]));
    expect(root.readFileSync("log", "utf8")).toBe("a\nb\n");
    expect(await root.readFile("log", "base64")).toBe("YQpiCg==");
  });

  it("refuses content that is neither, without quoting it", async () => {
    const root = rootWith([]);
    for (const content of [{ token: "hf_quoted" }, 12345, undefined, null]) {
      const act = () => root.writeFileSync("x", content as unknown as string);
      expect(codeOf(act)).toBe("PATH_OPTION_INVALID");
      expect(act).toThrow(/^[^0-9]*$/);
      expect(await codeOfLater(() => root.appendFile("x", content as unknown as string))).toBe(
        "PATH_OPTION_INVALID",
      );
    }
  });
});

describe("removing and moving", () => {
  it("removes trees, links and nothing, as asked", async () => {
    const root = rootWith(["tree/a/b/c", "tree/link => ../keep", "keep/x", "one => keep"]);
    expect(codeOf(() => root.rmSync("tree"))).toBe("ENOTEMPTY");
    await root.rm("tree", { recursive: true });
    await root.rm("one", { recursive: true });
    expect(codeOf(() => root.rmSync("none"))).toBe("ENOENT");
    root.rmSync("none", { force: true });
    root.rmSync("none/none", { force: true, recursive: true });
    expect(codeOf(() => root.rmSync("../x", { force: true }))).toBe("PATH_ESCAPE");
    root.mkdirSync("empty");
    await root.rm("empty");
    expect(fs.readdirSync(root.path)).toEqual(["keep"]);
    expect(plainText(root, "keep/x")).toBe("keep/x");
  });

  it("replaces files and never folders", async () => {
    const root = rootWith(["a", "b", "full/x", "empty/", "link => a"]);
    await root.rename("a", "b");
    expect(plainText(root, "b")).toBe("a");
    for (const target of ["full", "empty"]) {
      expect(codeOf(() => root.renameSync("b", target))).toBe("EEXIST");
      expect(codeOf(() => root.renameSync("full", target))).toBe("EEXIST");
    }
    root.renameSync("link", "moved");
    expect(root.lstatSync("moved").isSymbolicLink()).toBe(true);
    expect(codeOf(() => root.renameSync("none", "x"))).toBe("ENOENT");
    expect(codeOf(() => root.renameSync("b", "../x"))).toBe("PATH_ESCAPE");
    expect(codeOf(() => root.renameSync("../x", "b"))).toBe("PATH_ESCAPE");
  });
});

describe("errors", () => {
  it("of the system show the path that was asked for and no descriptor", async () => {
    const root = rootWith(["file", "a/"]);
    const failing: (() => Promise<unknown>)[] = [
      () => root.readFile("a/none"),
      () => root.readFile("a"),
      () => root.open("file", "wx"),
      () => root.readdir("file"),
      () => root.mkdir("a"),
      () => root.unlink("a/none"),
      () => root.rename("a/none", "x"),
      () => root.rename("file", "none/x"),
      () => root.stat("a/none"),
      () => root.lstat("a/none"),
      () => root.access("a/none"),
      () => root.openRoot("file"),
      () => root.writeFile("none/x", ""),
    ];
    for (const act of failing) {
      const error = (await act().catch((caught: unknown) => caught)) as NodeJS.ErrnoException;
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(PathError);
      expect(error.code).toMatch(/^E[A-Z]+$/);
      expect(error.errno).toBeLessThan(0);
      expect(error.message).toMatch(new RegExp(`^${error.code}: .*"`));
      expect(`${error.stack} ${JSON.stringify(error)}`).not.toMatch(/\/proc\/|nopeek-test/);
    }
    const error = (await root.readFile("a/none").catch((caught: unknown) => caught)) as Error;
    expect(error.message).toBe('ENOENT: no such file or directory, open "a/none"');
    const moved = (await root.rename("a/none", "x").catch((caught: unknown) => caught)) as Error;
    expect(moved.message).toBe('ENOENT: no such file or directory, rename "a/none" -> "x"');
    expect(moved).toMatchObject({ code: "ENOENT", path: "a/none", dest: "x", syscall: "rename" });
  });

  it("of the guard name their code, and are safe to print", () => {
    const root = rootWith([]);
    const hostile = `../\x1b[31m\n\u202e${"x".repeat(1000)}`;
    try {
      root.readFileSync(hostile);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PathError);
      expect((error as PathError).path).toBe(hostile);
      expect((error as PathError).message).toMatch(/^[\x20-\x7e]{1,250}$/);
      expect(Object.keys(error as PathError)).not.toContain("path");
    }
  });

  it("of opening a root are told apart", async () => {
    const folder = plant(scratch(), ["file"]);
    expect(await codeOfLater(() => openRoot(join(folder, "none")))).toBe("ENOENT");
    expect(await codeOfLater(() => openRoot(join(folder, "file")))).toBe("ENOTDIR");
    expect(await codeOfLater(() => openRoot("/"))).toBe("ROOT_UNRESTRICTED");
    expect(await codeOfLater(() => openRoot("/tmp\0"))).toBe("PATH_INVALID");
    expect(await codeOfLater(() => openRoot(""))).toBe("PATH_INVALID");
    expect(await codeOfLater(() => openRoot(7 as unknown as string))).toBe("PATH_INVALID");
  });
});
