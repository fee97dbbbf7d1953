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

  /** After a read that failed: tries again, as long as it makes sense. */
  async function again(error: unknown): Promise<Buffer | null> {
    const failedAt = performance.now();
    let cause = error;
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      const isHopeless = !isTransient(cause) || performance.now() - failedAt > outageMs;
      if (isOver || isHopeless) throw cause;
      await sleep(pauseMs, undefined, { signal: stopping.signal });
      try {
        return await source.read();
      } catch (next) {
        cause = next;
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
      const read = source.read().catch(again);
      read.then(
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

/** The output as one stream, also where it has to be begun anew: what is known is skipped then. */
class Source {
  readonly #open: RelayOptions["open"];
  readonly #onLost: () => void;
  #reader: ReadableStreamDefaultReader<Chunk> | undefined;
  /** Read beyond what was known. */
  #ahead: Buffer | undefined;
  #length = 0;
  readonly #tail = new Tail();

  constructor(open: RelayOptions["open"], onLost: () => void) {
    this.#open = open;
    this.#onLost = onLost;
  }

  /** @returns `null` at the end. */
  read(): Promise<Buffer | null> {
    const reader = this.#reader;
    if (reader === undefined) return this.#begin().then(() => this.read());
    if (this.#ahead !== undefined) return Promise.resolve(this.#keep(this.#ahead));
    return reader.read().then(
      ({ done, value }) => (done ? null : this.#keep(bytesOf(value))),
      (error) => {
        this.#reader = undefined;
        throw error;
      },
    );
  }

  close(): void {
    void this.#reader?.cancel().catch(() => undefined);
  }

  #keep(bytes: Buffer): Buffer {
    this.#ahead = undefined;
    this.#length += bytes.length;
    this.#tail.push(bytes);
    return bytes;
  }

  async #begin(): Promise<void> {
    const reader = (await this.#open()).getReader();
    let left = this.#length;
    const tail = new Tail();
    try {
      while (left > 0) {
        const { done, value } = await reader.read();
        if (done) break;
        const bytes = bytesOf(value);
        const known = bytes.subarray(0, left);
        tail.push(known);
        if (bytes.length > left) this.#ahead = bytes.subarray(left);
        left -= known.length;
      }
    } catch (error) {
      void reader.cancel().catch(() => undefined);
      throw error;
    }
    // Of very long output the service may keep the last part only.
    if (!tail.equals(this.#tail)) this.#onLost();
    this.#reader = reader;
  }
}

/** The end of what was read, to compare it when the output is begun anew. */
class Tail {
  static readonly #bytes = 1024;
  readonly #kept = Buffer.alloc(Tail.#bytes);

  /** Copies, so that a large chunk is not kept for its end. */
  push(chunk: Buffer): void {
    const last = chunk.subarray(-Tail.#bytes);
    this.#kept.copyWithin(0, last.length);
    last.copy(this.#kept, Tail.#bytes - last.length);
  }

  equals(other: Tail): boolean {
    return this.#kept.equals(other.#kept);
  }
}

/** Room for a text of 64 Ki code units: each takes three bytes at most. */
const room = Buffer.allocUnsafeSlow(3 * 64 * 1024);

/**
 * The bytes of a chunk. To write a text into room for any and to copy what it took is one pass less
 * than to measure it first.
 */
function bytesOf(chunk: Chunk): Buffer {
  if (typeof chunk !== "string") {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk.length * 3 > room.length) return Buffer.from(chunk);
  return Buffer.from(room.subarray(0, room.write(chunk)));
}
