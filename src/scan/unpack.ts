import type { FileHandle } from "node:fs/promises";
import { createInflateRaw } from "node:zlib";

/** What became of unpacking a file. */
export interface Unpacked {
  /** Bytes of the file that are whole members; what follows them is something else. */
  readonly taken: number;
  /** A member ends in the middle, or is damaged. */
  readonly isCut: boolean;
}

const readBytes = 512 * 1024;
/** Deflate packs at most 1,032 times: what comes of so much is what is held at once. */
const feedBytes = 16 * 1024;
const outputBytes = 256 * 1024;
/** An extra field of 64 KiB, and names. */
const maxHeaderBytes = 70_000;
/** CRC-32 and length of what was packed, behind each member. */
const trailerBytes = 8;

/**
 * Unpacks a file of gzip, all members that are behind each other (RFC 1952), in bounded memory. Node's
 * own stream drops what it has unpacked when something else follows a member.
 *
 * @returns When all is given out.
 */
export async function* unpack(handle: FileHandle): AsyncGenerator<Buffer, Unpacked> {
  let taken = 0;
  for (;;) {
    const header = await headerLength(handle, taken);
    if (header === null) return { taken, isCut: false };
    const packed = yield* inflate(handle, taken + header);
    if (packed === null) return { taken, isCut: true };
    taken += header + packed + trailerBytes;
  }
}

/** RFC 1952, section 2.3.1: flags by bit. */
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/** The length of the header of a member; null where none begins. */
async function headerLength(handle: FileHandle, position: number): Promise<number | null> {
  const buffer = Buffer.allocUnsafe(maxHeaderBytes);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
  const bytes = buffer.subarray(0, bytesRead);
  if (bytes.length < 10 || bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) return null;
  const given = bytes[3] as number;
  let at = 10;
  if ((given & flags.extra) !== 0) {
    if (bytes.length < at + 2) return null;
    at += 2 + bytes.readUInt16LE(at);
  }
  for (const flag of [flags.name, flags.comment]) {
    if ((given & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end === -1) return null;
    at = end + 1;
  }
  if ((given & flags.headerCrc) !== 0) at += 2;
  return at <= bytes.length ? at : null;
}

/** @returns How many bytes it took, or null if they are cut off or damaged. */
async function* inflate(handle: FileHandle, start: number): AsyncGenerator<Buffer, number | null> {
  const stream = createInflateRaw({ chunkSize: outputBytes });
  let unpacked: Buffer[] = [];
  const state: { end: "none" | "whole" | "cut" } = { end: "none" };
  let settle: () => void = () => undefined;
  const endAs = (end: "whole" | "cut") => () => {
    if (state.end === "none") state.end = end;
    settle();
  };
  stream.on("data", (bytes: Buffer) => unpacked.push(bytes));
  // Behind the end it takes nothing more, and calls back only those who wait for the end.
  stream.on("end", endAs("whole"));
  stream.on("error", endAs("cut"));
  const feed = (bytes: Buffer | null) =>
    new Promise<void>((done) => {
      settle = done;
      if (bytes === null) stream.end();
      else stream.write(bytes, () => done());
    });
  const take = () => {
    const taken = unpacked;
    unpacked = [];
    return taken;
  };
  // Some packers write a member for every 64 KiB: little is read at first.
  let buffer = Buffer.allocUnsafe(feedBytes);
  try {
    for (let position = start; state.end === "none"; ) {
      if (position > start && buffer.length < readBytes) buffer = Buffer.allocUnsafe(readBytes);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      position += bytesRead;
      for (let from = 0; from < bytesRead && state.end === "none"; from += feedBytes) {
        await feed(buffer.subarray(from, Math.min(from + feedBytes, bytesRead)));
        yield* take();
      }
      if (bytesRead > 0) continue;
      await feed(null);
      yield* take();
    }
    yield* take();
    return state.end === "whole" ? stream.bytesWritten : null;
  } finally {
    stream.destroy();
  }
}
