import { RpcError } from "./rpc.ts";

const headerBytes = 5;
const maxMessageBytes = 100 * 1024 * 1024;

/** Puts gRPC's length prefix before a message; it is never compressed. */
export function frame(message: Uint8Array): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

/**
 * Cuts a byte stream into the messages of gRPC.
 *
 * @throws RpcError for a compressed or an oversized message, and for a stream that ends within one.
 */
export async function* messagesOf(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of bytes) {
    held = Buffer.concat([held, piece]);
    while (held.length >= headerBytes) {
      if (held[0] !== 0) throw new RpcError("UNIMPLEMENTED", "compressed messages are not served");
      const size = held.readUInt32BE(1);
      if (size > maxMessageBytes) throw new RpcError("RESOURCE_EXHAUSTED", "message too large");
      if (held.length < headerBytes + size) break;
      yield held.subarray(headerBytes, headerBytes + size);
      held = held.subarray(headerBytes + size);
    }
  }
  if (held.length > 0) throw new RpcError("INTERNAL", "the stream ended within a message");
}
