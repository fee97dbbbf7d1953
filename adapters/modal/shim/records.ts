import { createHmac, timingSafeEqual } from "node:crypto";
import { constants } from "node:os";
import type { FormId } from "../../../src/detect/index.ts";

/** What the shim reports. Nothing in it is a value. */
export type ShimRecord = ShimStart | ShimFinding | ShimEnd;

/** The shim runs: the first record, before the command starts. */
interface ShimStart {
  readonly kind: "start";
  /** Counts the records of a run from 0. */
  readonly number: number;
  /** Names of variables that the job does not get, those in capitals; of each list at most 20. */
  readonly withheld: readonly string[];
  /** Declared names whose values are too short or too common to be masked. */
  readonly plain: readonly string[];
  /** Declared names that the environment lacks. */
  readonly missing: readonly string[];
}

/** Masks that were written since the last record. */
interface ShimFinding {
  readonly kind: "found";
  readonly number: number;
  readonly name: string;
  readonly form: FormId;
  readonly strength: "strong" | "weak";
  readonly stream: "stdout" | "stderr";
  readonly count: number;
}

/** The command ended: the last record. */
interface ShimEnd {
  readonly kind: "end";
  readonly number: number;
  /** What the sandbox exits with: 128 + n after signal n. */
  readonly code: number;
  /** The signal that ended the command, if one did. */
  readonly signal: NodeJS.Signals | undefined;
}

/**
 * The frame of a record: RS and a line, as in RFC 7464. RS is so rare in output that a stream need
 * hardly ever be held back for it.
 *
 *     RS "nopeek " HMAC-SHA256 as hex, " ", JSON in ASCII, LF
 */
export const recordBegin: Buffer = Buffer.from("\x1enopeek ");
/** A start record holds at most 60 names of 128 characters. */
export const maxRecordBytes = 10 * 1024;

const frame = /^([0-9a-f]{64}) (\{[\x20-\x7e]*\})\n$/;

/** Reads a record without its beginning; null if it is not genuine. */
export function readRecord(text: string, runKey: Uint8Array): ShimRecord | null {
  const [, mac = "", body = ""] = frame.exec(text) ?? [];
  if (body === "") return null;
  const expected = createHmac("sha256", runKey).update(body).digest();
  if (!timingSafeEqual(Buffer.from(mac, "hex"), expected)) return null;
  return recordOf(JSON.parse(body));
}

/** The short names that the shim writes. */
interface Written {
  readonly n: number;
  readonly kind: ShimRecord["kind"];
  readonly name: string;
  readonly form: FormId;
  readonly strong: boolean;
  readonly stream: ShimFinding["stream"];
  readonly count: number;
  readonly code: number;
  readonly signal?: number;
  readonly withheld: readonly string[];
  readonly plain: readonly string[];
  readonly missing: readonly string[];
}

function recordOf(written: Written): ShimRecord {
  const { kind, n: number, name, form, strong, stream, count, code, signal } = written;
  const { withheld, plain, missing } = written;
  switch (kind) {
    case "start":
      return { kind, number, withheld, plain, missing };
    case "found":
      return { kind, number, name, form, strength: strong ? "strong" : "weak", stream, count };
    case "end":
      return { kind, number, code, signal: signalName(signal) };
  }
}

function signalName(number: number | undefined): NodeJS.Signals | undefined {
  const entry = Object.entries(constants.signals).find(([, value]) => value === number);
  return entry?.[0] as NodeJS.Signals | undefined;
}
