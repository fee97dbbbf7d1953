import type { FileHandle } from "node:fs/promises";
import type { AuditKeys } from "./keys.ts";
import { chainStart, checkLine, maxLineBytes } from "./record-line.ts";
import type { DamageKind } from "./report.ts";

/** What became of the check of one file. */
export interface CheckedFile {
  /** Records that are vouched for, before the first damage. */
  readonly records: number;
  /** Its last record is the one that a writer closes with. */
  readonly isClosed: boolean;
  /** Bytes at the end that are no whole line. */
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
 * @param onRecord - Gets each genuine line, without its break; the bytes are its own only until it
 *   returns.
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
  const damaged = (kind: DamageKind): CheckedFile => ({
    records,
    isClosed,
    isTorn: false,
    damage: { line: records + 1, kind },
  });
  if (isOther(anchored, 0, prev)) return damaged("rewritten");
  for (;;) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await handle.read(chunk, 0, chunkBytes, null);
    if (bytesRead === 0) break;
    const fresh = chunk.subarray(0, bytesRead);
    const bytes = held.length === 0 ? fresh : Buffer.concat([held, fresh]);
    let start = 0;
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      const line = bytes.subarray(start, end);
      const checked = checkLine(keys.chain, line, records, prev);
      if ("fault" in checked) return damaged(checked.fault);
      if (isOther(anchored, records + 1, checked.mac)) return damaged("rewritten");
      prev = checked.mac;
      records++;
      start = end + 1;
      onRecord?.(line);
      isClosed = line.length < 400 && line.includes(closing);
    }
    held = Buffer.from(bytes.subarray(start));
    if (held.length > maxLineBytes) return damaged("malformed");
  }
  const most = Math.max(0, ...anchored.keys());
  if (most > records) return damaged("truncated");
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
