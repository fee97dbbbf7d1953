import { Output } from "./output.ts";
import type { Scanner } from "./scanner.ts";

/**
 * Masks bytes that come in chunks, without waiting: what a chunk decides is returned at once. For
 * sinks that are no streams, or that must write before the process ends.
 */
export interface Chunks {
  /** How many bytes are held back, as they may still become part of a secret. */
  readonly pending: number;
  /** What may be written after this chunk; the chunk itself if there is nothing to change. */
  write(chunk: Uint8Array): Uint8Array;
  /** What may be shown after a pause: at most 4 held bytes. Their rest is still masked. */
  pause(): Uint8Array;
  /** What is held; nothing more of it can become a secret. Writing again starts anew. */
  end(): Uint8Array;
}

/** Looks for secrets in bytes that come in chunks. A chunk may be overwritten when it was looked at. */
export interface Finder {
  /** How many bytes at the end may still become part of a finding. */
  readonly pending: number;
  push(chunk: Uint8Array): void;
  /** Nothing follows. Pushing again starts anew. */
  end(): void;
}

const nothing = Buffer.alloc(0);

/** Puts together what a scanner writes. */
export function createChunks(makeScanner: (output: Output) => Scanner): Chunks {
  const output = new Output();
  const scanner = makeScanner(output);
  const taken = () => {
    const parts = output.take();
    return parts.length > 1 ? Buffer.concat(parts) : (parts[0] ?? nothing);
  };
  return {
    get pending() {
      return scanner.pending;
    },
    write: (chunk) => {
      scanner.push(chunk);
      const written = taken();
      const isChunk =
        written === chunk ||
        (written.length === chunk.length &&
          written.byteOffset === chunk.byteOffset &&
          written.buffer === chunk.buffer);
      return isChunk ? chunk : written;
    },
    pause: () => {
      scanner.pause();
      return taken();
    },
    end: () => {
      scanner.end();
      return taken();
    },
  };
}
