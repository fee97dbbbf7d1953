import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AuditPlace, readAuditLog, verifyAuditLog } from "nopeek/audit";
import { expect, it } from "vitest";
import { deriveKeys } from "../../src/audit/keys.ts";
import {
  chainStart,
  headOf,
  maxGroupBytes,
  maxLineBytes,
  writeRecords,
} from "../../src/audit/record-group.ts";
import { newId, newKey, newPlace, notice, openLog, writeLog } from "../support/audit.ts";

const linesOf = (place: AuditPlace, name: string) =>
  readFileSync(join(place.dir, name), "utf8").split("\n").slice(0, -1);
const hasMac = (line: string) => /,"prev":"[0-9a-f]{64}",.*,"mac":"[0-9a-f]{64}"\}$/.test(line);

/** What verify says of a file with other lines than were written. */
async function damagesOf(
  place: AuditPlace,
  key: ReturnType<typeof newKey>,
  name: string,
  text: string,
) {
  const path = join(place.dir, name);
  const before = readFileSync(path);
  writeFileSync(path, text);
  const { damages } = await verifyAuditLog({ ...place, key });
  writeFileSync(path, before);
  return damages.map(({ line, kind }) => [line, kind]);
}

it("what is recorded together has one MAC, and all of it is read", async () => {
  const [place, key] = [newPlace(), newKey()];
  const name = await writeLog(place, key, 1, 5);
  // The opening, one alone, a group of five, the closing.
  expect(linesOf(place, name).map(hasMac)).toEqual([
    ...[true, true],
    ...[false, false, false, false, true],
    true,
  ]);
  const records = await readAuditLog({ ...place, key });
  expect(records.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  for (const record of records) expect(record).not.toHaveProperty("mac");
});

it("shows what was taken away, doubled, moved or added within a group, and where", async () => {
  const [place, key] = [newPlace(), newKey()];
  const name = await writeLog(place, key, 1, 5);
  const lines = linesOf(place, name);
  const damages = (changed: readonly string[]) =>
    damagesOf(place, key, name, `${changed.join("\n")}\n`);
  // Control.
  expect(await damages(lines)).toEqual([]);
  for (let at = 2; at < 6; at++) {
    const line = lines[at] ?? "";
    const next = at + 1;
    // A last line that comes too early ends a group that is not whole.
    const isBeforeLast = at === 5;
    expect([at, await damages(lines.toSpliced(at, 1))]).toEqual([
      at,
      isBeforeLast ? [[3, "changed"]] : [[at + 1, "out-of-order"]],
    ]);
    expect(await damages(lines.toSpliced(at, 0, line))).toEqual([[at + 2, "out-of-order"]]);
    const moved = lines.with(at, lines[next] ?? "").with(next, line);
    expect(await damages(moved)).toEqual(
      isBeforeLast ? [[3, "changed"]] : [[at + 1, "out-of-order"]],
    );
    const other = line.replace('"count":', '"count":1');
    expect(await damages(lines.with(at, other))).toEqual([[3, "changed"]]);
    expect(await damages(lines.toSpliced(at, 0, "no record"))).toEqual([[at + 1, "malformed"]]);
    // A break within a line, and none between two.
    expect(await damages(lines.with(at, line.replace(",", ",\n")))).toHaveLength(1);
    expect(await damages(lines.toSpliced(at, 2, line + lines[next]))).toHaveLength(1);
  }
});

it("a killed writer leaves a group without its end, of which nothing counts", async () => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({ ...place, key, anchorEvery: 1_000_000 });
  await log.append(notice());
  await Promise.all(Array.from({ length: 5 }, () => log.append(notice())));
  const path = join(place.dir, log.fileName);
  const lines = linesOf(place, log.fileName);
  const whole = readFileSync(path);
  const groupAt = lines.slice(0, 2).join("\n").length + 1;
  for (let end = groupAt + 1; end < whole.length; end += 7) {
    truncateSync(path, end);
    const report = await verifyAuditLog({ ...place, key });
    expect([end, report.damages, report.notices, report.records]).toEqual([
      end,
      [],
      [{ file: log.fileName, kind: "torn" }],
      2,
    ]);
    writeFileSync(path, whole);
  }
  await log.close();
});

it("nothing passes behind what a writer closed", async () => {
  const [place, key] = [newPlace(), newKey()];
  const name = await writeLog(place, key, 1);
  const text = readFileSync(join(place.dir, name), "utf8");
  for (const more of ["x", "\n", '{"seq":3,"at":"', '{"seq":3,"at":"","type":"run.notice"}\n']) {
    expect(await damagesOf(place, key, name, text + more)).toEqual([[4, "malformed"]]);
  }
});

it("an anchor that stands within a group vouches for other records", async () => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({ ...place, key, anchorEvery: 1 });
  for (let count = 0; count < 3; count++) await log.append(notice(count));
  await log.close();
  // Written anew by a holder of the key, who cannot change the anchors: all in one group.
  const { chain } = deriveKeys(key);
  const records = linesOf(place, log.fileName).map((line, seq) => {
    const { at, seq: _seq, prev: _prev, mac: _mac, ...event } = JSON.parse(line);
    return { head: headOf(seq, at), members: JSON.stringify(event).slice(1, -1) };
  });
  const { bytes } = writeRecords(chain, records, chainStart(chain, log.fileName));
  expect(await damagesOf(place, key, log.fileName, bytes.toString())).toEqual([[1, "rewritten"]]);
});

it("groups and lines are bounded, for writers and for readers", async () => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({ ...place, key });
  // Three bytes of UTF-8 and six of JSON for one character are the most that there is.
  const notes = ["\u0800".repeat(682), "\u0001".repeat(2048), "\ud800".repeat(682)];
  await Promise.all(
    Array.from({ length: 300 }, (_, count) =>
      log.append({
        ...{ type: "incident.closed", correlationId: newId(), incidentId: newId() },
        ...{ actor: "uid:1" as never, note: notes[count % 3] ?? "" },
      }),
    ),
  );
  await log.close();
  expect(await verifyAuditLog({ ...place, key })).toMatchObject({ ok: true, records: 302 });
  let group = 0;
  for (const line of linesOf(place, log.fileName)) {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(maxLineBytes);
    group += Buffer.byteLength(line) + 1;
    expect(group).toBeLessThanOrEqual(maxGroupBytes);
    if (hasMac(line)) group = 0;
  }
});

it("a reader gives up on a group without an end", async () => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({ ...place, key });
  const open = Array.from({ length: 5_000 }, (_, at) => `{"seq":${at + 1},"at":"",}\n`);
  const path = join(place.dir, log.fileName);
  appendFileSync(path, open.slice(0, 100).join(""));
  // As a killed writer would leave it.
  expect(await verifyAuditLog({ ...place, key })).toMatchObject({ ok: true, records: 1 });
  appendFileSync(path, open.slice(100).join(""));
  const { damages, records } = await verifyAuditLog({ ...place, key });
  expect([damages.map(({ kind }) => kind), records]).toEqual([["malformed"], 1]);
  await expect(log.close()).rejects.toMatchObject({ code: "AUDIT_NOT_WRITABLE" });
});
