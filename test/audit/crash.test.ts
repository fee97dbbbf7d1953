import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Secret } from "nopeek";
import { type AuditPlace, verifyAuditLog } from "nopeek/audit";
import { expect, it, onTestFinished } from "vitest";
import { newKey, newPlace } from "../support/audit.ts";
import { root } from "../support/command.ts";
import { isSlow, scratch } from "../support/scratch.ts";

const program = join(root, "test/cases/audit-writer.mjs");

function writerArgs({ dir, anchors }: AuditPlace, acks: string, callers: number, each: number) {
  return [program, dir, anchors, acks, String(callers), String(each)];
}

function acknowledged(file: string): { file: string; seq: number }[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [name = "", seq] = line.split(" ");
    return { file: name, seq: Number(seq) };
  });
}

/** Which acknowledged records the log does not have. */
async function lostOf(place: AuditPlace, key: Secret, acks: string): Promise<string[]> {
  const kept = new Set<string>();
  const report = await verifyAuditLog({
    ...place,
    key,
    onLine: (file, line) => kept.add(`${file} ${JSON.parse(line.toString()).seq}`),
  });
  expect(report.damages).toEqual([]);
  return acknowledged(acks)
    .map(({ file, seq }) => `${file} ${seq}`)
    .filter((record) => !kept.has(record));
}

/** Kills the child when it has written so many lines. */
async function killAfter(child: ChildProcess, lines: number): Promise<void> {
  const closed = once(child, "close");
  let seen = 0;
  if (child.stdout === null) throw new Error("no output");
  createInterface(child.stdout).on("line", () => {
    if (++seen === lines) child.kill("SIGKILL");
  });
  await closed;
}

it("SIGKILL at any time loses no acknowledged record, and the next writer can begin", async () => {
  const rounds = isSlow ? 1000 : 30;
  let place = newPlace();
  let total = 0;
  const key = newKey();
  let acks = join(scratch(), "acks");
  for (let round = 0; round < rounds; round++) {
    if (round % 25 === 0) {
      place = newPlace();
      acks = join(scratch(), "acks");
    }
    const child = spawn(process.execPath, writerArgs(place, acks, 16, 100_000), {
      cwd: root,
      env: { KEY: key.reveal() },
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    // At once, in the first records, and later between groups and anchors.
    await killAfter(child, [1, 2, 3, 17, 60, 150, 400][round % 7] ?? 1);
    if (!existsSync(place.anchors) || !existsSync(join(place.anchors, "anchors.jsonl"))) continue;
    const before = acknowledged(acks).length;
    if (before === 0) continue;
    expect(await lostOf(place, key, acks)).toEqual([]);
    total = Math.max(total, before);
  }
  expect(total).toBeGreaterThan(500);
}, 1_200_000);

const strace = spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "true"]).status === 0;
const withStrace = strace ? it : it.skip;
const skipped = strace ? "" : " (skipped: strace is not installed or may not trace)";

function traced(args: string[], place: AuditPlace, acks: string, key: Secret, each = 12) {
  const run = spawnSync(
    "strace",
    ["-f", "-qq", ...args, process.execPath, ...writerArgs(place, acks, 1, each)],
    {
      cwd: root,
      // strace counts the calls of each thread for itself.
      env: { KEY: key.reveal(), PATH: process.env["PATH"], UV_THREADPOOL_SIZE: "1" },
      encoding: "utf8",
    },
  );
  const last = run.stdout.trim().split("\n").at(-1) ?? "";
  return JSON.parse(last.startsWith("[") ? last : "[]") as string[];
}

withStrace(`no record is acknowledged before its fdatasync returned${skipped}`, () => {
  const [place, folder] = [newPlace(), scratch()];
  const [acks, trace] = [join(folder, "acks"), join(folder, "trace")];
  const args = ["-y", "-o", trace, "-e", "trace=write,pwrite64,writev,fdatasync"];
  expect(traced(args, place, acks, newKey())).toEqual(["late taken"]);
  const order = readFileSync(trace, "utf8")
    .split("\n")
    .map((line) => {
      if (/^\d+ +(?:write|writev|pwrite64)\(\d+<[^>]*acks>/.test(line)) return "A";
      if (/^\d+ +(?:write|writev|pwrite64)\(\d+<[^>]*audit-[^>]*\.jsonl>/.test(line)) return "W";
      if (/fdatasync\(\d+<[^>]*audit-[^>]*>\) += 0/.test(line)) return "S";
      return /fdatasync resumed>.*= 0/.test(line) ? "S" : "";
    })
    .join("");
  expect(order.match(/A/g)).toHaveLength(12);
  expect(order.match(/WS+A/g)).toHaveLength(12);
  expect(order).not.toMatch(/W[^S]*A/);
});

withStrace(
  `an error of the disk is final, and what was acknowledged is kept${skipped}`,
  async () => {
    for (const [call, error, on] of [
      ["fdatasync", "EIO", "any"],
      ["fdatasync", "ENOSPC", "any"],
      ["write,pwrite64,writev", "ENOSPC", "anchors"],
      ["write,pwrite64,writev", "EIO", "anchors"],
    ] as const) {
      for (const when of isSlow ? [1, 2, 3, 4, 5, 6, 9, 12, 15] : [1, 3, 6]) {
        const [place, key] = [newPlace(), newKey()];
        const acks = join(scratch(), "acks");
        const path = on === "anchors" ? ["-P", join(place.anchors, "anchors.jsonl")] : [];
        const inject = `inject=${call}:error=${error}:when=${when}`;
        const args = ["-o", "/dev/null", ...path, "-e", `trace=${call}`, "-e", inject];
        const failures = traced(args, place, acks, key, 60);
        // Anchors are few: a later one is never written.
        if (on === "anchors" && when > 3) continue;
        expect([call, when, failures.at(-1)]).toEqual([call, when, "thrown AUDIT_NOT_WRITABLE"]);
        if (failures.length > 1) expect(failures).toContain("late AUDIT_NOT_WRITABLE");
        if (acknowledged(acks).length > 0) expect(await lostOf(place, key, acks)).toEqual([]);
      }
    }
  },
  120_000,
);
