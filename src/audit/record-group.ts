import type { Mac } from "./mac.ts";

/**
 * A record is one line of JSON; records that are written together share one MAC, in the last of them:
 *
 *     {"seq":4,"at":"...",...}
 *     {"seq":5,"at":"...","prev":"...",...,"mac":"..."}
 *
 * It is taken over the raw bytes of the group before it, so nothing has to be brought into a canonical
 * form, and `prev` chains it to the MAC of the group before. None of a group is acknowledged before all
 * of it is on the disk, so that a group without its end is one that nobody counts on.
 */
const macPrefix = ',"mac":"';
const macLength = 64;
const tailLength = macPrefix.length + macLength + 2;

/** No record is longer. */
export const maxLineBytes = 16 * 1024;

/** No group is longer: a reader needs to hold no more. */
export const maxGroupBytes = 64 * 1024;

/**
 * A group ends with the line that reaches so many UTF-16 units. UTF-8 takes at most three bytes for
 * one, so that they and one more line are below `maxGroupBytes`.
 */
const groupUnits = (maxGroupBytes - maxLineBytes) / 3;

/** Names of the files of a log: when the writer began, and a random part. */
export const fileNamePattern = /^audit-\d{8}T\d{9}Z-[0-9a-f]{16}\.jsonl$/;

/** What the first group of a file is chained to: the file's own name. */
export function chainStart(chain: Mac, fileName: string): string {
  return chain.of(`nopeek audit file ${fileName}`);
}

/** A record that waits for its group. */
export interface PlainRecord {
  /** How its line begins, see {@link headOf}. */
  readonly head: string;
  /** The event, as members of a JSON object. */
  readonly members: string;
}

/** How the line of a record begins: with its number in the file, and when. */
export function headOf(seq: number, at: string): string {
  return `${seqOf(seq)}${at}"`;
}

const seqOf = (seq: number) => `{"seq":${seq},"at":"`;

/**
 * Writes records, in one group or, if they are long, in several.
 *
 * @param prev - The MAC of the last group in the file.
 * @returns The bytes, line breaks included, and the MAC that the next group is chained to.
 */
export function writeRecords(
  chain: Mac,
  records: readonly PlainRecord[],
  prev: string,
): { readonly bytes: Buffer; readonly mac: string } {
  const parts: Buffer[] = [];
  let mac = prev;
  let text = "";
  for (const [at, { head, members }] of records.entries()) {
    if (at < records.length - 1 && text.length + head.length + members.length < groupUnits) {
      text += `${head},${members}}\n`;
      continue;
    }
    const body = Buffer.from(`${text}${head},"prev":"${mac}",${members}`);
    mac = chain.of(body);
    parts.push(body, Buffer.from(`${macPrefix}${mac}"}\n`));
    text = "";
  }
  return { bytes: Buffer.concat(parts), mac };
}

/** What is wrong with a line. */
export type LineFault = "malformed" | "changed" | "out-of-order" | "foreign";

/** The MAC at the end of a line, without its break; `null` if it does not end a group. */
export function macOf(line: Buffer): string | null {
  const at = line.length - tailLength;
  const tail = at < 0 ? "" : line.toString("latin1", at);
  return tail.startsWith(macPrefix) && tail.endsWith('"}')
    ? tail.slice(macPrefix.length, -2)
    : null;
}

/** Checks what can be told of a line that does not end its group: no key vouches for it so far. */
export function faultOfOpen(line: Buffer, seq: number): LineFault | null {
  const head = seqOf(seq);
  const start = line.toString("latin1", 0, head.length);
  if (line.length > maxLineBytes || !start.startsWith('{"seq":')) return "malformed";
  return start === head ? null : "out-of-order";
}

/**
 * Checks a group, given what must stand in it.
 *
 * @param group - The bytes of its lines, without the last break.
 * @param last - The last of these lines, with its MAC.
 * @param seq - The number of the record in the last line.
 */
export function faultOfGroup(
  chain: Mac,
  group: Buffer,
  last: { readonly line: Buffer; readonly mac: string },
  seq: number,
  prev: string,
): LineFault | null {
  const { line, mac } = last;
  if (line.length > maxLineBytes || group.length > maxGroupBytes) return "malformed";
  if (chain.of(group.subarray(0, -tailLength)) !== mac) return "changed";
  // From here on the lines are ones that a holder of the key wrote: the question is whether here.
  const head = seqOf(seq);
  if (line.toString("latin1", 0, head.length) !== head) return "out-of-order";
  const prevAt = head.length + timeLength;
  const chained = `","prev":"${prev}",`;
  return line.toString("latin1", prevAt, prevAt + chained.length) === chained ? null : "foreign";
}

/** `2026-11-22T02:04:48.123Z`. */
const timeLength = 24;
