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

/**
 * Reads a file; what is packed by gzip is unpacked, whatever its name: all members that are behind
 * each other. What follows them, or cannot be unpacked, is read as it is.
 */
export async function* readContent(
  handle: FileHandle,
  maxBytes: number,
  onTrouble: (trouble: Trouble) => void,
): AsyncGenerator<Chunk> {
  const first = Buffer.allocUnsafe(8);
  const { bytesRead } = await handle.read(first, 0, first.length, 0);
  const begins = (magic: readonly number[]) =>
    bytesRead >= magic.length && magic.every((byte, index) => first[index] === byte);
  if (!begins(gzipMagic)) {
    if (packed.some(([, magic]) => begins(magic))) onTrouble("packed");
    yield* readPlain(handle, 0, "text", maxBytes, onTrouble);
    return;
  }
  const { left, taken } = yield* unpackUpTo(handle, maxBytes, onTrouble);
  if (left > 0) yield* readPlain(handle, taken, "rest", left, onTrouble);
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
  maxBytes: number,
  onTrouble: (trouble: Trouble) => void,
): AsyncGenerator<Chunk, { left: number; taken: number }> {
  const unpacking = unpack(handle);
  let left = maxBytes;
  try {
    for (let next = await unpacking.next(); ; next = await unpacking.next()) {
      if (next.done === true) {
        // What cannot be unpacked is read as it is: it may be text that only begins so.
        if (next.value.isCut) onTrouble("cut");
        return { left, taken: next.value.taken };
      }
      const bytes = next.value.subarray(0, left);
      left -= bytes.length;
      yield { part: "gzip", bytes };
      if (bytes.length === next.value.length) continue;
      onTrouble("limit");
      return { left: 0, taken: 0 };
    }
  } finally {
    await unpacking.return({ taken: 0, isCut: true });
  }
}
