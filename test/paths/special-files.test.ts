import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { openRootSync, type Root, type RootOptions } from "nopeek/paths";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeOf, codeOfLater, plant, scratch } from "../support/scratch.ts";

const isLinux = process.platform === "linux";

/** Every way to read or write a file, none of which may wait for another process. */
const accesses: Record<string, (root: Root, path: string) => unknown> = {
  readFileSync: (root, path) => root.readFileSync(path),
  readFile: (root, path) => root.readFile(path),
  writeFileSync: (root, path) => root.writeFileSync(path, "x"),
  writeFile: (root, path) => root.writeFile(path, "x"),
  appendFileSync: (root, path) => root.appendFileSync(path, "x"),
  appendFile: (root, path) => root.appendFile(path, "x"),
  openSync: (root, path) => root.openSync(path, "r+"),
  open: (root, path) => root.open(path, "w"),
};

async function expectSpecial(folder: string, name: string): Promise<void> {
  using root = openRootSync(folder);
  for (const [access, act] of Object.entries(accesses)) {
    expect([access, await codeOfLater(async () => act(root, name))]).toEqual([
      access,
      "PATH_SPECIAL_FILE",
    ]);
  }
  expect(root.statSync(name).isFile()).toBe(false);
  expect(root.lstatSync(name).isFile()).toBe(false);
}

describe.skipIf(process.platform === "win32")("special files", () => {
  it("refuses a FIFO, and does not wait for its other end", { timeout: 5000 }, async () => {
    const folder = scratch();
    execFileSync("mkfifo", [join(folder, "fifo")]);
    await expectSpecial(folder, "fifo");
    using open = openRootSync(folder, { specialFiles: "allow" });
    fs.closeSync(open.openSync("fifo", "r"));
    expect(codeOf(() => open.openSync("fifo", "a"))).toBe("ENXIO");
    expect(open.readdirSync(".", { withFileTypes: true })).toEqual([
      { name: "fifo", kind: "other" },
    ]);
    open.rmSync("fifo");
  });

  it("refuses a socket", { timeout: 5000 }, async () => {
    const folder = scratch();
    const server = createServer().listen(join(folder, "socket"));
    await once(server, "listening");
    await expectSpecial(folder, "socket");
    using open = openRootSync(folder, { specialFiles: "allow" });
    expect(codeOf(() => open.openSync("socket"))).toBe("ENXIO");
    server.close();
  });

  it("refuses a device unless it is allowed", { timeout: 5000 }, async () => {
    await expectSpecial("/dev", "null");
    await expectSpecial("/dev", "zero");
    using open = openRootSync("/dev", { specialFiles: "allow" });
    expect(open.readFileSync("null", "utf8")).toBe("");
    open.appendFileSync("null", "gone");
  });
});

describe.skipIf(!isLinux)("magic links of /proc", () => {
  const links = ["root/etc/passwd", "cwd/package.json", "root/", "cwd", "exe", "fd/0", "fd/1"];

  it("follows none", () => {
    using follow = openRootSync("/proc/self", { symlinks: "follow" });
    using strict = openRootSync("/proc/self");
    for (const path of [...links, "ns/mnt"]) {
      expect(codeOf(() => strict.readFileSync(path))).toBe("PATH_SYMLINK");
    }
    for (const path of links) {
      // What `pipe:[1]` names is no file.
      expect(["PATH_ESCAPE", "ENOENT"]).toContain(codeOf(() => follow.readFileSync(path)));
    }
    expect(codeOf(() => follow.openRootSync("root"))).toBe("PATH_ESCAPE");
    expect(codeOf(() => follow.openRootSync("cwd"))).toBe("PATH_ESCAPE");
    expect(codeOf(() => follow.statSync("ns/mnt"))).toBe("ENOENT");
    expect(follow.readFileSync("comm", "utf8")).not.toBe("");
    expect(fs.readFileSync("/proc/self/root/etc/passwd", "utf8")).not.toBe("");
  });

  it("opens no root that is the whole file system under another name", () => {
    const folder = plant(scratch(), ["link => /"]);
    for (const path of ["/proc/self/root", "/proc/self/root/.", join(folder, "link")]) {
      expect(codeOf(() => openRootSync(path))).toBe("ROOT_UNRESTRICTED");
    }
  });
});

describe.skipIf(process.platform === "win32")("hard links to a file outside", () => {
  function arena(options: RootOptions): { root: Root; outside: string } {
    const base = plant(scratch(), ["outside", "root/"]);
    fs.linkSync(join(base, "outside"), join(base, "root/file"));
    const root = openRootSync(join(base, "root"), options);
    onTestFinished(() => root.closeSync());
    return { root, outside: join(base, "outside") };
  }

  it("are read and not written by default", async () => {
    const { root, outside } = arena({});
    expect(root.readFileSync("file", "utf8")).toBe("outside");
    for (const flags of ["a", "r+", "w", "w+", "a+"] as const) {
      expect(codeOf(() => root.openSync("file", flags))).toBe("PATH_HARD_LINK");
      expect(await codeOfLater(() => root.open("file", flags))).toBe("PATH_HARD_LINK");
    }
    expect(codeOf(() => root.appendFileSync("file", "x"))).toBe("PATH_HARD_LINK");
    expect(fs.readFileSync(outside, "utf8")).toBe("outside");
  });

  it("are left alone by writeFile, which replaces the name", () => {
    const { root, outside } = arena({});
    root.writeFileSync("file", "new");
    expect(root.readFileSync("file", "utf8")).toBe("new");
    expect(fs.readFileSync(outside, "utf8")).toBe("outside");
  });

  it("are refused or allowed as declared", () => {
    const refusing = arena({ hardLinks: "refuse" });
    expect(codeOf(() => refusing.root.readFileSync("file"))).toBe("PATH_HARD_LINK");
    const allowing = arena({ hardLinks: "allow" });
    allowing.root.appendFileSync("file", "+");
    expect(fs.readFileSync(allowing.outside, "utf8")).toBe("outside+");
  });
});

/** A process with mounts of its own; its view of the file system is below `/proc/PID/root`. */
async function mountApart(script: string): Promise<string | null> {
  const child: ChildProcess = spawn(
    "/usr/bin/env",
    ["unshare", "-Urm", "sh", "-c", `${script} && echo ok; cat`],
    {
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const answer = await new Promise<string>((settle) => {
    child.stdout?.once("data", (data: Buffer) => settle(data.toString()));
    child.once("error", () => settle(""));
    child.once("exit", () => settle(""));
  });
  return answer.startsWith("ok") ? `/proc/${child.pid}/root` : null;
}

describe.skipIf(!isLinux)("bind mounts", () => {
  it("are crossed or refused as declared, though their device is the same", async (context) => {
    const base = plant(scratch(), ["root/a/", "root/file", "outside/b/file"]);
    const view = await mountApart(`mount --bind '${base}/outside' '${base}/root/a'`);
    if (view === null) return context.skip("there are no user namespaces with mounts here");
    const folder = join(view, base, "root");
    using crossing = openRootSync(folder);
    expect(crossing.readFileSync("a/b/file", "utf8")).toBe("outside/b/file");
    expect(crossing.statSync("a").dev).toBe(crossing.statSync("file").dev);
    using root = openRootSync(folder, { mounts: "refuse" });
    expect(root.readFileSync("file", "utf8")).toBe("root/file");
    const refused: (() => unknown)[] = [
      () => root.readFileSync("a/b/file"),
      () => root.writeFileSync("a/new", ""),
      () => root.writeFileSync("a/b/new", ""),
      () => root.readdirSync("a"),
      () => root.statSync("a/b"),
      () => root.openRootSync("a"),
      () => root.openRootSync("a/b"),
      () => root.mkdirSync("a/b/c", { recursive: true }),
      () => root.rmSync("a", { recursive: true }),
      () => root.unlinkSync("a/b/file"),
    ];
    for (const act of refused) expect(codeOf(act)).toBe("PATH_CROSSES_MOUNT");
    expect(fs.readFileSync(join(base, "outside/b/file"), "utf8")).toBe("outside/b/file");
  });

  it("of a single file are refused as declared", async (context) => {
    const base = plant(scratch(), ["root/file", "outside"]);
    const view = await mountApart(`mount --bind '${base}/outside' '${base}/root/file'`);
    if (view === null) return context.skip("there are no user namespaces with mounts here");
    using root = openRootSync(join(view, base, "root"), { mounts: "refuse" });
    for (const act of [
      () => root.readFileSync("file"),
      () => root.appendFileSync("file", "x"),
      () => root.statSync("file"),
      () => root.lstatSync("file"),
    ]) {
      expect(codeOf(act)).toBe("PATH_CROSSES_MOUNT");
    }
    // The name may be replaced; what is mounted on it is not written.
    codeOf(() => root.writeFileSync("file", "x"));
    expect(fs.readFileSync(join(base, "outside"), "utf8")).toBe("outside");
  });
});

describe.skipIf(!isLinux)("paths longer than the system takes", () => {
  it("are made, written, read, listed and removed", async () => {
    const folder = scratch();
    const path = Array.from({ length: 41 }, () => "d".repeat(199)).join("/");
    expect(path.length).toBeGreaterThan(8000);
    using root = openRootSync(folder);
    root.mkdirSync(path, { recursive: true });
    await root.writeFile(`${path}/file`, "deep");
    expect(await root.readFile(`${path}/file`, "utf8")).toBe("deep");
    expect(root.readdirSync(path)).toEqual(["file"]);
    expect(codeOf(() => fs.readFileSync(join(folder, path, "file")))).toBe("ENAMETOOLONG");
    root.rmSync("d".repeat(199), { recursive: true });
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});
