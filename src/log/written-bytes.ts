import type { Writable } from "node:stream";

/**
 * The bytes that a stream would make of what is written to it, as a view of their own; `null` for
 * what it would refuse. A stream hands a Buffer on as it is, and puts another around other bytes.
 */
export function toBytes(chunk: unknown, encoding: unknown, stream: Writable): Buffer | null {
  if (chunk instanceof Uint8Array) {
    return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (typeof chunk !== "string") return null;
  const name = encoding ?? defaultEncoding(stream);
  if (name === "utf8") return Buffer.from(chunk);
  if (typeof name !== "string" || !Buffer.isEncoding(name)) return null;
  return Buffer.from(chunk, name);
}

/** Both, one after the other. */
export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (second.length === 0) return first;
  return first.length === 0 ? second : Buffer.concat([first, second]);
}

/** What `setDefaultEncoding` set; Node offers no other way to ask for it. */
function defaultEncoding(stream: Writable): unknown {
  const state = Reflect.get(stream, "_writableState") as { defaultEncoding?: unknown } | undefined;
  return state?.defaultEncoding ?? "utf8";
}
