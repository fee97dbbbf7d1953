import { createHash } from "node:crypto";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type AuditPlace, type AuditReport, verifyAuditLog } from "nopeek/audit";
import { describe, expect, it } from "vitest";
import { anchorLine, shortestAnchor } from "../../src/audit/anchor-line.ts";
import { checkAnchors } from "../../src/audit/check-anchors.ts";
import { checkFile } from "../../src/audit/check-file.ts";
import { deriveKeys } from "../../src/audit/keys.ts";
import { newKey, newPlace, notice, openLog, writeLog } from "../support/audit.ts";
import { isSlow, scratch } from "../support/scratch.ts";

const anchorsFile = "anchors.jsonl";
const kindsOf = (report: AuditReport) => report.damages.map(({ kind }) => kind);

/** Verifies, changes a file, verifies, and puts it back. */
async function afterChange(
  place: AuditPlace,
  key: ReturnType<typeof newKey>,
  path: string,
  change: (bytes: Buffer) => Buffer,
): Promise<AuditReport> {
  const before = readFileSync(path);
  writeFileSync(path, change(Buffer.from(before)));
  const report = await verifyAuditLog({ ...place, key });
  writeFileSync(path, before);
  return report;
}

const withoutLine = (bytes: Buffer, index: number) =>
  Buffer.from(
    bytes
      .toString()
      .split("\n")
      .filter((_, at) => at !== index)
      .join("\n"),
  );

describe("a closed log", () => {
  it("verifies as it is", async () => {
    const [place, key] = [newPlace(), newKey()];
    for (let count = 0; count < 3; count++) await writeLog(place, key, 5);
    const report = await verifyAuditLog({ ...place, key });
    expect(report).toMatchObject({ ok: true, files: 3, records: 21, anchors: 9 });
    expect([report.damages, report.notices]).toEqual([[], []]);
  });

  it("shows every single bit that was changed", async () => {
    const [place, key] = [newPlace(), newKey()];
    // One that came alone, and a group.
    const name = await writeLog(place, key, 1, 3);
    const keys = deriveKeys(key);
    const records = readFileSync(join(place.dir, name));
    const anchors = readFileSync(join(place.anchors, anchorsFile));
    const known = checkAnchors(keys.check, anchors);
    const anchored = new Map(known.anchors.map(({ records, mac }) => [records, new Set([mac])]));
    const isSound = async (bytes: Buffer) => {
      let at = 0;
      const read = async (target: Buffer) => {
        const bytesRead = bytes.copy(target, 0, at);
        at += bytesRead;
        return { bytesRead, buffer: target };
      };
      const handle = { read } as unknown as Parameters<typeof checkFile>[0];
      const { damage, isTorn } = await checkFile(handle, name, keys, anchored, undefined);
      return damage === undefined && !isTorn;
    };
    // Controls: as they are, both are sound.
    expect([known.damages, known.notices, await isSound(records)]).toEqual([[], [], true]);
    const unseen: string[] = [];
    for (let bit = 0; bit < records.length * 8; bit++) {
      flip(records, bit);
      if (await isSound(records)) unseen.push(`records ${bit}`);
      flip(records, bit);
    }
    // A signature takes a tenth of a millisecond: usually all bits of one line, some of the others.
    const lastLine = anchors.lastIndexOf("\n", -2) * 8;
    for (let bit = 0; bit < anchors.length * 8; bit += isSlow || bit >= lastLine ? 1 : 11) {
      flip(anchors, bit);
      if (checkAnchors(keys.check, anchors).damages.length === 0) unseen.push(`anchors ${bit}`);
      flip(anchors, bit);
    }
    expect(unseen).toEqual([]);
    expect(await isSound(records)).toBe(true);
  }, 60_000);

  it("shows a changed byte of every file through the whole verifier", async () => {
    const [place, key] = [newPlace(), newKey()];
    const name = await writeLog(place, key, 1);
    const step = isSlow ? 1 : 17;
    for (const path of [join(place.dir, name), join(place.anchors, anchorsFile)]) {
      const { length } = readFileSync(path);
      for (let at = 0; at < length; at += step) {
        const report = await afterChange(place, key, path, (bytes) => {
          flip(bytes, at * 8 + (at % 8));
          return bytes;
        });
        expect([path, at, report.ok]).toEqual([path, at, false]);
      }
    }
    expect((await verifyAuditLog({ ...place, key })).ok).toBe(true);
  }, 60_000);

  it("shows every truncation, deletion, doubling and exchange of records", async () => {
    const [place, key] = [newPlace(), newKey()];
    const name = await writeLog(place, key, 5);
    const path = join(place.dir, name);
    const { length } = readFileSync(path);
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    const step = isSlow ? 1 : 13;
    for (let end = 0; end < length; end += step) {
      const report = await afterChange(place, key, path, (bytes) => bytes.subarray(0, end));
      expect([end, kindsOf(report)]).toEqual([end, ["truncated"]]);
    }
    const rewritten = (order: readonly string[]) => () => Buffer.from(`${order.join("\n")}\n`);
    for (let one = 0; one < lines.length; one++) {
      const deleted = rewritten(lines.filter((_, at) => at !== one));
      const last = one === lines.length - 1;
      expect(kindsOf(await afterChange(place, key, path, deleted))).toEqual([
        last ? "truncated" : "out-of-order",
      ]);
      const doubled = rewritten(lines.flatMap((line, at) => (at === one ? [line, line] : [line])));
      expect(kindsOf(await afterChange(place, key, path, doubled))).toEqual(["out-of-order"]);
      for (let other = one + 1; other < lines.length; other++) {
        const swapped = [...lines];
        [swapped[one], swapped[other]] = [lines[other] ?? "", lines[one] ?? ""];
        const report = await afterChange(place, key, path, rewritten(swapped));
        expect(kindsOf(report)).toEqual(["out-of-order"]);
        expect(report.damages[0]?.line).toBe(one + 1);
      }
    }
    expect((await verifyAuditLog({ ...place, key })).ok).toBe(true);
  }, 60_000);

  it("shows records of another file, also at the same place", async () => {
    const [place, key] = [newPlace(), newKey()];
    const [one, other] = [await writeLog(place, key, 3), await writeLog(place, key, 3)];
    const theirs = readFileSync(join(place.dir, other), "utf8").split("\n");
    for (let at = 0; at < 5; at++) {
      const report = await afterChange(place, key, join(place.dir, one), (bytes) => {
        const lines = bytes.toString().split("\n");
        lines[at] = theirs[at] ?? "";
        return Buffer.from(lines.join("\n"));
      });
      expect(kindsOf(report)).toEqual(["foreign"]);
    }
    // All of it under the other's name.
    const whole = readFileSync(join(place.dir, other));
    expect(kindsOf(await afterChange(place, key, join(place.dir, one), () => whole))).toEqual([
      "foreign",
    ]);
  });

  it("shows what was written anew, without the key and with it", async () => {
    const [place, key] = [newPlace(), newKey()];
    const name = await writeLog(place, key, 3);
    await writeLog(place, key, 1);
    // Without: a whole log of another key, under the same name.
    const forged = newPlace();
    const stranger = newKey();
    const theirs = await writeLog(forged, stranger, 3);
    const forgedBytes = readFileSync(join(forged.dir, theirs));
    const path = join(place.dir, name);
    expect(kindsOf(await afterChange(place, key, path, () => forgedBytes))).toEqual(["changed"]);
    // With the key, but not the anchors: same name, another history.
    const copy = newPlace();
    cpSync(place.anchors, copy.anchors, { recursive: true });
    cpSync(place.dir, copy.dir, { recursive: true });
    const keys = deriveKeys(key);
    const { chainStart, headOf, writeRecords } = await import("../../src/audit/record-group.ts");
    const records = Array.from({ length: 5 }, (_, seq) => ({
      head: headOf(seq, new Date(0).toISOString()),
      members: '"type":"x"',
    }));
    const { bytes } = writeRecords(keys.chain, records, chainStart(keys.chain, name));
    writeFileSync(join(copy.dir, name), bytes);
    expect(kindsOf(await verifyAuditLog({ ...copy, key }))).toEqual(["rewritten"]);
    // Both folders of another key.
    await expect(verifyAuditLog({ ...forged, key })).rejects.toMatchObject({
      code: "AUDIT_KEY_WRONG",
    });
  });

  it("shows a file that is gone, renamed, replaced by a link, or that no anchor knows", async () => {
    const [place, key] = [newPlace(), newKey()];
    const names: string[] = [];
    for (let count = 0; count < 3; count++) names.push(await writeLog(place, key, 2));
    const [first = ""] = names;
    const path = join(place.dir, first);
    const aside = join(scratch(), "aside");
    renameSync(path, aside);
    const gone = await verifyAuditLog({ ...place, key });
    expect(gone.damages).toEqual([{ file: first, line: undefined, kind: "missing" }]);
    symlinkSync(aside, path);
    expect(kindsOf(await verifyAuditLog({ ...place, key }))).toEqual(["unreadable"]);
    rmSync(path);
    const renamed = join(place.dir, first.replace(/[0-9a-f]{16}/, "0123456789abcdef"));
    copyFileSync(aside, renamed);
    expect(kindsOf(await verifyAuditLog({ ...place, key })).sort()).toEqual([
      "foreign",
      "missing",
      "unanchored",
    ]);
    rmSync(renamed);
    renameSync(aside, path);
    expect((await verifyAuditLog({ ...place, key })).ok).toBe(true);
    for (const name of names) rmSync(join(place.dir, name));
    const all = await verifyAuditLog({ ...place, key });
    expect([kindsOf(all), all.files]).toEqual([["missing", "missing", "missing"], 0]);
  });

  it("shows anchors that were taken away, together with their file too", async () => {
    const [place, key] = [newPlace(), newKey()];
    for (let count = 0; count < 3; count++) await writeLog(place, key, 2);
    const path = join(place.anchors, anchorsFile);
    const lines = readFileSync(path, "utf8").split("\n");
    for (let at = 0; at < 8; at++) {
      const report = await afterChange(place, key, path, (bytes) => withoutLine(bytes, at));
      expect([at, kindsOf(report)]).toEqual([at, ["out-of-order"]]);
    }
    // The second run never was: neither its file nor its anchors.
    const [, second = ""] = readdirSync(place.dir).sort();
    const aside = join(scratch(), "aside");
    renameSync(join(place.dir, second), aside);
    const report = await afterChange(place, key, path, (bytes) =>
      Buffer.from(
        bytes
          .toString()
          .split("\n")
          .filter((line) => !line.includes(second))
          .join("\n"),
      ),
    );
    expect(kindsOf(report)).toEqual(["out-of-order"]);
    renameSync(aside, join(place.dir, second));
    expect(lines).toHaveLength(10);
    rmSync(path);
    expect(kindsOf(await verifyAuditLog({ ...place, key }))).toContain("missing");
    writeFileSync(path, "");
    expect(kindsOf(await verifyAuditLog({ ...place, key }))).toEqual(
      Array.from({ length: 3 }, () => "unanchored"),
    );
  });

  it("still shows anchors that were broken when others have written after them", async () => {
    const [place, key] = [newPlace(), newKey()];
    await writeLog(place, key, 2);
    const newest = await writeLog(place, key, 2);
    const path = join(place.anchors, anchorsFile);
    const sound = readFileSync(path, "utf8");
    const broken = sound.replaceAll(newest, newest.replace("audit-", "audit_"));
    rmSync(join(place.dir, newest));
    for (const [text, lines] of [
      [broken, [4, 5, 6]],
      // As if a writer had been killed in the last of them: it alone passes for half a line.
      [broken.slice(0, -1), [4, 5]],
      // Lines cut short, but ended.
      [sound.replace(/(.{50}).*\n(.{50}).*\n(.{50}).*\n$/, "$1\n$2\n$3\n"), [4, 5, 6]],
    ] as const) {
      writeFileSync(path, text);
      const damages = lines.map((line) => ({ file: anchorsFile, line, kind: "changed" }));
      expect((await verifyAuditLog({ ...place, key })).damages).toEqual(damages);
      for (let count = 0; count < 2; count++) {
        const later = await writeLog(place, key, 1);
        expect((await verifyAuditLog({ ...place, key })).damages).toEqual(damages);
        expect(readFileSync(path, "utf8")).toContain(later);
      }
      for (const name of readdirSync(place.dir).sort().slice(1)) rmSync(join(place.dir, name));
    }
  });

  it("takes what killed writers left half written for no damage, before and after others", async () => {
    const half = '{"at":"2026-01-01T00:00:00.000Z","file":"audit-';
    for (const left of [half, half.slice(0, 1), `${half}\n${half}`, `${half}\n${half}\n${half}`]) {
      const [place, key] = [newPlace(), newKey()];
      await writeLog(place, key, 1);
      appendFileSync(join(place.anchors, anchorsFile), left);
      const report = await verifyAuditLog({ ...place, key });
      expect(report.damages).toEqual([]);
      expect(report.notices).toEqual([{ file: anchorsFile, kind: "torn" }]);
      for (let count = 0; count < 2; count++) {
        await writeLog(place, key, 1);
        const { damages, notices } = await verifyAuditLog({ ...place, key });
        expect([left, damages, notices]).toEqual([left, [], []]);
      }
    }
  });

  it("honours an anchor right behind half a line, of a writer that had looked before", async () => {
    const key = newKey();
    const keys = deriveKeys(key);
    const line = (bytes: Buffer, records: number) =>
      anchorLine(keys.sign, {
        at: new Date(0).toISOString(),
        file: "audit-20260101T000000000Z-0123456789abcdef.jsonl",
        records,
        mac: "0".repeat(64),
        seen: bytes.length,
        seenHash: createHash("sha256").update(bytes).digest("hex"),
      });
    const first = Buffer.from(line(Buffer.alloc(0), 0));
    expect(first.length - 1).toBe(shortestAnchor);
    const second = line(first, 1);
    const between = (middle: string) => {
      const bytes = Buffer.concat([first, Buffer.from(middle)]);
      const all = Buffer.concat([bytes, Buffer.from(line(bytes, 2))]);
      const { anchors, damages } = checkAnchors(keys.check, all);
      return [anchors.map(({ records }) => records), damages.map(({ line: at }) => at)];
    };
    expect(between(second)).toEqual([[0, 1, 2], []]);
    expect(between(second.slice(0, 300) + second)).toEqual([[0, 1, 2], []]);
    // A whole anchor whose break was changed is damage.
    expect(between(`${second.slice(0, -1)}x${second}`)).toEqual([[0, 2], [2]]);
  });

  it("limit: what came after the newest anchor can be cut off, seen only by a writer that still runs", async () => {
    const [place, key] = [newPlace(), newKey()];
    const log = await openLog({ ...place, key, anchorEvery: 1_000_000 });
    await log.append(notice());
    await log.append(notice());
    const path = join(place.dir, log.fileName);
    const lines = readFileSync(path, "utf8").split("\n");
    truncateSync(path, (lines[0]?.length ?? 0) + 1);
    expect(await verifyAuditLog({ ...place, key })).toMatchObject({ ok: true, records: 1 });
    await expect(log.close()).rejects.toMatchObject({ code: "AUDIT_NOT_WRITABLE" });
  });

  it("tells a file that is not ours from one that was changed", async () => {
    const [place, key] = [newPlace(), newKey()];
    const name = await writeLog(place, key, 1);
    writeFileSync(join(place.dir, "train.log"), "x");
    const report = await verifyAuditLog({ ...place, key });
    expect([report.ok, report.notices]).toEqual([
      true,
      [{ file: "train.log", kind: "unexpected" }],
    ]);
    // Bytes that no writer wrote, behind the end: garbage, and a line without a break.
    appendFileSync(join(place.dir, name), "x".repeat(20_000));
    expect(kindsOf(await verifyAuditLog({ ...place, key }))).toEqual(["malformed"]);
  });
});

function flip(bytes: Buffer, bit: number): void {
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
}
