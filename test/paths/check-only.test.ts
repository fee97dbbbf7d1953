/** What is left where folders cannot be held; tried here on the platform that could hold them. */
import * as fs from "node:fs";
import { join } from "node:path";
import type { Root, RootOptions } from "nopeek/paths";
import { describe, expect, it, onTestFinished } from "vitest";
import { bestGround, checkedPaths } from "../../src/paths/ground.ts";
import { openRootOn } from "../../src/paths/root.ts";
import { codeOf, plant, scratch } from "../support/scratch.ts";

function weakRoot(folder: string, options: RootOptions = {}): Root {
  const root = openRootOn(checkedPaths, folder, options);
  onTestFinished(() => root.closeSync());
  return root;
}

const tree = ["a/b/file", "link => a", "out => /etc", "back => ../root/a", "loop => loop", "top"];

describe("a root that can only check", () => {
  it("says so when it is opened, and refuses to write unless that is allowed", () => {
    const folder = plant(join(scratch(), "root"), tree);
    const root = weakRoot(folder);
    expect(root.confinement).toBe("check-only");
    expect(root.readFileSync("a/b/file", "utf8")).toBe("a/b/file");
    const changes: (() => unknown)[] = [
      () => root.writeFileSync("x", ""),
      () => root.appendFileSync("x", ""),
      () => root.openSync("top", "r+"),
      () => root.mkdirSync("x"),
      () => root.rmSync("top"),
      () => root.unlinkSync("top"),
      () => root.renameSync("top", "x"),
      () => root.openRootSync("a").writeFileSync("x", ""),
    ];
    for (const act of changes) expect(codeOf(act)).toBe("ROOT_WEAK");
    expect(() => root.mkdirSync("x")).toThrow('weak: "allow"');
    expect(codeOf(() => weakRoot(folder, { weak: "refuse" }))).toBe("ROOT_WEAK");
    expect(codeOf(() => weakRoot("/", { weak: "allow" }))).toBe("ROOT_UNRESTRICTED");
    expect(codeOf(() => weakRoot(join(folder, "top")))).toBe("ENOTDIR");
  });

  it("is race-free here if the platform can do it", () => {
    const expected = process.platform === "linux" ? "race-free" : "check-only";
    expect(bestGround(scratch()).confinement).toBe(expected);
  });

  it("still refuses what leads out of it", async () => {
    const folder = plant(join(scratch(), "root"), tree);
    const strict = weakRoot(folder, { weak: "allow" });
    const follow = weakRoot(folder, { weak: "allow", symlinks: "follow" });
    expect(codeOf(() => strict.readFileSync("link/b/file"))).toBe("PATH_SYMLINK");
    expect(codeOf(() => strict.readFileSync("../top"))).toBe("PATH_ESCAPE");
    expect(codeOf(() => strict.readFileSync("/etc/passwd"))).toBe("PATH_ESCAPE");
    expect(follow.readFileSync("link/b/file", "utf8")).toBe("a/b/file");
    expect(follow.readFileSync("a/../top", "utf8")).toBe("top");
    expect(codeOf(() => follow.readFileSync("out/passwd"))).toBe("PATH_ESCAPE");
    expect(codeOf(() => follow.readFileSync("back/b/file"))).toBe("PATH_ESCAPE");
    expect(codeOf(() => follow.readFileSync("loop"))).toBe("ELOOP");
    expect(codeOf(() => follow.readFileSync("loop/x"))).toBe("ELOOP");
    for (const root of [strict, follow]) {
      root.mkdirSync("new/deep", { recursive: true });
      await root.writeFile("new/deep/x", "1");
      root.appendFileSync("new/deep/x", "2");
      expect(await root.readFile("new/deep/x", "utf8")).toBe("12");
      root.renameSync("new/deep/x", "new/y");
      expect(root.readdirSync("new").sort()).toEqual(["deep", "y"]);
      expect(root.statSync("new/y").size).toBe(2);
      expect(root.openRootSync("new").readFileSync("y", "utf8")).toBe("12");
      root.rmSync("new", { recursive: true });
    }
    expect(fs.readdirSync(folder).sort()).toEqual(["a", "back", "link", "loop", "out", "top"]);
  });

  it("shows no path but the caller's in its errors", () => {
    const folder = plant(scratch(), ["a/file"]);
    const root = weakRoot(folder);
    for (const act of [
      () => root.readFileSync("a/file/x"),
      () => root.readFileSync("a/none"),
      () => root.readdirSync("a/file"),
    ]) {
      expect(codeOf(act)).toMatch(/^ENO/);
      expect(act).toThrow(/^(?!.*nopeek-test)/);
    }
  });

  it("notices that its own folder was replaced", () => {
    const base = plant(scratch(), ["root/file", "other/file"]);
    const root = weakRoot(join(base, "root"));
    fs.renameSync(join(base, "root"), join(base, "away"));
    expect(codeOf(() => root.readFileSync("file"))).toBe("ROOT_CLOSED");
    fs.symlinkSync("other", join(base, "root"));
    expect(codeOf(() => root.readFileSync("file"))).toBe("ROOT_CLOSED");
    fs.unlinkSync(join(base, "root"));
    fs.renameSync(join(base, "other"), join(base, "root"));
    expect(codeOf(() => root.readFileSync("file"))).toBe("ROOT_CLOSED");
  });
});
