import { Transform } from "node:stream";
import type { Secret } from "../../../src/secrets/index.ts";
import { runKeyOf } from "./key.ts";
import { maxRecordBytes, readRecord, recordBegin, type ShimRecord } from "./records.ts";

export interface RecordFilterOptions {
  /** The key that the sandbox got. */
  readonly key: Secret;
  readonly runId: string;
  /** Told of every genuine record, in order. */
  readonly onRecord: (record: ShimRecord) => void;
}

const recordSeparator = recordBegin[0] as number;
const lineFeed = 0x0a;

/**
 * Takes the records of the shim out of the stderr of a sandbox, and passes everything else on byte
 * for byte. A record counts once and in order; what is forged or repeated is text like any other.
 *
 * @example
 * stderr.pipe(createRecordFilter({ key, runId, onRecord })).pipe(redactor.stream());
 */
export function createRecordFilter({ key, runId, onRecord }: RecordFilterOptions): Transform {
  const runKey = runKeyOf(key, runId);
  let held: Buffer = Buffer.alloc(0);
  let last = -1;

  const isGenuine = (line: Buffer): boolean => {
    const record = readRecord(line.subarray(recordBegin.length).toString("latin1"), runKey);
    if (record === null || record.number <= last) return false;
    last = record.number;
    onRecord(record);
    return true;
  };

  /** Passes on what is decided, and keeps the rest. */
  const filter = (stream: Transform, data: Buffer): void => {
    let passed = 0;
    let at = data.indexOf(recordSeparator);
    while (at !== -1) {
      const end = endOfRecord(data, at);
      if (end === "open") break;
      if (end !== "none" && isGenuine(data.subarray(at, end))) {
        if (at > passed) stream.push(data.subarray(passed, at));
        passed = end;
        at = data.indexOf(recordSeparator, end);
      } else {
        at = data.indexOf(recordSeparator, at + 1);
      }
    }
    const until = at === -1 ? data.length : at;
    if (until > passed) stream.push(data.subarray(passed, until));
    held = Buffer.from(data.subarray(until));
  };

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      filter(this, held.length === 0 ? chunk : Buffer.concat([held, chunk]));
      done();
    },
    flush(done) {
      if (held.length > 0) this.push(held);
      done();
    },
  });
}

/** Where what may be a record ends; `open` if more bytes must tell. */
function endOfRecord(data: Buffer, at: number): number | "open" | "none" {
  const begin = data.subarray(at, at + recordBegin.length);
  if (!begin.equals(recordBegin.subarray(0, begin.length))) return "none";
  // A record holds no control characters but its own two.
  const limit = Math.min(data.length, at + maxRecordBytes);
  for (let i = at + begin.length; i < limit; i++) {
    const byte = data[i] as number;
    if (byte === lineFeed) return i + 1;
    if (byte < 0x20 || byte > 0x7e) return "none";
  }
  return limit === data.length && limit < at + maxRecordBytes ? "open" : "none";
}
