import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineMounts } from "nopeek/paths";
import { describe, expect, it } from "vitest";
import { codeOf, plant, scratch } from "../support/scratch.ts";

describe("a table of mounts", () => {
  const mounts = defineMounts(
    {
      "/data": { env: "DATA_DIR", volume: "datasets", readOnly: true, subPath: "/users/me/" },
      "/data/cache": { volume: "cache", readOnly: false },
      "/models": { bucket: { name: "models", keyPrefix: "llm" }, readOnly: true },
    },
    { nested: "allow" },
  );

  it("finds the mount of a path, component by component", () => {
    expect(mounts.locate("/data/train//x.bin")).toMatchObject({
      mount: { mountPath: "/data", subPath: "users/me" },
      relative: "train/x.bin",
      inSource: "users/me/train/x.bin",
    });
    expect(mounts.locate("/data")).toMatchObject({ relative: "", inSource: "users/me" });
    expect(mounts.locate("/data/cache/x")).toMatchObject({
      mount: { volume: "cache" },
      relative: "x",
      inSource: "x",
    });
    expect(mounts.locate("/models/a").inSource).toBe("llm/a");
    for (const path of ["/data-evil/x", "/DATA/x", "/other"]) {
      expect(codeOf(() => mounts.locate(path))).toBe("MOUNT_UNDECLARED");
    }
    for (const path of ["data/x", "//data/x", "/data/../etc", "/data/%2e%2e/x", "/", ""]) {
      expect(codeOf(() => mounts.locate(path))).toBe("PATH_ESCAPE");
    }
  });

  it("joins below a mount and knows what may be written", () => {
    expect(mounts.join("/data", "train", "x y.bin")).toBe("/data/train/x y.bin");
    expect(mounts.join("/models")).toBe("/models");
    expect(codeOf(() => mounts.join("/data", "../x"))).toBe("PATH_ESCAPE");
    expect(codeOf(() => mounts.join("/nope" as "/data", "x"))).toBe("MOUNT_UNDECLARED");
    expect(codeOf(() => mounts.assertWritable("/data/x"))).toBe("PATH_READ_ONLY");
    expect(mounts.assertWritable("/data/cache/x").relative).toBe("x");
    expect(mounts.mounts.map(({ mountPath }) => mountPath)).toEqual([
      "/data",
      "/data/cache",
      "/models",
    ]);
  });

  it("opens the local folder of a mount, as read-only as it is declared", async () => {
    const base = plant(scratch(), ["data/file", "out/"]);
    const local = defineMounts(
      {
        "/data": { dir: "data", readOnly: true },
        "/out": { dir: join(base, "out"), readOnly: false },
        "/cloud": { volume: "v", readOnly: false },
      },
      { base },
    );
    expect(local.get("/data").dir).toBe(join(base, "data"));
    await using data = await local.openRoot("/data", { readOnly: false });
    expect(await data.readFile("file", "utf8")).toBe("data/file");
    expect(codeOf(() => data.writeFileSync("file", ""))).toBe("PATH_READ_ONLY");
    using out = local.openRootSync("/out");
    if (out.confinement === "race-free") out.writeFileSync("file", "new");
    else writeFileSync(join(base, "out/file"), "new");
    expect(out.readFileSync("file", "utf8")).toBe("new");
    expect(codeOf(() => local.openRootSync("/cloud"))).toBe("MOUNT_NOT_LOCAL");
  });
});
