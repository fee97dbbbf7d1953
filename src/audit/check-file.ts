import type { FileHandle } from "node:fs/promises";
import type { AuditKeys } from "./keys.ts";
import {
  chainStart,
  faultOfGroup,
  faultOfOpen,
  macOf,
  maxGroupBytes,
  maxLineBytes,
} from "./record-group.ts";
import type { DamageKind } from "./report.ts";

/** What became of the check of one file. */
export interface CheckedFile {
  /** Records that are vouched for, before the first damage. */
  readonly records: number;
  /** Its last record is the one that a writer closes with. */
  readonly isClosed: boolean;
  /** Bytes at the end that are no whole group. */
  readonly isTorn: boolean;
  readonly damage: { readonly line: number; readonly kind: DamageKind } | undefined;
}

const chunkBytes = 1024 * 1024;
const newline = 0x0a;
const closing = Buffer.from('"type":"log.closed"');

/**
 * Checks one file of records against its own chain and its anchors, in bounded memory.
 *
 * @param anchored - By number of records: the MACs that anchors saw then.
 * @param onRecord - Gets each genuine line, without its break, when its group was checked; the bytes
 *   are its own only until it returns.
 */
export async function checkFile(
  handle: Pick<FileHandle, "read">,
  fileName: string,
  keys: AuditKeys,
  anchored: ReadonlyMap<number, ReadonlySet<string>>,
  onRecord: ((line: Buffer) => void) | undefined,
): Promise<CheckedFile> {
  let prev = chainStart(keys.chain, fileName);
  let records = 0;
  let isClosed = false;
  let held = Buffer.alloc(0);
  const damaged = (kind: DamageKind, seq = records): CheckedFile => ({
    records,
    isClosed,
    isTorn: false,
    damage: { line: seq + 1, kind },
  });
  if (isOther(anchored, 0, prev)) return damaged("rewritten");
  for (;;) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, null);
    if (bytesRead === 0) break;
    const fresh = chunk.subarray(0, bytesRead);
    const bytes = held.length === 0 ? fresh : Buffer.concat([held, fresh]);
    /** Where the group begins, and its lines so far. */
    let groupAt = 0;
    let lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      const line = bytes.subarray(start, end);
      const seq = records + lines.length;
      start = end + 1;
      lines.push(line);
      const mac = macOf(line);
      if (mac === null) {
        const fault = faultOfOpen(line, seq);
        if (fault !== null) return damaged(fault, seq);
        if (anchored.has(seq + 1)) return damaged("rewritten", seq);
        continue;
      }
      const group = bytes.subarray(groupAt, end);
      const fault = faultOfGroup(keys.chain, group, { line, mac }, seq, prev);
      if (fault !== null) return damaged(fault);
      if (isOther(anchored, seq + 1, mac)) return damaged("rewritten");
      prev = mac;
      records = seq + 1;
      isClosed = line.length < 400 && line.includes(closing);
      if (onRecord !== undefined) for (const each of lines) onRecord(each);
      groupAt = start;
      lines = [];
    }
    held = Buffer.from(bytes.subarray(groupAt));
    if (held.length > maxGroupBytes || bytes.length - start > maxLineBytes) {
      return damaged("malformed", records + lines.length);
    }
  }
  const most = Math.max(0, ...anchored.keys());
  if (most > records) return damaged("truncated");
  // Nothing comes behind what a writer closed.
  if (isClosed && held.length > 0) return damaged("malformed");
  return { records, isClosed, isTorn: held.length > 0, damage: undefined };
}

function isOther(
  anchored: ReadonlyMap<number, ReadonlySet<string>>,
  records: number,
  mac: string,
): boolean {
  const macs = anchored.get(records);
  return macs !== undefined && (macs.size > 1 || !macs.has(mac));
}
