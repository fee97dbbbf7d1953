import type { Writable } from "node:stream";
import type { Chunks, Redactor } from "../redact/index.ts";
import { joined, toBytes } from "./written-bytes.ts";

type Done = (error?: Error | null) => void;
interface Batch extends Array<{ chunk: unknown; encoding: BufferEncoding; callback?: Done }> {
  allBuffers?: boolean;
}
interface Internals {
  _write(chunk: unknown, encoding: BufferEncoding, callback: Done): void;
  _writev?(batch: Batch, callback: Done): void;
}

/** As in redacting streams: after such a pause a little of what is held is shown. */
const pauseMs = 25;
const methods = ["write", "end", "_write", "_writev"] as const;
const nothing = new Uint8Array(0);
// Kept, as tests replace the global one.
const { setTimeout, clearTimeout } = globalThis;

/**
 * Masks what is written to a stream that others hold already, such as `process.stdout`.
 *
 * `write` and `end` are replaced, so that earlier replacements of others get masked bytes, and so
 * is `_write` beneath them, which also sees `Writable.prototype.write.call(stream)`. What went
 * through the upper door passes the lower one. Return values, callbacks and errors stay the
 * stream's own; one state for the whole stream masks what is cut over several writes.
 */
export class StreamGuard implements Disposable {
  readonly #stream: Writable;
  readonly #before: Pick<Writable, "write" | "end"> & Internals;
  readonly #own: Partial<Record<(typeof methods)[number], PropertyDescriptor | undefined>> = {};
  readonly #redactor: Redactor;
  /** Made at the first write: rules take longer to compile than many a program runs. */
  #chunks: Chunks | undefined;
  /** Masked bytes on their way from the upper door to the lower one. */
  #passing: Uint8Array | null = null;
  readonly #queued = new WeakSet<object>();
  #depth = 0;
  #maskDepth = 0;
  #timer: NodeJS.Timeout | undefined;
  #state: "active" | "exiting" | "off" = "active";

  constructor(stream: Writable, redactor: Redactor) {
    this.#stream = stream;
    this.#redactor = redactor;
    const inner = stream as Writable & Internals;
    this.#before = {
      write: inner.write,
      end: inner.end,
      _write: inner._write,
      ...(typeof inner._writev === "function" ? { _writev: inner._writev } : {}),
    };
    for (const method of methods) {
      if (this.#before[method] === undefined) continue;
      this.#own[method] = Object.getOwnPropertyDescriptor(stream, method);
      const value = this.#replacements[method];
      Object.defineProperty(stream, method, { value, writable: true, configurable: true });
    }
  }

  /** Writes what is held, as the process is about to end; from now on nothing is held back. */
  flushForExit(): void {
    if (this.#state === "active") this.#state = "exiting";
    this.#flush();
  }

  /** Writes what is held and gives the stream its methods back. */
  [Symbol.dispose](): void {
    if (this.#state === "off") return;
    this.#flush();
    this.#state = "off";
    for (const [method, descriptor] of Object.entries(this.#own)) {
      const name = method as (typeof methods)[number];
      // Somebody has replaced it meanwhile: ours stays beneath and lets everything pass.
      if (Reflect.get(this.#stream, name) !== this.#replacements[name]) continue;
      if (descriptor === undefined) Reflect.deleteProperty(this.#stream, name);
      else Object.defineProperty(this.#stream, name, descriptor);
    }
  }

  readonly #write = (chunk: unknown, second?: unknown, third?: unknown): boolean => {
    const encoding = typeof second === "function" ? undefined : second;
    const callback = typeof second === "function" ? second : third;
    const bytes = this.#state === "off" ? null : toBytes(chunk, encoding, this.#stream);
    // What the stream refuses, it refuses itself.
    if (bytes === null) return this.#writeBefore(chunk, second, third);
    return this.#pass(this.#mask(bytes), callback);
  };

  readonly #end = (...args: readonly unknown[]): Writable => {
    if (this.#state === "off") return Reflect.apply(this.#before.end, this.#stream, args);
    const [chunk, encoding] = args;
    const callback = args.find((argument) => typeof argument === "function");
    if (chunk !== undefined && chunk !== null && chunk !== callback) {
      this.#write(chunk, typeof encoding === "function" ? undefined : encoding);
    }
    if (!this.#stream.writableEnded) this.#flush();
    return Reflect.apply(this.#before.end, this.#stream, callback === undefined ? [] : [callback]);
  };

  readonly #writeBelow = (chunk: unknown, encoding: BufferEncoding, callback: Done): void => {
    const bytes = this.#maskBelow(chunk, encoding);
    if (bytes?.length === 0) callback();
    else if (bytes === null) this.#before._write.call(this.#stream, chunk, encoding, callback);
    else this.#before._write.call(this.#stream, bytes, "buffer" as BufferEncoding, callback);
  };

  readonly #writeBatchBelow = (batch: Batch, callback: Done): void => {
    const masked: Batch = batch.map((entry) => {
      const bytes = this.#maskBelow(entry.chunk, entry.encoding);
      return bytes === null
        ? entry
        : { ...entry, chunk: bytes, encoding: "buffer" as BufferEncoding };
    });
    masked.allBuffers = masked.every(({ chunk }) => chunk instanceof Uint8Array);
    this.#before._writev?.call(this.#stream, masked, callback);
  };

  readonly #replacements = {
    write: this.#write,
    end: this.#end,
    _write: this.#writeBelow,
    _writev: this.#writeBatchBelow,
  } as const;

  #mask(bytes: Uint8Array): Uint8Array {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    // A listener of findings that prints comes here while its text is being looked at.
    if (this.#maskDepth > 0) return this.#maskAlone(bytes);
    this.#chunks ??= this.#redactor.chunks();
    this.#maskDepth++;
    let masked: Uint8Array;
    try {
      masked = this.#chunks.write(bytes);
    } finally {
      this.#maskDepth--;
    }
    if (this.#chunks.pending === 0) return masked;
    const isLast = this.#state === "exiting" || this.#stream.writableEnded;
    if (isLast) return joined(masked, this.#chunks.end());
    this.#timer = setTimeout(() => this.#pause(), pauseMs).unref();
    return masked;
  }

  /** `null` for what may pass as it is. */
  #maskBelow(chunk: unknown, encoding: BufferEncoding): Uint8Array | null {
    if (chunk === this.#passing || (chunk instanceof Uint8Array && this.#queued.delete(chunk))) {
      this.#passing = null;
      return (chunk as Uint8Array).length === 0 ? (chunk as Uint8Array) : null;
    }
    const bytes = this.#state === "off" ? null : toBytes(chunk, encoding, this.#stream);
    if (bytes === null || this.#depth === 0) return bytes === null ? null : this.#mask(bytes);
    // Somebody between the doors changed masked bytes.
    return this.#maskAlone(bytes);
  }

  /** Bytes that are no part of what was written before. */
  #maskAlone(bytes: Uint8Array): Uint8Array {
    const chunks = this.#redactor.chunks();
    return joined(chunks.write(bytes), chunks.end());
  }

  /** Through the upper door as it was before. */
  #pass(bytes: Uint8Array, callback?: unknown): boolean {
    this.#passing = bytes;
    this.#depth++;
    try {
      return this.#writeBefore(bytes, callback);
    } finally {
      this.#depth--;
      if (this.#passing === bytes) {
        // The stream is busy and comes back to it later.
        this.#queued.add(bytes);
        this.#passing = null;
      }
    }
  }

  #writeBefore(...args: [chunk: unknown, second?: unknown, third?: unknown]): boolean {
    return Reflect.apply(this.#before.write, this.#stream, args);
  }

  #pause(): void {
    this.#timer = undefined;
    this.#passHeld(this.#chunks?.pause());
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#passHeld(this.#chunks?.end());
  }

  #passHeld(bytes: Uint8Array = nothing): void {
    const { destroyed, writableEnded } = this.#stream;
    if (bytes.length > 0 && !destroyed && !writableEnded) this.#pass(bytes);
  }
}
