import type { FileHandle } from "node:fs/promises";
import type { ScanFinding } from "./options.ts";
import { unpack } from "./unpack.ts";

/** The bytes of a file, part by part; a chunk is its own only until the next one is asked for. */
export interface Chunk {
  readonly part: ScanFinding["part"];
  readonly bytes: Buffer;
}

/** What could not be read as it should. */
export type Trouble = "cut" | "packed" | "limit";

const chunkBytes = 512 * 1024;

/** How files of other packers begin; they are looked at as they are, which finds hardly anything. */
const packed: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["7z", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
];
/** RFC 1952: ID1, ID2, and the only method there is. */
const gzipMagic = [0x1f, 0x8b, 0x08];

/** How a file is read. */
export interface Reading {
  /** Of no file more is given out. */
  readonly maxBytes: number;
  /** Throws where nobody wants the rest; asked also while nothing comes out. */
  readonly assertWanted: () => void;
}

/**
 * Reads a file; what is packed by gzip is unpacked, whatever its name: all members that are behind
 * each other. What follows them, or cannot be unpacked, is read as it is.
 */
export async function* readContent(
  handle: FileHandle,
  { maxBytes, assertWanted }: Reading,
  onTrouble: (trouble: Trouble) => void,
): AsyncGenerator<Chunk> {
  const told = new Set<Trouble>();
  const tell = (trouble: Trouble) => {
    if (!told.has(trouble)) onTrouble(trouble);
    told.add(trouble);
  };
  const first = Buffer.allocUnsafe(8);
  const { bytesRead } = await handle.read(first, 0, first.length, 0);
  const bytes = first.subarray(0, bytesRead);
  if (!begins(bytes, gzipMagic)) {
    if (isPacked(bytes)) tell("packed");
    yield* readPlain(handle, 0, "text", maxBytes, tell);
    return;
  }
  const { left, taken } = yield* unpackUpTo(handle, { maxBytes, assertWanted }, tell);
  if (left === 0) return;
  let end = Buffer.alloc(0);
  for await (const chunk of readPlain(handle, taken, "rest", left, tell)) {
    const joint = Buffer.concat([end, chunk.bytes.subarray(0, 3)]);
    if (!told.has("cut") && (holdsGzip(joint) || holdsGzip(chunk.bytes))) tell("packed");
    end = Buffer.concat([end, chunk.bytes.subarray(-3)]).subarray(-3);
    yield chunk;
  }
}

function begins(bytes: Buffer, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, index) => bytes[index] === byte);
}

function isPacked(bytes: Buffer): boolean {
  return packed.some(([, magic]) => begins(bytes, magic));
}

/** Whether something looks like the header of a member: the last three flags are always 0. */
function holdsGzip(bytes: Buffer): boolean {
  const magic = Buffer.from(gzipMagic);
  for (let at = bytes.indexOf(magic); at !== -1; at = bytes.indexOf(magic, at + 1)) {
    if (((bytes[at + magic.length] ?? 0xff) & 0xe0) === 0) return true;
  }
  return false;
}

/** The next chunk is read while the last one is looked at. */
async function* readPlain(
  handle: FileHandle,
  from: number,
  part: ScanFinding["part"],
  maxBytes: number,
  onTrouble: (trouble: Trouble) => void,
): AsyncGenerator<Chunk> {
  const buffers = [Buffer.allocUnsafe(chunkBytes), Buffer.allocUnsafe(chunkBytes)] as const;
  let position = from;
  let turn: 0 | 1 = 0;
  const readNext = () => handle.read(buffers[turn], 0, chunkBytes, position);
  let pending = readNext();
  for (let left = maxBytes; ; ) {
    const { bytesRead } = await pending;
    if (bytesRead === 0) return;
    if (left <= 0) {
      onTrouble("limit");
      return;
    }
    const bytes = buffers[turn].subarray(0, Math.min(bytesRead, left));
    position += bytesRead;
    left -= bytesRead;
    turn = turn === 0 ? 1 : 0;
    pending = readNext();
    try {
      yield { part, bytes };
    } catch (error) {
      await pending.catch(() => undefined);
      throw error;
    }
  }
}

async function* unpackUpTo(
  handle: FileHandle,
  { maxBytes, assertWanted }: Reading,
  onTrouble: (trouble: Trouble) => void,
): AsyncGenerator<Chunk, { left: number; taken: number }> {
  const unpacking = unpack(handle, assertWanted);
  let left = maxBytes;
  try {
    for (let next = await unpacking.next(); ; next = await unpacking.next()) {
      if (next.done === true) {
        const { end, taken } = next.value;
        if (end !== "whole") onTrouble(end);
        // What cannot be unpacked is read as it is: it may be text that only begins so.
        return { left: end === "limit" ? 0 : left, taken };
      }
      const { bytes: all, isFirst } = next.value;
      if (isFirst && (begins(all, gzipMagic) || isPacked(all))) onTrouble("packed");
      const bytes = all.subarray(0, left);
      left -= bytes.length;
      yield { part: "gzip", bytes };
      if (bytes.length === all.length) continue;
      onTrouble("limit");
      return { left: 0, taken: 0 };
    }
  } finally {
    await unpacking.return({ taken: 0, end: "cut" });
  }
}
