import type { Mac } from "./mac.ts";

/**
 * A record is one line of JSON. Its MAC is taken over the raw bytes before it, so nothing has to be
 * brought into a canonical form: `{"seq":0,"at":"...","prev":"...",...,"mac":"..."}`.
 */
const macPrefix = ',"mac":"';
const macLength = 64;
const tailLength = macPrefix.length + macLength + 2;

/** No record is longer: a reader needs to hold no more. */
export const maxLineBytes = 16 * 1024;

/** Names of the files of a log: when the writer began, and a random part. */
export const fileNamePattern = /^audit-\d{8}T\d{9}Z-[0-9a-f]{16}\.jsonl$/;

/** What the first record of a file is chained to: the file's own name. */
export function chainStart(chain: Mac, fileName: string): string {
  return chain.of(`nopeek audit file ${fileName}`);
}

/** A line without its break, and the MAC that the next one is chained to. */
export interface RecordLine {
  readonly text: string;
  readonly mac: string;
}

/** Writes a record. */
export function recordLine(
  chain: Mac,
  seq: number,
  at: string,
  prev: string,
  members: string,
): RecordLine {
  const body = `{"seq":${seq},"at":"${at}","prev":"${prev}",${members}`;
  const mac = chain.of(body);
  return { text: `${body}${macPrefix}${mac}"}`, mac };
}

/** What is wrong with a line; null for a genuine record in its place. */
export type LineFault = "malformed" | "changed" | "out-of-order" | "foreign";

/**
 * Checks a line, given what must stand in it.
 *
 * @param line - The bytes of the line, without its break.
 * @returns The MAC, or what is wrong.
 */
export function checkLine(
  chain: Mac,
  line: Buffer,
  seq: number,
  prev: string,
): { readonly mac: string } | { readonly fault: LineFault } {
  if (line.length > maxLineBytes) return { fault: "malformed" };
  const bodyLength = line.length - tailLength;
  const tail = bodyLength < 0 ? "" : line.toString("latin1", bodyLength);
  if (!tail.startsWith(macPrefix) || !tail.endsWith('"}')) return { fault: "malformed" };
  const mac = tail.slice(macPrefix.length, -2);
  const body = line.subarray(0, bodyLength);
  if (chain.of(body) !== mac) return { fault: "changed" };
  // From here on the line is one that a holder of the key wrote: the question is whether here.
  const head = `{"seq":${seq},"at":"`;
  const prevAt = head.length + timeLength;
  const chained = `","prev":"${prev}",`;
  if (line.toString("latin1", 0, head.length) === head) {
    if (line.toString("latin1", prevAt, prevAt + chained.length) === chained) return { mac };
    return { fault: "foreign" };
  }
  return { fault: "out-of-order" };
}

/** `2026-11-22T02:04:48.123Z`. */
const timeLength = 24;
