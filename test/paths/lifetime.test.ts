import * as fs from "node:fs";
import { join } from "node:path";
import { openRoot, openRootSync } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import {
  codeOf,
  codeOfLater,
  countDescriptors,
  isSlow,
  plant,
  scratch,
} from "../support/scratch.ts";

const isLinux = process.platform === "linux";

describe("descriptors", () => {
  it.skipIf(!isLinux)("none is left after operations that fail", { timeout: 300_000 }, async () => {
    const folder = plant(scratch(), ["a/b/file", "link => a", "loop => loop", "out => /etc"]);
    fs.linkSync(join(folder, "a/b/file"), join(folder, "second"));
    using strict = openRootSync(folder, { hardLinks: "refuse" });
    using follow = openRootSync(folder, { symlinks: "follow", hardLinks: "refuse" });
    const failing = [strict, follow].flatMap((root) => [
      () => root.readFileSync("a/b/none"),
      () => root.readFileSync("a/b/file/x"),
      () => root.readFileSync("a/b"),
      () => root.readFileSync("loop/x"),
      () => root.readFileSync("out/hostname"),
      () => root.readFileSync("second"),
      () => root.openSync("a/b/file", "wx"),
      () => root.writeFileSync("a/b", ""),
      () => root.writeFileSync("a/b/file/x", ""),
      () => root.writeFileSync("a/b/file", "", { exclusive: true }),
      () => root.mkdirSync("a/b"),
      () => root.rmSync("a"),
      () => root.rmSync("a/b/none", { recursive: true }),
      () => root.renameSync("a/b/file", "a"),
      () => root.renameSync("a/b/none", "x"),
      () => root.readdirSync("a/b/file"),
      () => root.statSync("a/b/none"),
      () => root.openRootSync("a/b/file"),
    ]);
    const failingLater = [strict, follow].flatMap((root) => [
      () => root.readFile("a/b/none"),
      () => root.open("second"),
      () => root.writeFile("a/b", ""),
      () => root.writeFile("a/b/file", "", { exclusive: true, flush: false }),
      () => root.readdir("a/b/file"),
      () => root.openRoot("out"),
      () => root.rm("a"),
    ]);
    const before = countDescriptors();
    const attempts = isSlow ? 100_000 : 10_000;
    for (let index = 0; index < attempts; index++) {
      const now = failing[index % failing.length] as () => unknown;
      expect(codeOf(now)).not.toBe("none");
      const later = failingLater[index % failingLater.length] as () => Promise<unknown>;
      if (index % 10 === 0) expect(await codeOfLater(later)).not.toBe("none");
    }
    expect(countDescriptors()).toBe(before);
    expect(fs.readdirSync(folder).sort()).toEqual(["a", "link", "loop", "out", "second"]);
    expect(fs.readdirSync(join(folder, "a/b"))).toEqual(["file"]);
  });

  it.skipIf(!isLinux)("none is left after roots were opened and closed", async () => {
    const folder = plant(scratch(), ["a/b"]);
    const before = countDescriptors();
    for (let index = 0; index < 50; index++) {
      using root = openRootSync(folder);
      using _below = root.openRootSync("a");
      await using _later = await openRoot(folder, { mounts: "refuse" });
      expect(codeOf(() => openRootSync(join(folder, "a/b")))).toBe("ENOTDIR");
      expect(codeOf(() => openRootSync("/"))).toBe("ROOT_UNRESTRICTED");
    }
    expect(countDescriptors()).toBe(before);
  });
});

describe("closing a root", () => {
  it("refuses what starts later, and lets end what runs", async () => {
    const root = await openRoot(plant(scratch(), ["file"]));
    const running = root.readFile("file", "utf8");
    const closing = root.close();
    expect(codeOf(() => root.readFileSync("file"))).toBe("ROOT_CLOSED");
    expect(await codeOfLater(() => root.readFile("file"))).toBe("ROOT_CLOSED");
    expect(await running).toBe("file");
    await closing;
    await root.close();
    root.closeSync();
  });

  it("leaves opened files and roots below open", async () => {
    const folder = plant(scratch(), ["a/file"]);
    const root = openRootSync(folder);
    const below = root.openRootSync("a");
    const file = await root.open("a/file");
    root.closeSync();
    expect((await file.readFile()).toString()).toBe("a/file");
    await file.close();
    expect(below.readFileSync("file", "utf8")).toBe("a/file");
    below.closeSync();
  });

  it.skipIf(!isLinux)(
    "never makes a running call read another folder",
    { timeout: 120_000 },
    async () => {
      const inside = plant(scratch(), ["a/b/file"]);
      const other = plant(scratch(), ["a/b/file"]);
      fs.writeFileSync(join(other, "a/b/file"), "other");
      // Closes a descriptor while a call that uses it waits, and opens another folder at once.
      const attempt = async (open: () => { read: () => Promise<string>; close: () => void }) => {
        const { read, close } = open();
        const running = Array.from({ length: 4 }, () => read().catch(() => "refused"));
        close();
        const fd = fs.openSync(other, "r");
        const results = await Promise.all(running);
        fs.closeSync(fd);
        return results;
      };
      const attempts = isSlow ? 20_000 : 2000;
      const seen = new Set<string>();
      for (let index = 0; index < attempts; index += 4) {
        const results = await attempt(() => {
          const root = openRootSync(inside);
          const read = () => root.readFile("a/b/file", "utf8");
          return { read, close: () => root.closeSync() };
        });
        for (const result of results) seen.add(result);
      }
      expect([...seen]).toEqual(["a/b/file"]);
      // Positive control: without waiting, the number is another folder's by then.
      const control = new Set<string>();
      for (let index = 0; index < 500; index++) {
        const results = await attempt(() => {
          const fd = fs.openSync(inside, "r");
          const read = () => fs.promises.readFile(`/proc/self/fd/${fd}/a/b/file`, "utf8");
          return { read, close: () => fs.closeSync(fd) };
        });
        for (const result of results) control.add(result);
      }
      expect(control).toContain("other");
    },
  );

  it.skipIf(!isLinux)("refuses when other code closed its descriptor", () => {
    const inside = plant(scratch(), ["file"]);
    const other = plant(scratch(), ["file"]);
    const root = openRootSync(inside);
    const own = fs.readdirSync("/proc/self/fd").find((fd) => {
      return (
        fs.existsSync(`/proc/self/fd/${fd}`) && fs.readlinkSync(`/proc/self/fd/${fd}`) === inside
      );
    });
    fs.closeSync(Number(own));
    expect(codeOf(() => root.readFileSync("file"))).toBe("ROOT_CLOSED");
    const reused = fs.openSync(other, "r");
    expect(reused).toBe(Number(own));
    expect(codeOf(() => root.readFileSync("file"))).toBe("ROOT_CLOSED");
    // And does not close what is somebody else's by now.
    root.closeSync();
    expect(fs.fstatSync(reused).isDirectory()).toBe(true);
    fs.closeSync(reused);
  });
});
