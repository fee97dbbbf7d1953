import type { ServerHttp2Stream } from "node:http2";
import { frame } from "./frames.ts";
import { RpcError, statusCodes } from "./rpc.ts";

const contentType = "application/grpc+proto";
const page =
  "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1><p>The proxy has no answer.</p>";

/** Sends messages as they come, then the status OK. */
export async function sendMessages(
  stream: ServerHttp2Stream,
  messages: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  stream.respond({ ":status": 200, "content-type": contentType }, { waitForTrailers: true });
  let failure: unknown;
  stream.on("wantTrailers", () => {
    stream.sendTrailers(failure === undefined ? { "grpc-status": "0" } : statusOf(failure));
  });
  try {
    for await (const message of messages) {
      if (stream.destroyed) return;
      if (!stream.write(frame(message))) await writable(stream);
    }
  } catch (error) {
    failure = error;
  }
  if (!stream.destroyed) stream.end();
}

/** Refuses a call before any message. */
export function sendFailure(stream: ServerHttp2Stream, error: unknown): void {
  stream.respond(
    { ":status": 200, "content-type": contentType, ...statusOf(error) },
    { endStream: true },
  );
}

/** Answers as a proxy does that has lost the server. */
export function sendPage(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 502, "content-type": "text/html" });
  stream.end(page);
}

/** Begins an answer that is never finished. */
export function sendHalf(stream: ServerHttp2Stream, message: Uint8Array): void {
  stream.respond({ ":status": 200, "content-type": contentType });
  const bytes = frame(message);
  stream.write(bytes.subarray(0, Math.max(1, Math.floor(bytes.length / 2))));
}

function statusOf(error: unknown): Record<string, string> {
  const { status, message, retryAfterMs } =
    error instanceof RpcError ? error : new RpcError("UNKNOWN", "the test server failed");
  const headers: Record<string, string> = {
    "grpc-status": String(statusCodes[status]),
    "grpc-message": encodeURIComponent(message),
  };
  if (retryAfterMs !== undefined) {
    headers["grpc-status-details-bin"] = retryDetails(status, retryAfterMs).toString("base64");
  }
  return headers;
}

/** `google.rpc.Status` with one detail, `modal.client.RPCRetryPolicy { float retry_after_secs = 1 }`. */
function retryDetails(status: keyof typeof statusCodes, retryAfterMs: number): Buffer {
  const seconds = Buffer.alloc(5);
  seconds[0] = 0x0d;
  seconds.writeFloatLE(retryAfterMs / 1000, 1);
  const type = Buffer.from("type.googleapis.com/modal.client.RPCRetryPolicy");
  const detail = Buffer.concat([field(1, type), field(2, seconds)]);
  return Buffer.concat([Buffer.from([0x08, statusCodes[status]]), field(3, detail)]);
}

/** A length-delimited protobuf field of less than 128 bytes. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

function writable(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}
