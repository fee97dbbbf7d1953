import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "./failures.ts";

type Chunk = string | Uint8Array;

/** Output of a sandbox on its way here. */
export interface Relay {
  readonly stream: Readable;
  /** Settles when all of it was taken over, or is given up. */
  readonly done: Promise<void>;
  /** Since when more was asked for without an answer; `null` while nobody wants more. */
  readonly waitingSince: number | null;
  /** Waits for no more. */
  giveUp(): void;
}

export interface RelayOptions {
  /** Begins to read from the start of the output. */
  readonly open: () => Promise<ReadableStream<Chunk>>;
  /** How long Modal may be out of reach, in milliseconds. */
  readonly outageMs: number;
  /** Told when the first output is here. */
  readonly onFirst: () => void;
  /** Told if a part is lost. */
  readonly onLost: () => void;
}

/**
 * Takes over output chunk by chunk, no faster than it is read. The client repeats a broken read ten
 * times within seconds; what fails for longer is begun anew here.
 */
export function relay({ open, outageMs, onFirst, onLost }: RelayOptions): Relay {
  const source = new Source(open, onLost);
  const stopping = new AbortController();
  let waitingSince: number | null = null;
  let isOver = false;
  let hasBegun = false;
  let settle: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    settle = resolve;
  });

  async function next(): Promise<Buffer | null> {
    for (let failedAt: number | undefined, pauseMs = 100; ; ) {
      try {
        return await source.read();
      } catch (error) {
        failedAt ??= performance.now();
        const isHopeless = !isTransient(error) || performance.now() - failedAt > outageMs;
        if (isOver || isHopeless) throw error;
        await sleep(pauseMs, undefined, { signal: stopping.signal });
        pauseMs = Math.min(pauseMs * 2, 5_000);
      }
    }
  }

  function finish(): void {
    isOver = true;
    waitingSince = null;
    stopping.abort();
    source.close();
    settle();
  }

  const stream = new Readable({
    read() {
      waitingSince = performance.now();
      next().then(
        (bytes) => {
          if (isOver) return;
          waitingSince = null;
          if (!hasBegun && bytes !== null) onFirst();
          hasBegun = true;
          if (bytes === null) finish();
          stream.push(bytes);
        },
        () => {
          if (isOver) return;
          onLost();
          finish();
          stream.push(null);
        },
      );
    },
    destroy(error, callback) {
      finish();
      callback(error);
    },
  });
  return {
    stream,
    done,
    get waitingSince() {
      return waitingSince;
    },
    giveUp() {
      if (isOver) return;
      finish();
      stream.push(null);
    },
  };
}

/** Of what was read so much is kept, to compare it when the output is begun anew. */
const tailLength = 1024;

/** The output as one stream, also where it has to be begun anew: what is known is skipped then. */
class Source {
  readonly #open: RelayOptions["open"];
  readonly #onLost: () => void;
  #reader: ReadableStreamDefaultReader<Chunk> | undefined;
  /** Read beyond what was known. */
  #ahead: Buffer | undefined;
  #length = 0;
  #tail = Buffer.alloc(0);

  constructor(open: RelayOptions["open"], onLost: () => void) {
    this.#open = open;
    this.#onLost = onLost;
  }

  /** @returns `null` at the end. */
  async read(): Promise<Buffer | null> {
    this.#reader ??= await this.#begin();
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined) return this.#keep(ahead);
    try {
      const { done, value } = await this.#reader.read();
      return done ? null : this.#keep(bytesOf(value));
    } catch (error) {
      this.#reader = undefined;
      throw error;
    }
  }

  close(): void {
    void this.#reader?.cancel().catch(() => undefined);
  }

  #keep(bytes: Buffer): Buffer {
    this.#length += bytes.length;
    this.#tail = lastOf(this.#tail, bytes);
    return bytes;
  }

  async #begin(): Promise<ReadableStreamDefaultReader<Chunk>> {
    const reader = (await this.#open()).getReader();
    let left = this.#length;
    let tail = Buffer.alloc(0);
    try {
      while (left > 0) {
        const { done, value } = await reader.read();
        if (done) break;
        const bytes = bytesOf(value);
        const known = bytes.subarray(0, left);
        tail = lastOf(tail, known);
        if (bytes.length > left) this.#ahead = bytes.subarray(left);
        left -= known.length;
      }
    } catch (error) {
      void reader.cancel().catch(() => undefined);
      throw error;
    }
    // Of very long output the service may keep the last part only.
    if (!tail.equals(this.#tail)) this.#onLost();
    return reader;
  }
}

function bytesOf(chunk: Chunk): Buffer {
  if (typeof chunk !== "string") {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  // As many bytes as characters: it is ASCII, which Latin-1 copies faster.
  return Buffer.from(chunk, Buffer.byteLength(chunk) === chunk.length ? "latin1" : "utf8");
}

function lastOf(before: Buffer<ArrayBuffer>, bytes: Buffer): Buffer<ArrayBuffer> {
  const last = bytes.subarray(-tailLength);
  const missing = tailLength - last.length;
  // A copy, so that a large chunk is not kept for its end.
  return Buffer.concat(missing > 0 ? [before.subarray(-missing), last] : [last]);
}
