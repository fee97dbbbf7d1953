import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { Secret } from "nopeek";
import { type LaunchOptions, launch } from "nopeek/launch";
import { defineMounts, PathError } from "nopeek/paths";
import { recorder } from "nopeek/testing";
import { describe, expect, it } from "vitest";
import { emptyFolder, job, nopeek } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

const node = (program: string, ...args: string[]) => [
  process.execPath,
  "-e",
  program,
  "--",
  ...args,
];

async function run(options: Omit<LaunchOptions, "output">) {
  const stdout = new PassThrough();
  const output = text(stdout);
  const notices: string[] = [];
  const result = await launch({
    ...options,
    output: { stdout },
    onNotice: (notice) => void notices.push(notice),
  });
  stdout.end();
  return { ...result, notices, out: await output };
}

describe("mounts of a local job", () => {
  it("are folders whose paths it finds in its environment", async () => {
    const folder = emptyFolder();
    mkdirSync(join(folder, "sets"));
    const mounts = {
      "/data/train": { env: "DATA_DIR", readOnly: true, dir: join(folder, "sets") },
      "/out": { readOnly: false, dir: folder },
    };
    const program =
      "const e = process.env; console.log([e.DATA_DIR, e.NOPEEK_MOUNT_DATA_TRAIN, e.NOPEEK_MOUNT_OUT].join())";
    await expect(launch({ command: node(program), mounts })).rejects.toMatchObject({
      code: "MOUNT_SOURCE_REUSED",
    });
    mounts["/out"].dir = emptyFolder();
    const ended = await run({ command: node(program), mounts });
    expect(ended.out).toBe(
      `${join(folder, "sets")},${join(folder, "sets")},${mounts["/out"].dir}\n`,
    );
  });

  it("need a dir that exists", async () => {
    const command = node("");
    const volume = { "/data": { readOnly: true, volume: "sets" } };
    await expect(launch({ command, mounts: volume })).rejects.toMatchObject({
      code: "MOUNT_NOT_LOCAL",
      message: expect.stringContaining("/data"),
    });
    const missing = { "/data": { readOnly: true, dir: "/no/such/folder" } };
    await expect(launch({ command, mounts: missing })).rejects.toMatchObject({
      code: "LAUNCH_FAILED",
      message: "the mount /data: its dir /no/such/folder cannot be opened",
    });
    await expect(
      launch({ command, mounts: { "/etc": { readOnly: true, dir: emptyFolder() } } }),
    ).rejects.toThrow(PathError);
  });

  it("do not share a variable with a secret", async () => {
    const mounts = defineMounts({ "/data": { env: "DATA", readOnly: true, dir: emptyFolder() } });
    const secrets = { DATA: new Secret(randomToken()) };
    await expect(launch({ command: node(""), mounts, secrets })).rejects.toMatchObject({
      code: "DECLARATION_INVALID",
    });
  });

  it("do not share the variable that is made of their paths", async () => {
    const mounts = {
      "/data-a": { readOnly: true, dir: emptyFolder() },
      "/data/a": { readOnly: true, dir: emptyFolder() },
    };
    await expect(launch({ command: node(""), mounts })).rejects.toThrow(
      "would share the variable NOPEEK_MOUNT_DATA_A",
    );
  });

  it("leave no descriptor open", async () => {
    const count = () => readdirSync("/proc/self/fd").length;
    const mounts = { "/data": { readOnly: true, dir: emptyFolder() } };
    await run({ command: node(""), mounts });
    const before = count();
    for (let i = 0; i < 5; i++) await run({ command: node(""), mounts });
    await launch({ command: ["no-such-program"], mounts }).catch(() => undefined);
    expect(count()).toBeLessThanOrEqual(before + 1);
  });
});

it("gives a runtime the mounts as they are declared", async () => {
  const on = recorder();
  const mounts = { "/data": { env: "DATA_DIR", readOnly: true, volume: "sets", subPath: "v3" } };
  await run({ on, command: ["train"], mounts });
  expect(on.jobs[0]?.mounts).toMatchObject([
    { mountPath: "/data", volume: "sets", subPath: "v3", readOnly: true },
  ]);
});

describe("paths in arguments", () => {
  const folder = () => {
    const dir = emptyFolder({ "a.csv": "" });
    mkdirSync(join(dir, "in"));
    symlinkSync("/etc", join(dir, "link"));
    symlinkSync("in", join(dir, "inner"));
    symlinkSync("/no/such/place", join(dir, "dangling"));
    return dir;
  };

  it.each(["a.csv", "in/new.csv", "./in/../a.csv", "inner/x", ""])(
    "may lead into the roots: %j",
    async (operand) => {
      const dir = folder();
      const paths = ["--data-path"];
      const spelt = [["--data-path", operand], [`--data-path=${operand}`]];
      for (const args of spelt) {
        expect(await run({ command: node("", ...args), paths, cwd: dir })).toMatchObject({
          exitCode: 0,
          notices: [],
        });
        const mounts = { "/data": { readOnly: true, dir } };
        const absolute = ["--data-path", join(dir, operand)];
        expect((await run({ command: node("", ...absolute), paths, mounts })).exitCode).toBe(0);
      }
    },
  );

  it.each([
    "..",
    "../x",
    "in/../../x",
    "/etc/passwd",
    "link/passwd",
    "link",
    "link/../passwd",
    "gone/../x",
    "dangling",
    "dangling/x",
    "~/x",
    "file:///etc/passwd",
  ])("may not lead out: %j", async (operand) => {
    for (const args of [["--data-path", operand], [`--data-path=${operand}`]]) {
      const launched = launch({
        command: node("", ...args),
        paths: ["--data-path"],
        cwd: folder(),
      });
      await expect(launched).rejects.toMatchObject({
        code: "PATH_REFUSED",
        message: expect.stringContaining("--data-path"),
      });
    }
  });

  it("may be spelt with real paths, links and short options", async () => {
    const dir = folder();
    const link = join(emptyFolder(), "cwd");
    symlinkSync(dir, link);
    for (const [cwd, operand] of [
      [link, join(dir, "a.csv")],
      [dir, join(link, "a.csv")],
      [link, join(link, "in/x")],
    ] as const) {
      expect((await run({ command: node("", `-d${operand}`), paths: ["-d"], cwd })).exitCode).toBe(
        0,
      );
    }
    await expect(
      launch({ command: node("", "-d/etc/passwd"), paths: ["-d"], cwd: dir }),
    ).rejects.toMatchObject({ code: "PATH_REFUSED" });
  });

  it("are declared by options, and one that does not occur is told of", async () => {
    for (const paths of [["data-path"], [""], ["--data-path="], "--d"]) {
      const launched = launch({ command: node(""), paths: paths as string[] });
      await expect(launched).rejects.toMatchObject({ code: "DECLARATION_INVALID" });
    }
    const ended = await run({ command: node(""), paths: ["--data-path"] });
    expect(ended.notices).toEqual(["the command has no --data-path, so no path of it was checked"]);
  });

  it("lead into the mounts of a container", async () => {
    const options = {
      on: recorder(),
      mounts: { "/data": { readOnly: true, volume: "v" } },
      paths: ["--data-path"],
    };
    await run({ ...options, command: ["train", "--data-path", "/data/x"] });
    for (const operand of ["/etc/x", "/data/../etc", "../x"]) {
      await expect(
        launch({ ...options, command: ["train", "--data-path", operand] }),
      ).rejects.toMatchObject({ code: "PATH_REFUSED" });
    }
  });

  it("that nobody declared are a warning, and the job runs", async () => {
    const ended = await run({ command: node("", "../../etc/passwd", "a..b", "--x=..", "v1..v2") });
    expect(ended.exitCode).toBe(0);
    expect(ended.notices).toEqual([
      'warning: ".." in arguments 4, 6 of the command; if it is a path, declare its option with --path',
    ]);
  });
});

it("works from a configuration and the command line", async () => {
  const config = {
    mounts: {
      "/data": { env: "DATA_DIR", readOnly: true, dir: "sets" },
      "/out": { readOnly: false, volume: "runs" },
    },
    launches: {
      train: {
        command: ["sh", "-c", 'echo "$DATA_DIR"'],
        mounts: ["/data"],
        paths: ["--data-path"],
      },
    },
  };
  const cwd = emptyFolder({ "nopeek.config.json": JSON.stringify(config) });
  mkdirSync(join(cwd, "sets"));
  expect(await nopeek(["run", "train"], { cwd })).toMatchObject({
    code: 0,
    stdout: `${join(cwd, "sets")}\n`,
  });
  const refused = await nopeek(["run", "train", "--", "true", "--data-path", "/etc"], { cwd });
  expect(refused).toMatchObject({
    code: 77,
    stderr: expect.stringContaining("argument 2 (--data-path) leads out"),
  });
  const noDir = await nopeek(["run", ...job("")], { cwd });
  expect(noDir).toMatchObject({ code: 78, stderr: expect.stringContaining("/out") });
  const flag = await nopeek(["run", "--path", "--out", "--", "true", "--out", "../x"], {
    cwd: emptyFolder(),
  });
  expect(flag.code).toBe(77);
  const broken = emptyFolder({
    "nopeek.config.json": JSON.stringify({ mounts: { "/proc/x": { readOnly: true, dir: "." } } }),
  });
  expect(await nopeek(["run", ...job("")], { cwd: broken })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining("/proc/x"),
  });
});
