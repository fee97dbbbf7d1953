import { createHash, type KeyObject } from "node:crypto";
import { type Anchor, readAnchor, shortestAnchor } from "./anchor-line.ts";
import { anchorsName } from "./place.ts";
import type { AuditNotice, Damage } from "./report.ts";

/** What a file of anchors says. */
export interface CheckedAnchors {
  readonly anchors: readonly Anchor[];
  readonly damages: readonly Damage[];
  readonly notices: readonly AuditNotice[];
}

interface Line {
  readonly number: number;
  /** Where it begins and ends (with its break), in bytes. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly isWhole: boolean;
}

/** Checks the anchors: each by its signature, and what stood before it by the hash in it. */
export function checkAnchors(key: KeyObject, bytes: Buffer): CheckedAnchors {
  const damages: Damage[] = [];
  const notices: AuditNotice[] = [];
  const genuine: { line: Line; anchor: Anchor }[] = [];
  const others: Line[] = [];
  for (const line of linesOf(bytes)) {
    const whole = line.isWhole ? readAnchor(key, line.text) : null;
    const anchor = whole ?? readBehindHalf(key, line);
    if (anchor !== null) genuine.push({ line, anchor });
    else if (line.text !== "") others.push(line);
  }
  const hashes = hashesAt(bytes, [...new Set(genuine.map(({ anchor }) => anchor.seen))]);
  const cuts = new Set<number>();
  let wrong: number | undefined;
  for (const { line, anchor } of genuine) {
    const isRight = anchor.seen <= line.start && hashes.get(anchor.seen) === anchor.seenHash;
    if (isRight) cuts.add(anchor.seen);
    else wrong ??= line.number;
  }
  let halfAt: number | undefined;
  for (const { number, start, end, text, isWhole } of others.reverse()) {
    // A writer was killed in a line. The next one signs that the file ended there, without a break,
    // or is killed in its own line too. That a later writer saw a whole line excuses nothing.
    const isHalf = isWhole
      ? cuts.has(end - 1) || (end === halfAt && text.length < shortestAnchor)
      : // A whole anchor without its break is no half line.
        readAnchor(key, text.slice(0, -1)) === null;
    if (isHalf) halfAt = start;
    else damages.unshift({ file: anchorsName, line: number, kind: "changed" });
    if (isHalf && !isWhole) notices.push({ file: anchorsName, kind: "torn" });
  }
  if (wrong !== undefined) damages.push({ file: anchorsName, line: wrong, kind: "out-of-order" });
  return { anchors: genuine.map(({ anchor }) => anchor), damages, notices };
}

/**
 * Reads an anchor right behind half a line: its writer had looked before the other was killed, so
 * that it gave no break.
 */
function readBehindHalf(key: KeyObject, { start, text, isWhole }: Line): Anchor | null {
  const at = text.lastIndexOf('{"at":"');
  if (!isWhole || at <= 0 || at >= shortestAnchor) return null;
  const anchor = readAnchor(key, text.slice(at));
  return anchor !== null && anchor.seen <= start ? anchor : null;
}

function* linesOf(bytes: Buffer): Generator<Line> {
  let start = 0;
  for (let number = 1; start < bytes.length; number++) {
    const at = bytes.indexOf(0x0a, start);
    const isWhole = at !== -1;
    const stop = isWhole ? at : bytes.length;
    const text = bytes.toString("latin1", start, stop);
    yield { number, start, end: isWhole ? stop + 1 : stop, text, isWhole };
    start = stop + 1;
  }
}

/** The SHA-256 of each of these lengths of the bytes, in one pass. */
function hashesAt(bytes: Buffer, lengths: number[]): ReadonlyMap<number, string> {
  const hash = createHash("sha256");
  const hashes = new Map<number, string>();
  let from = 0;
  for (const length of lengths.sort((one, other) => one - other)) {
    if (length > bytes.length) break;
    hash.update(bytes.subarray(from, length));
    from = length;
    hashes.set(length, hash.copy().digest("hex"));
  }
  return hashes;
}
