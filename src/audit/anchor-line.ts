import { type KeyObject, sign, verify } from "node:crypto";
import { fileNamePattern } from "./record-group.ts";

/**
 * An anchor: a signed line that says how far a file of the log had come, and what all the lines
 * before it were. Several writers add to one file of anchors without a lock: each vouches for the
 * bytes that it has seen, so that no line can be taken away from among others.
 */
export interface Anchor {
  readonly at: string;
  /** A file of the log. */
  readonly file: string;
  /** How many records it had. */
  readonly records: number;
  /** The MAC of the last of them. */
  readonly mac: string;
  /** How many bytes of this file the writer had seen, and their SHA-256. */
  readonly seen: number;
  readonly seenHash: string;
}

/** No anchor is shorter, in characters without the break. */
export const shortestAnchor = 358;

const signaturePrefix = ',"sig":"';
const linePattern =
  /^\{"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","file":"(audit-[0-9A-Za-z-]+\.jsonl)","records":(\d{1,15}),"mac":"([0-9a-f]{64})","seen":(\d{1,15}),"seenHash":"([0-9a-f]{64})","sig":"([\w-]{86})"\}$/;

/** Writes an anchor, with its line break. */
export function anchorLine(key: KeyObject, anchor: Anchor): string {
  const { at, file, records, mac, seen, seenHash } = anchor;
  const body = JSON.stringify({ at, file, records, mac, seen, seenHash }).slice(0, -1);
  const signature = sign(null, Buffer.from(body), key).toString("base64url");
  return `${body}${signaturePrefix}${signature}"}\n`;
}

/**
 * Reads an anchor.
 *
 * @param line - Without its break.
 * @returns `null` for what is no genuine anchor.
 */
export function readAnchor(key: KeyObject, line: string): Anchor | null {
  const match = linePattern.exec(line);
  if (match === null) return null;
  const [, at = "", file = "", records, mac = "", seen, seenHash = "", text = ""] = match;
  const signature = Buffer.from(text, "base64url");
  // The last character has bits that decode to nothing.
  if (signature.toString("base64url") !== text || !fileNamePattern.test(file)) return null;
  const body = line.slice(0, line.lastIndexOf(signaturePrefix));
  if (!verify(null, Buffer.from(body), key, signature)) return null;
  return { at, file, records: Number(records), mac, seen: Number(seen), seenHash };
}

/** Whether a line has the form of an anchor, of whatever key. */
export function looksLikeAnchor(line: string): boolean {
  return linePattern.test(line);
}
