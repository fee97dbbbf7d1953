import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { SecretError } from "nopeek";
import { type AppendFile, verifyAuditLog } from "nopeek/audit";
import { describe, expect, it } from "vitest";
import { newKey, newPlace, notice, openLog } from "../support/audit.ts";
import { codeOfLater } from "../support/scratch.ts";

type Call = "write" | "sync" | "close";
type Fault = (file: AppendFile, bytes: Buffer | undefined) => Promise<void>;

const systemError = (code: string) => Object.assign(new Error(`${code}: of a test`), { code });

const faults: Readonly<Record<string, Fault>> = {
  EIO: async () => {
    throw systemError("EIO");
  },
  ENOSPC: async () => {
    throw systemError("ENOSPC");
  },
  "half of it, then ENOSPC": async (file, bytes) => {
    if (bytes !== undefined) await file.write(bytes.subarray(0, bytes.length / 2));
    throw systemError("ENOSPC");
  },
  "all but the break, then EIO": async (file, bytes) => {
    if (bytes !== undefined) await file.write(bytes.subarray(0, -1));
    throw systemError("EIO");
  },
};

/** Makes one call fail, and counts what is called afterwards. */
function failing(
  which: string,
  call: Call,
  index: number,
  fault: Fault,
  isTold: () => boolean = () => false,
) {
  const seen: { count: number; failed: boolean; after: number } = {
    count: 0,
    failed: false,
    after: 0,
  };
  const wrapFile = (file: AppendFile, name: string): AppendFile => {
    const guard = async (what: Call, act: () => Promise<void>, bytes?: Buffer) => {
      // The other file may be written to until the error is known.
      const isOver = name === which ? seen.failed : isTold();
      if (isOver && what !== "close") seen.after++;
      if (name === which && what === call && seen.count++ === index) {
        seen.failed = true;
        if (what === "close") await act();
        return await fault(file, bytes);
      }
      return await act();
    };
    return {
      write: (bytes) => guard("write", () => file.write(bytes), bytes),
      isWhole: (bytes) => file.isWhole(bytes),
      sync: () => guard("sync", () => file.sync()),
      close: () => guard("close", () => file.close()),
    };
  };
  return { seen, wrapFile };
}

describe.each(["records", "anchors"])("%s", (which) => {
  describe.each(["write", "sync"] as const)("%s", (call) => {
    it.each(Object.keys(faults))("fails closed at every call: %s", async (fault) => {
      let reached = 0;
      for (let index = 0; ; index++) {
        const [place, key] = [newPlace(), newKey()];
        const told: SecretError[] = [];
        const isTold = () => told.length > 0;
        const { seen, wrapFile } = failing(which, call, index, faults[fault] as Fault, isTold);
        const acked: number[] = [];
        const rejected: unknown[] = [];
        let opened: Awaited<ReturnType<typeof openLog>> | undefined;
        try {
          opened = await openLog({
            ...place,
            key,
            anchorEvery: 2,
            wrapFile,
            onFailure: (error) => told.push(error),
          });
          for (let group = 0; group < 4; group++) {
            const appends = [opened.append(notice()), opened.append(notice())];
            for (const outcome of await Promise.allSettled(appends)) {
              if (outcome.status === "fulfilled") acked.push(outcome.value);
              else rejected.push(outcome.reason);
            }
          }
          await opened.close();
        } catch (error) {
          rejected.push(error);
        }
        if (!seen.failed) {
          // Control: without a fault all is well, and every call was tried before.
          expect([rejected, told, acked.length]).toEqual([[], [], 8]);
          expect((await verifyAuditLog({ ...place, key })).ok).toBe(true);
          break;
        }
        reached++;
        // Nothing is tried again: the system may have dropped what it could not write.
        expect([index, seen.after]).toEqual([index, 0]);
        expect(rejected.length).toBeGreaterThan(0);
        for (const error of rejected) {
          expect(error).toBeInstanceOf(SecretError);
          expect(error).toMatchObject({ code: "AUDIT_NOT_WRITABLE" });
          expect((error as Error).message).not.toContain("of a test");
        }
        if (opened !== undefined) {
          expect(told).toHaveLength(1);
          expect(opened.failure).toBe(told[0]);
          await expect(opened.append(notice())).rejects.toMatchObject({
            code: "AUDIT_NOT_WRITABLE",
          });
        }
        if (!existsSync(join(place.anchors, "anchors.jsonl")) || opened === undefined) continue;
        const report = await verifyAuditLog({ ...place, key });
        expect(report.damages).toEqual([]);
        expect(report.records).toBeGreaterThan(Math.max(-1, ...acked));
      }
      expect(reached).toBeGreaterThan(4);
    });
  });
});

it.each<[string, (path: string) => void]>([
  ["removed", rmSync],
  ["replaced", (path) => writeFileSync(`${path}x`, "") ?? renameSync(`${path}x`, path)],
  ["cut", (path) => truncateSync(path, 100)],
  ["added to", (path) => appendFileSync(path, "x")],
])("a file that a job has %s is a failed log", async (_, change) => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({ ...place, key });
  await log.append(notice());
  change(join(place.dir, log.fileName));
  await expect(log.close()).rejects.toThrow("was removed or changed");
  const report = await verifyAuditLog({ ...place, key }).catch(({ code }) => code);
  expect(report).not.toMatchObject({ damages: [], notices: [] });
});

it("a failed close is told", async () => {
  const [place, key] = [newPlace(), newKey()];
  const { wrapFile } = failing("records", "close", 0, faults["EIO"] as Fault);
  const log = await openLog({ ...place, key, wrapFile });
  await expect(log.close()).rejects.toMatchObject({ code: "AUDIT_NOT_WRITABLE" });
  expect((await verifyAuditLog({ ...place, key })).ok).toBe(true);
});

/** A call that does not answer before it is released. */
function hanging() {
  let release: () => void = () => undefined;
  const answer = new Promise<void>((settle) => {
    release = settle;
  });
  return { hang: () => answer, release: () => release() };
}

it("a disk that does not answer is one that failed", async () => {
  const [place, key] = [newPlace(), newKey()];
  const { hang, release } = hanging();
  const { wrapFile } = failing("records", "sync", 1, hang);
  const log = await openLog({ ...place, key, wrapFile, stallMs: 50 });
  await expect(log.append(notice())).rejects.toMatchObject({ code: "AUDIT_NOT_WRITABLE" });
  await expect(log.close()).rejects.toThrow("does not answer");
  release();
});

const times = ["stallMs", "anchorEveryMs"] as const;
it.each(times)("%s is a time, and may be longer than a timer can wait", async (name) => {
  const [place, key] = [newPlace(), newKey()];
  for (const wrong of [Number.NaN, -1, "5000"]) {
    expect(await codeOfLater(() => openLog({ ...place, key, [name]: wrong as number }))).toBe(
      "DECLARATION_INVALID",
    );
  }
  // Slow, but no slower than what is waited for.
  const wrapFile = (file: AppendFile): AppendFile => ({
    ...file,
    sync: async () => {
      await setTimeout(30);
      await file.sync();
    },
  });
  for (const long of [1e12, Number.POSITIVE_INFINITY]) {
    const log = await openLog({ ...place, key, wrapFile, [name]: long });
    await log.append(notice());
    await setTimeout(30);
    // The one that announces the file, and that of its first record.
    const anchors = readFileSync(join(place.anchors, "anchors.jsonl"), "utf8").split("\n");
    expect(anchors.filter((line) => line.includes(log.fileName))).toHaveLength(2);
    await log.close();
  }
  expect((await verifyAuditLog({ ...place, key })).ok).toBe(true);
});

it("does not keep more than it can hold while the disk hangs", async () => {
  const [place, key] = [newPlace(), newKey()];
  const { hang, release } = hanging();
  const { wrapFile } = failing("records", "sync", 1, hang);
  const log = await openLog({ ...place, key, wrapFile });
  const events = Array.from({ length: 70_000 }, () => log.append(notice()));
  const outcomes = await Promise.allSettled(events);
  expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
  expect(log.failure?.message).toContain("does not keep up");
  release();
  await expect(log.close()).rejects.toMatchObject({ code: "AUDIT_NOT_WRITABLE" });
});
