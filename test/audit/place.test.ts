import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { verifyAuditLog } from "nopeek/audit";
import { expect, it } from "vitest";
import { newKey, newPlace, openLog, writeLog } from "../support/audit.ts";
import { codeOfLater, scratch } from "../support/scratch.ts";

const tryAt = (place: { dir: string; anchors: string }, apart: string[] = []) =>
  codeOfLater(async () => (await openLog({ ...place, key: newKey(), apart })).close());

it("keeps the log apart from the folders of a run, in both directions and through links", async () => {
  const folder = scratch();
  mkdirSync(join(folder, "run/deep"), { recursive: true });
  mkdirSync(join(folder, "runs"));
  symlinkSync(join(folder, "run"), join(folder, "link"));
  const run = join(folder, "run");
  const anchors = join(folder, "anchors");
  for (const dir of ["run", "run/log", "run/deep/log", "link/log", "runs/../run/x"]) {
    expect([dir, await tryAt({ dir: join(folder, dir), anchors }, [run])]).toEqual([
      dir,
      "AUDIT_PLACE_REFUSED",
    ]);
    expect(await tryAt({ dir: anchors, anchors: join(folder, dir) }, [run])).toBe(
      "AUDIT_PLACE_REFUSED",
    );
  }
  expect(await tryAt({ dir: folder, anchors: "/nonexistent" }, [run])).toBe("AUDIT_PLACE_REFUSED");
  expect(existsSync(join(run, "log"))).toBe(false);
  // Control: beside it, also under a name that begins alike; the whole file system says nothing.
  expect(await tryAt({ dir: join(folder, "runs"), anchors }, [run, "/"])).toBe("none");
});

it("keeps away from other files, and from its own anchors", async () => {
  const place = newPlace();
  mkdirSync(place.dir, { mode: 0o700 });
  writeFileSync(join(place.dir, "train.log"), "");
  expect(await tryAt(place)).toBe("AUDIT_PLACE_REFUSED");
  rmSync(join(place.dir, "train.log"));
  mkdirSync(place.anchors, { mode: 0o700 });
  writeFileSync(join(place.anchors, "other"), "");
  expect(await tryAt(place)).toBe("AUDIT_PLACE_REFUSED");
  rmSync(join(place.anchors, "other"));
  expect(await tryAt({ dir: place.dir, anchors: place.dir })).toBe("AUDIT_PLACE_REFUSED");
  expect(await tryAt({ dir: place.dir, anchors: join(place.dir, "a") })).toBe(
    "AUDIT_PLACE_REFUSED",
  );
  expect(await tryAt({ dir: join(place.anchors, "a"), anchors: place.anchors })).toBe(
    "AUDIT_PLACE_REFUSED",
  );
  expect(await tryAt(place)).toBe("none");
});

it("refuses folders that others can write, and what is no folder", async () => {
  const place = newPlace();
  mkdirSync(place.dir);
  for (const mode of [0o777, 0o720, 0o702]) {
    chmodSync(place.dir, mode);
    expect(await tryAt(place)).toBe("AUDIT_PLACE_REFUSED");
  }
  chmodSync(place.dir, 0o755);
  expect(await tryAt(place)).toBe("none");
  const file = join(scratch(), "file");
  writeFileSync(file, "");
  expect(await tryAt({ dir: file, anchors: place.anchors })).toBe("AUDIT_NOT_WRITABLE");
  expect(await tryAt({ dir: join(file, "x"), anchors: place.anchors })).toBe("AUDIT_NOT_WRITABLE");
  expect(await tryAt({ dir: "/proc/none/x", anchors: place.anchors })).toBe("AUDIT_NOT_WRITABLE");
});

it("follows no link in place of its files", async () => {
  const [place, target] = [newPlace(), join(scratch(), "target")];
  writeFileSync(target, "");
  mkdirSync(place.anchors, { mode: 0o700 });
  symlinkSync(target, join(place.anchors, "anchors.jsonl"));
  expect(await tryAt(place)).not.toBe("none");
});

it.each<readonly [string, (path: string) => void]>([
  ["a pipe", (path) => void execFileSync("mkfifo", [path])],
  ["a folder", (path) => void mkdirSync(path)],
])("takes %s for no file of a log, and waits for nothing", async (_, put) => {
  const [place, key] = [newPlace(), newKey()];
  const name = await writeLog(place, key, 1);
  // Control.
  expect((await verifyAuditLog({ ...place, key })).ok).toBe(true);
  for (const path of [join(place.dir, name), join(place.anchors, "anchors.jsonl")]) {
    const aside = `${path}.aside`;
    renameSync(path, aside);
    put(path);
    const { damages } = await verifyAuditLog({ ...place, key });
    expect(damages[0]).toMatchObject({ file: basename(path), kind: "unreadable" });
    rmSync(path, { recursive: true });
    renameSync(aside, path);
  }
  const path = join(place.anchors, "anchors.jsonl");
  rmSync(path);
  put(path);
  expect(await codeOfLater(() => openLog({ ...place, key }))).toBe("AUDIT_NOT_WRITABLE");
});

it("refuses records without their anchors, and anchors without their records", async () => {
  const [one, other] = [newPlace(), newPlace()];
  const key = newKey();
  await writeLog(one, key, 1);
  await writeLog(other, key, 1);
  const reopen = (place: { dir: string; anchors: string }) =>
    codeOfLater(async () => (await openLog({ ...place, key })).close());
  expect(await reopen({ dir: one.dir, anchors: newPlace().anchors })).toBe("AUDIT_PLACE_REFUSED");
  expect(await reopen({ dir: newPlace().dir, anchors: one.anchors })).toBe("AUDIT_PLACE_REFUSED");
  expect(await reopen(one)).toBe("none");
  // Those of another log: not seen before it is verified.
  const mixed = await verifyAuditLog({ dir: one.dir, anchors: other.anchors, key });
  expect(mixed.damages.map(({ kind }) => kind).sort()).toEqual([
    "missing",
    "unanchored",
    "unanchored",
  ]);
});

it("says that there is no log", async () => {
  const place = newPlace();
  const key = newKey();
  expect(await codeOfLater(() => verifyAuditLog({ ...place, key }))).toBe("FILE_NOT_FOUND");
  mkdirSync(place.dir);
  mkdirSync(place.anchors);
  expect(await codeOfLater(() => verifyAuditLog({ ...place, key }))).toBe("FILE_NOT_FOUND");
});
