import type { FileHandle } from "node:fs/promises";
import { PathError, type Root } from "../paths/index.ts";
import { type Secret, SecretError } from "../secrets/index.ts";
import type { Anchor } from "./anchor-line.ts";
import { type CheckedAnchors, checkAnchors } from "./check-anchors.ts";
import { checkFile } from "./check-file.ts";
import { type AuditKeys, deriveKeys } from "./keys.ts";
import { type AuditPlace, anchorsName, findPlace, type OpenPlace } from "./place.ts";
import { fileNamePattern } from "./record-group.ts";
import type { AuditNotice, AuditReport, Damage } from "./report.ts";

export interface VerifyOptions extends AuditPlace {
  readonly key: Secret;
  /** Gets every genuine line as it is found, before the report tells of damages. */
  readonly onLine?: ((file: string, line: Buffer) => void) | undefined;
}

/**
 * Checks a log: every record by its MAC and its place in the chain, every file by its anchors, and
 * the anchors by their signatures. It reads in bounded memory and changes nothing.
 *
 * What it cannot see: records after the newest anchor that were cut off, the newest files if they
 * were deleted together with all anchors from theirs on, and what a holder of the key wrote anew
 * together with the anchors.
 *
 * @throws SecretError `FILE_NOT_FOUND`, `AUDIT_KEY_WEAK`, `AUDIT_KEY_WRONG` if nothing at all was
 *   written with this key.
 *
 * @example
 * const report = await verifyAuditLog({ dir, anchors, key });
 * if (!report.ok) for (const { file, line, kind } of report.damages) alarm(file, line, kind);
 */
export async function verifyAuditLog(options: VerifyOptions): Promise<AuditReport> {
  const keys = deriveKeys(options.key);
  using place = findPlace(options);
  // In this order: while others write, a file may come after the list, but not after its anchors.
  const listed = new Set(place.records.readdirSync("."));
  const known = await readAnchors(place, keys);
  const byFile = groupByFile(known.anchors);
  for (const name of place.records.readdirSync(".")) if (byFile.has(name)) listed.add(name);
  const names = [...listed].sort();
  const files = names.filter((name) => fileNamePattern.test(name));
  if (files.length === 0 && known.anchors.length + known.damages.length === 0) {
    throw new SecretError("FILE_NOT_FOUND", "there is no audit log: neither records nor anchors");
  }
  const damages: Damage[] = [...known.damages];
  const notices: AuditNotice[] = [...known.notices];
  for (const file of names) {
    if (!fileNamePattern.test(file)) notices.push({ file, kind: "unexpected" });
  }
  let records = 0;
  for (const file of files) {
    const anchored = byFile.get(file);
    byFile.delete(file);
    if (anchored === undefined) damages.push({ file, line: undefined, kind: "unanchored" });
    const handle = await openRecords(place.records, file);
    if (handle === null) {
      damages.push({ file, line: undefined, kind: "unreadable" });
      continue;
    }
    try {
      const onRecord = options.onLine && ((line: Buffer) => options.onLine?.(file, line));
      const checked = await checkFile(handle, file, keys, anchored ?? new Map(), onRecord);
      records += checked.records;
      const { damage, isTorn, isClosed } = checked;
      if (damage !== undefined) damages.push({ file, ...damage });
      else if (isTorn) notices.push({ file, kind: "torn" });
      else if (!isClosed) notices.push({ file, kind: "not-closed" });
    } finally {
      await handle.close();
    }
  }
  for (const [file, anchored] of byFile) {
    if (Math.max(...anchored.keys()) > 0) damages.push({ file, line: undefined, kind: "missing" });
    else notices.push({ file, kind: "never-begun" });
  }
  if (records === 0 && known.anchors.length === 0) {
    throw new SecretError(
      "AUDIT_KEY_WRONG",
      "nothing of this log was written with this key: the key is another one, or the whole log was replaced",
    );
  }
  const anchoredAt = known.anchors
    .map(({ at }) => at)
    .sort()
    .at(-1);
  return {
    ok: damages.length === 0,
    files: files.length,
    records,
    anchors: known.anchors.length,
    anchoredAt,
    damages,
    notices,
  };
}

async function readAnchors(place: OpenPlace, keys: AuditKeys): Promise<CheckedAnchors> {
  try {
    return checkAnchors(keys.check, await place.anchors.readFile(anchorsName));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (isMissing && place.records.readdirSync(".").length === 0) {
      return { anchors: [], damages: [], notices: [] };
    }
    const kind = isMissing ? "missing" : "unreadable";
    return {
      anchors: [],
      damages: [{ file: anchorsName, line: undefined, kind }],
      notices: [],
    };
  }
}

async function openRecords(root: Root, file: string): Promise<FileHandle | null> {
  try {
    const handle = await root.open(file, "r");
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return null;
  } catch (error) {
    if (error instanceof PathError || (error as NodeJS.ErrnoException).code !== undefined) {
      return null;
    }
    throw error;
  }
}

function groupByFile(anchors: readonly Anchor[]): Map<string, Map<number, Set<string>>> {
  const groups = new Map<string, Map<number, Set<string>>>();
  for (const { file, records, mac } of anchors) {
    const group = groups.get(file) ?? new Map<number, Set<string>>();
    const macs = group.get(records) ?? new Set<string>();
    groups.set(file, group.set(records, macs.add(mac)));
  }
  return groups;
}
