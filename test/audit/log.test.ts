import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Secret } from "nopeek";
import {
  type AppendFile,
  AuditBuffer,
  currentActor,
  opaque,
  readAuditLog,
  verifyAuditLog,
} from "nopeek/audit";
import { expect, it, onTestFinished, vi } from "vitest";
import { newId, newKey, newPlace, notice, openLog, textOf, writeLog } from "../support/audit.ts";
import { root } from "../support/command.ts";
import { codeOfLater, countDescriptors, scratch } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

it("refuses to go on with another key, and changes nothing", async () => {
  const place = newPlace();
  const key = newKey();
  await writeLog(place, key, 1);
  const before = textOf(place);
  await expect(openLog({ ...place, key: newKey() })).rejects.toMatchObject({
    code: "AUDIT_KEY_WRONG",
  });
  expect(textOf(place)).toBe(before);
  // Control: with its own key it goes on.
  await writeLog(place, key, 1);
});

it("keeps records in order, and tells who opened it under which configuration", async () => {
  const [place, key] = [newPlace(), newKey()];
  const config = "ab".repeat(32);
  const log = await openLog({ ...place, key, config });
  const appended = await Promise.all(Array.from({ length: 50 }, (_, at) => log.append(notice(at))));
  expect(appended).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  await log.close();
  const records = await readAuditLog({ ...place, key });
  expect(records[0]).toMatchObject({
    type: "log.opened",
    format: 1,
    config,
    actor: currentActor(),
  });
  expect(records.at(-1)).toMatchObject({ type: "log.closed", records: 51 });
  const counts = records.flatMap((record) =>
    record.type === "run.notice" ? [[record.seq, record.count]] : [],
  );
  expect(counts).toEqual(Array.from({ length: 50 }, (_, at) => [at + 1, at]));
});

it("makes private folders and files", async () => {
  const [place, key] = [newPlace(join(scratch(), "a/b")), newKey()];
  const name = await writeLog(place, key, 1);
  const modes = [
    place.dir,
    place.anchors,
    join(place.dir, name),
    join(place.anchors, "anchors.jsonl"),
  ];
  expect(modes.map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700, 0o600, 0o600]);
});

it("begins with what happened before it was open", async () => {
  const [place, key] = [newPlace(), newKey()];
  const early = new AuditBuffer();
  const before = Date.now();
  early.append(notice(7));
  early.append(notice(8));
  const log = await openLog({ ...place, key, earlier: early, now: () => before + 60_000 });
  await log.append(notice(9));
  await log.close();
  const bySeq = (await readAuditLog({ ...place, key })).sort((one, other) => one.seq - other.seq);
  expect(bySeq.map((record) => ("count" in record ? record.count : record.type))).toEqual([
    "log.opened",
    7,
    8,
    9,
    "log.closed",
  ]);
  expect(Date.parse(bySeq[1]?.at ?? "")).toBeLessThan(before + 30_000);
  // An event that is not valid keeps the log from being opened, and leaves nothing open.
  const bad = new AuditBuffer();
  bad.append({ ...notice(), count: -1 } as never);
  const held = countDescriptors();
  expect(await codeOfLater(() => openLog({ ...newPlace(), key, earlier: bad }))).toBe(
    "AUDIT_EVENT_INVALID",
  );
  await vi.waitFor(() => expect(countDescriptors()).toBe(held));
});

it("writes in groups what comes while the disk is busy", async () => {
  const [place, key] = [newPlace(), newKey()];
  let syncs = 0;
  const wrapFile = (file: AppendFile, which: string): AppendFile => ({
    ...file,
    sync: () => {
      if (which === "records") syncs++;
      return file.sync();
    },
  });
  const log = await openLog({ ...place, key, wrapFile });
  const before = syncs;
  await Promise.all(Array.from({ length: 64 }, () => log.append(notice())));
  expect(syncs - before).toBe(1);
  await log.close();
});

it("anchors after so many records, after a time, and at the end", async () => {
  const [place, key] = [newPlace(), newKey()];
  const anchors = () =>
    readFileSync(join(place.anchors, "anchors.jsonl"), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line).records as number);
  const many = await openLog({ ...place, key, anchorEvery: 10, anchorEveryMs: 1e9 });
  for (let count = 0; count < 25; count++) await many.append(notice());
  expect(anchors()).toEqual([0, 1, 11, 21]);
  await many.close();
  expect(anchors()).toEqual([0, 1, 11, 21, 27]);
  const slow = await openLog({ ...place, key, anchorEveryMs: 20 });
  await slow.append(notice());
  await vi.waitFor(() => expect(anchors().at(-1)).toBe(2), { timeout: 10_000 });
  await slow.close();
});

it("lets two writers of one process write at once, each to its file", async () => {
  const [place, key] = [newPlace(), newKey()];
  const logs = await Promise.all([0, 1].map(() => openLog({ ...place, key, anchorEvery: 3 })));
  await Promise.all(
    Array.from({ length: 400 }, (_, count) => logs[count % 2]?.append(notice(count))),
  );
  await Promise.all(logs.map((log) => log.close()));
  const report = await verifyAuditLog({ ...place, key });
  expect([report.ok, report.files, report.records, report.notices]).toEqual([true, 2, 404, []]);
});

it("lets several processes write at once, each to its file", async () => {
  const [place, key, folder] = [newPlace(), newKey(), scratch()];
  const program = join(root, "test/cases/audit-writer.mjs");
  const children = Array.from({ length: 4 }, (_, at) => {
    const args = [program, place.dir, place.anchors, join(folder, `acks${at}`), "4", "100"];
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { KEY: key.reveal() },
      stdio: ["ignore", "ignore", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  });
  await Promise.all(children.map((child) => once(child, "close")));
  const report = await verifyAuditLog({ ...place, key });
  expect(report).toMatchObject({ ok: true, files: 4, records: 4 * 403, notices: [] });
});

it("verifies at any moment while others begin, write and end", async () => {
  const [place, key] = [newPlace(), newKey()];
  await writeLog(place, key, 1);
  let isOver = false;
  const writing = Promise.all(
    Array.from({ length: 3 }, async () => {
      for (let turn = 0; turn < 12; turn++) await writeLog(place, key, 2);
    }),
  ).finally(() => {
    isOver = true;
  });
  let looks = 0;
  while (!isOver) {
    looks++;
    expect((await verifyAuditLog({ ...place, key })).damages).toEqual([]);
  }
  await writing;
  expect(looks).toBeGreaterThan(3);
  expect(await verifyAuditLog({ ...place, key })).toMatchObject({ ok: true, files: 37 });
});

it("goes on after anchors that a killed writer left half written", async () => {
  const [place, key] = [newPlace(), newKey()];
  await writeLog(place, key, 1);
  appendFileSync(join(place.anchors, "anchors.jsonl"), '{"at":"2026-');
  const torn = await verifyAuditLog({ ...place, key });
  expect([torn.ok, torn.notices.map(({ kind }) => kind)]).toEqual([true, ["torn"]]);
  await writeLog(place, key, 1);
  expect(await verifyAuditLog({ ...place, key })).toMatchObject({
    ok: true,
    files: 2,
    notices: [],
  });
});

it("gives equal values equal fingerprints under one key, and others under another", async () => {
  const [one, other] = [newKey(), newKey()];
  const logs = [
    await openLog({ ...newPlace(), key: one }),
    await openLog({ ...newPlace(), key: one }),
    await openLog({ ...newPlace(), key: other }),
  ] as const;
  const token = randomToken();
  const secret = new Secret(token);
  const prints = logs.map((log) => log.fingerprint(token));
  expect(prints[0]).toMatch(/^audit:[0-9a-f]{32}$/);
  expect(prints[0]).toBe(prints[1]);
  expect(prints[0]).not.toBe(prints[2]);
  // A secret of this process, also one that came later, by what the process calls it.
  expect(logs[0].fingerprintFor(secret.fingerprint)).toBe(prints[0]);
  expect(logs[0].fingerprintFor("process:unknown")).toBe("(withheld)");
  expect(logs[0].holdsKey(`x${one.reveal()}y`)).toBe(true);
  expect(logs[0].holdsKey(other.reveal())).toBe(false);
  for (const log of logs) await log.close();
});

it("knows who acts without knowing a name", () => {
  const uid = `uid:${process.getuid?.()}`;
  expect(currentActor({})).toBe(uid);
  expect(currentActor({ GITHUB_ACTOR: "erika", GITHUB_ACTOR_ID: "583231" })).toBe("github:583231");
  expect(currentActor({ GITLAB_USER_ID: "42" })).toBe("gitlab:42");
  expect(currentActor({ GITHUB_ACTOR_ID: "erika@example.org" })).toBe(uid);
});

it("refuses a key that is no key", async () => {
  for (const value of ["short", "a".repeat(64), "0123456".repeat(9)]) {
    const key = new Secret(value);
    expect(await codeOfLater(() => openLog({ ...newPlace(), key }))).toBe("AUDIT_KEY_WEAK");
  }
});

it("refuses the key of another log, and leaves the log as it is", async () => {
  const [place, key] = [newPlace(), newKey()];
  await writeLog(place, key, 1);
  // Half a line of a killed writer tells nothing of a key.
  appendFileSync(join(place.anchors, "anchors.jsonl"), '{"at":"2026-');
  const before = textOf(place);
  const open = (dir: string, other: Secret) =>
    codeOfLater(async () => (await openLog({ ...place, dir, key: other })).close());
  expect(await open(place.dir, newKey())).toBe("AUDIT_KEY_WRONG");
  expect(await open(newPlace().dir, newKey())).toBe("AUDIT_KEY_WRONG");
  expect(textOf(place)).toBe(before);
  expect(await open(place.dir, key)).toBe("none");
  expect(await verifyAuditLog({ ...place, key })).toMatchObject({ ok: true, files: 2 });
});

it("begins with any key behind nothing but half a line", async () => {
  const [place, key] = [newPlace(), newKey()];
  mkdirSync(place.anchors, { mode: 0o700 });
  writeFileSync(join(place.anchors, "anchors.jsonl"), '{"at":"2026-', { mode: 0o600 });
  await writeLog(place, key, 1);
  expect(await verifyAuditLog({ ...place, key })).toMatchObject({ ok: true, files: 1 });
});

it("takes nothing after it was closed, and closes once", async () => {
  const [place, key] = [newPlace(), newKey()];
  const held = countDescriptors();
  const log = await openLog({ ...place, key });
  const last = log.append(notice());
  await Promise.all([log.close(), log.close()]);
  await expect(last).resolves.toBe(1);
  expect(await codeOfLater(() => log.append(notice()))).toBe("AUDIT_NOT_WRITABLE");
  expect(countDescriptors()).toBe(held);
  expect(readdirSync(place.dir)).toHaveLength(1);
  expect((await readAuditLog({ ...place, key })).map(({ type }) => type)).toEqual([
    "log.opened",
    "run.notice",
    "log.closed",
  ]);
});

it("reads the records of one file in their order, also where a clock steps back", async () => {
  const [place, key] = [newPlace(), newKey()];
  let time = Date.UTC(2026, 0, 1);
  const back = await openLog({ ...place, key, now: () => time });
  const other = await openLog({ ...place, key, now: () => Date.UTC(2026, 0, 1) + 5_000 });
  for (const step of [10_000, -3_600_000, 1_000, 7_200_000]) {
    time += step;
    await back.append(notice(step < 0 ? 1 : 0));
  }
  await other.append(notice(7));
  await Promise.all([back.close(), other.close()]);
  const records = await readAuditLog({ ...place, key });
  const seqsOf = (file: string) =>
    records.filter((record) => record.file === file).map(({ seq }) => seq);
  expect(seqsOf(back.fileName)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(seqsOf(other.fileName)).toEqual([0, 1, 2]);
  // Those of several files by the time.
  const places = records.map(({ file }) => (file === other.fileName ? "other" : "back"));
  expect(places.join(" ")).toBe("back other other other back back back back back");
});

it("reads what is asked for, and refuses a log that was changed", async () => {
  const [place, key] = [newPlace(), newKey()];
  const id = newId();
  let time = Date.UTC(2026, 0, 1);
  const log = await openLog({ ...place, key, now: () => time });
  for (const name of ["HF_TOKEN", "DB_URL"] as const) {
    time += 1000;
    await log.append({
      type: "secret.injected",
      correlationId: name === "DB_URL" ? id : newId(),
      name: opaque("name", name),
      fingerprint: log.fingerprint(name),
      as: "env",
    });
  }
  await log.close();
  const read = async (filter: object) =>
    (await readAuditLog({ ...place, key, filter })).map((record) =>
      "name" in record ? record.name : record.type,
    );
  expect(await read({})).toEqual(["log.opened", "HF_TOKEN", "DB_URL", "log.closed"]);
  expect(await read({ types: ["secret.injected"] })).toEqual(["HF_TOKEN", "DB_URL"]);
  expect(await read({ secret: "HF_TOKEN" })).toEqual(["HF_TOKEN"]);
  expect(await read({ run: id })).toEqual(["DB_URL"]);
  const second = Date.UTC(2026, 0, 1) + 1000;
  expect(await read({ sinceMs: second, untilMs: second + 1000 })).toEqual(["HF_TOKEN"]);
  const path = join(place.dir, log.fileName);
  writeFileSync(path, readFileSync(path, "utf8").replace("DB_URL", "DB_URI"));
  expect(await codeOfLater(() => readAuditLog({ ...place, key }))).toBe("AUDIT_DAMAGED");
  const damages: unknown[] = [];
  const onDamage = (damage: unknown) => damages.push(damage);
  const genuine = await readAuditLog({ ...place, key, onDamage });
  expect(genuine.map(({ type }) => type)).toEqual(["log.opened", "secret.injected"]);
  expect(damages).toEqual([{ file: log.fileName, line: 3, kind: "changed" }]);
});

const badTimes: Readonly<Record<string, () => number>> = {
  "no number": () => Number.NaN,
  "no time": () => 1e18,
  "a year of five digits": () => Date.UTC(10_000, 0, 1),
  "a year before 0": () => Date.UTC(-1, 0, 1),
  "an error": () => {
    throw new Error("of the clock");
  },
};
it.each(Object.entries(badTimes))("refuses what a clock gives no time for: %s", async (_, bad) => {
  const [place, key] = [newPlace(), newKey()];
  let now: () => number = () => Date.now();
  const log = await openLog({ ...place, key, now: () => now(), anchorEvery: 2 });
  await log.append(notice(1));
  const good = now;
  for (let times = 0; times < 2; times++) {
    now = bad;
    expect(await codeOfLater(() => log.append(notice(2)))).toBe("AUDIT_EVENT_INVALID");
    now = good;
    await log.append(notice(3));
    // Control: the ends of what a record can hold.
    for (const year of [0, 9_999]) {
      now = () => Date.parse(`${String(year).padStart(4, "0")}-12-31T23:59:59.999Z`);
      await log.append(notice(4));
    }
  }
  // What the log says of itself has a time all the same.
  now = bad;
  await log.close();
  const report = await verifyAuditLog({ ...place, key });
  expect([report.ok, report.records, report.notices]).toEqual([true, 9, []]);
  expect(await codeOfLater(() => openLog({ ...place, key, now: bad }))).toBe("AUDIT_EVENT_INVALID");
});
