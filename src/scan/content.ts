import type { FileHandle } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import type { ScanFinding } from "./options.ts";

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
  const state = { left: maxBytes, taken: 0 };
  yield* unpack(handle, state, onTrouble);
  if (state.left > 0) yield* readPlain(handle, state.taken, "rest", state.left, onTrouble);
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

async function* unpack(
  handle: FileHandle,
  state: { left: number; taken: number },
  onTrouble: (trouble: Trouble) => void,
): AsyncGenerator<Chunk> {
  const { size } = await handle.stat();
  const source = handle.createReadStream({
    start: 0,
    autoClose: false,
    highWaterMark: chunkBytes / 4,
  });
  const gunzip = createGunzip({ chunkSize: chunkBytes / 2 });
  source.on("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    for await (const bytes of gunzip as AsyncIterable<Buffer>) {
      if (bytes.length > state.left) {
        onTrouble("limit");
        yield { part: "gzip", bytes: bytes.subarray(0, state.left) };
        state.left = 0;
        return;
      }
      state.left -= bytes.length;
      yield { part: "gzip", bytes };
    }
    // Node counts what it has taken, and drops what is behind the last member.
    state.taken = Math.min(size, gunzip.bytesWritten);
  } catch (error) {
    if (!isZlibError(error)) throw error;
    onTrouble("cut");
    // All of it once more as it is: what cannot be unpacked may be text that only begins so.
    state.taken = 0;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

function isZlibError(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && (code.startsWith("Z_") || code === "ERR_STREAM_PREMATURE_CLOSE");
}
