import type { FileHandle } from "node:fs/promises";
import { createInflateRaw, type InflateRaw } from "node:zlib";

/** What became of unpacking a file. */
export interface Unpacked {
  /** Bytes of the file that are whole members; what follows them is something else. */
  readonly taken: number;
  /** `cut`: a member ends in the middle, or is damaged. `limit`: there are too many empty ones. */
  readonly end: "whole" | "cut" | "limit";
}

/** What came out of a member. */
export interface Piece {
  readonly bytes: Buffer;
  /** The first of its member. */
  readonly isFirst: boolean;
}

const firstReadBytes = 16 * 1024;
const readBytes = 256 * 1024;
const outputBytes = 128 * 1024;
/** Most headers end here; at most there are an extra field of 64 KiB, and names. */
const headerBytes = 512;
const maxHeaderBytes = 70_000;
/** Members that hold nothing cost time, and say nothing: nobody makes so many but to be in the way. */
const maxEmptyMembers = 4096;
/** CRC-32 and length of what was packed, behind each member. */
const trailerBytes = 8;

/**
 * Unpacks a file of gzip, all members that are behind each other (RFC 1952), in bounded memory. Node's
 * own stream drops what it has unpacked when something else follows a member.
 *
 * @param assertWanted - Throws where nobody wants the rest; asked for each member, and each read.
 * @returns When all is given out.
 */
export async function* unpack(
  handle: FileHandle,
  assertWanted: () => void,
): AsyncGenerator<Piece, Unpacked> {
  let taken = 0;
  let empty = 0;
  for (;;) {
    assertWanted();
    const header = await headerLength(handle, taken);
    if (header === null) return { taken, end: "whole" };
    if (empty >= maxEmptyMembers) return { taken, end: "limit" };
    const member = yield* inflate(handle, taken + header, assertWanted);
    if (member === null) return { taken, end: "cut" };
    const end = taken + header + member.packed;
    if (!(await endsWith(handle, end, member.unpacked))) return { taken, end: "cut" };
    if (member.unpacked === 0) empty++;
    taken = end + trailerBytes;
  }
}

/** RFC 1952, section 2.3.1: flags by bit. */
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/** The length of the header of a member; null where none begins. */
async function headerLength(handle: FileHandle, position: number): Promise<number | null> {
  for (const length of [headerBytes, maxHeaderBytes]) {
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await handle.read(buffer, 0, length, position);
    const found = endOfHeader(buffer.subarray(0, bytesRead));
    if (found !== null || bytesRead < length) return found;
  }
  return null;
}

function endOfHeader(bytes: Buffer): number | null {
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

/** Whether the trailer of a member tells the length of what was unpacked: damage often still unpacks. */
async function endsWith(handle: FileHandle, position: number, length: number): Promise<boolean> {
  const trailer = Buffer.alloc(trailerBytes);
  const { bytesRead } = await handle.read(trailer, 0, trailerBytes, position);
  return bytesRead === trailerBytes && trailer.readUInt32LE(4) === length % 2 ** 32;
}

interface Member {
  /** How many bytes it took, and gave. */
  readonly packed: number;
  readonly unpacked: number;
}

/** @returns How long it was, or null if it is cut off or damaged. */
async function* inflate(
  handle: FileHandle,
  start: number,
  assertWanted: () => void,
): AsyncGenerator<Piece, Member | null> {
  // It goes on when its one chunk is taken: the next is unpacked while that is looked at, and what
  // came before an error is never dropped.
  const stream = createInflateRaw({ chunkSize: outputBytes });
  const state: { end: "none" | "whole" | "cut" } = { end: "none" };
  let wake: () => void = () => undefined;
  let unpacked = 0;
  const endAs = (end: "whole" | "cut") => () => {
    if (state.end === "none") state.end = end;
    wake();
  };
  // Behind the end it takes nothing more, and calls back only those who wait for the end.
  stream.on("end", endAs("whole"));
  stream.on("error", endAs("cut"));
  stream.on("readable", () => wake());
  const feeding = feed(stream, handle, start, assertWanted);
  feeding.catch((error: Error) => stream.destroy(error));
  try {
    while (state.end === "none") {
      const woken = new Promise<void>((settle) => {
        wake = settle;
      });
      const bytes = stream.read() as Buffer | null;
      if (bytes !== null) {
        const isFirst = unpacked === 0;
        unpacked += bytes.length;
        yield { bytes, isFirst };
      } else if (state.end === "none") {
        await woken;
      }
    }
    return state.end === "whole" ? { packed: stream.bytesWritten, unpacked } : null;
  } finally {
    stream.destroy();
    await feeding;
  }
}

/** Writes a file to a stream, until that takes no more. */
async function feed(
  stream: InflateRaw,
  handle: FileHandle,
  start: number,
  assertWanted: () => void,
): Promise<void> {
  // Some packers write a member for every 64 KiB: little is read at first.
  let length = firstReadBytes;
  for (let position = start; !stream.destroyed; length = readBytes) {
    assertWanted();
    const { bytesRead, buffer } = await handle.read(
      Buffer.allocUnsafe(length),
      0,
      length,
      position,
    );
    position += bytesRead;
    if (bytesRead === 0) {
      stream.end();
      return;
    }
    await new Promise<void>((settle) => {
      stream.once("close", settle);
      stream.write(buffer.subarray(0, bytesRead), () => {
        stream.off("close", settle);
        settle();
      });
    });
  }
}
