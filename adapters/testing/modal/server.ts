import { setMaxListeners } from "node:events";
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { sendFailure, sendHalf, sendMessages, sendPage } from "./answer.ts";
import { type Breakage, FaultQueue, type ModalFault } from "./faults.ts";
import { messagesOf } from "./frames.ts";
import { type Codec, loadCodecs } from "./protocol.ts";
import { type CallInfo, type Handler, type Message, RpcError, type ServicePart } from "./rpc.ts";

/** A call that the server received. */
export interface ModalCall {
  /** Such as `SecretGetOrCreate`. */
  readonly method: string;
  readonly request: Readonly<Message>;
  /** The request as it came in: it may hold fields that this server does not know. */
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** gRPC over loopback, without TLS: parts, faults and a record of every call. */
export interface RpcServer {
  readonly port: number;
  readonly calls: readonly ModalCall[];
  readonly faults: FaultQueue;
  close(): Promise<void>;
}

/** Starts serving the parts; `check` refuses calls before they have any effect. */
export async function serveParts(
  parts: readonly ServicePart[],
  check: (call: CallInfo) => void,
): Promise<RpcServer> {
  const codecs = await loadCodecs(parts);
  const handlers = new Map(parts.flatMap((part) => Object.entries(part.handlers)));
  const streamHandlers = new Map(
    parts.flatMap((part) => Object.entries(part.streamHandlers ?? {})),
  );
  const faults = new FaultQueue();
  const calls: ModalCall[] = [];
  const sessions = new Set<{ destroy(): void }>();
  const closing = new AbortController();
  // Every call that is delayed listens to it.
  setMaxListeners(0, closing.signal);
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    void answer(stream, headers).catch((error: unknown) => {
      if (!stream.destroyed && !stream.headersSent) sendFailure(stream, error);
    });
  });

  async function answer(stream: ServerHttp2Stream, received: IncomingHttpHeaders): Promise<void> {
    const path = received[":path"] ?? "";
    const codec = codecs.get(path);
    const method = path.slice(path.lastIndexOf("/") + 1);
    const headers = plainHeaders(received);
    if (codec === undefined) throw new RpcError("UNIMPLEMENTED", `${method} is not served here`);
    if (!String(received["content-type"]).startsWith("application/grpc")) {
      throw new RpcError("INVALID_ARGUMENT", "the call is no gRPC");
    }
    const call: CallInfo = { service: codec.service, method, headers, signal: goneSignal(stream) };
    if (codec.requestStream) return sendMessages(stream, answerStream(stream, codec, call));
    const bytes = await oneMessage(stream);
    const request = codec.decodeRequest(bytes);
    calls.push({ method, request, bytes, headers });
    const fault = faults.take(method);
    if (fault?.delayMs !== undefined) {
      await sleep(fault.delayMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    const late = fault?.afterEffect === true || fault?.afterMessages !== undefined;
    if (!late) fail(fault);
    if (fault?.breaks !== undefined && !late) {
      return breakages[fault.breaks](stream, new Uint8Array(64));
    }
    check(call);
    const handle = handlers.get(method);
    if (handle === undefined) throw new RpcError("UNIMPLEMENTED", `${method} has no handler`);
    const result = responses(codec, handle, request, call);
    if (codec.responseStream) return sendMessages(stream, interrupted(result, fault, stream));
    const messages: Uint8Array[] = [];
    for await (const message of result) messages.push(message);
    fail(fault);
    const [first] = messages;
    if (fault?.breaks !== undefined && first !== undefined) {
      return breakages[fault.breaks](stream, first);
    }
    return sendMessages(stream, messages);
  }

  async function* answerStream(stream: ServerHttp2Stream, codec: Codec, call: CallInfo) {
    const messages: Message[] = [];
    const { method, headers } = call;
    // The messages of a stream are added as they come.
    calls.push({ method, request: { messages }, bytes: Buffer.alloc(0), headers });
    fail(faults.take(call.method));
    check(call);
    const handle = streamHandlers.get(call.method);
    if (handle === undefined) throw new RpcError("UNIMPLEMENTED", `${call.method} has no handler`);
    const response: Promise<Message> = handle(decoded(stream, codec, messages), call);
    yield codec.encodeResponse(await response);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    faults,
    async close() {
      closing.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

function fail(fault: ModalFault | undefined): void {
  if (fault?.status === undefined) return;
  throw new RpcError(fault.status, fault.details ?? "injected", fault.retryAfterMs);
}

/** A stream of messages that a fault may end. */
async function* interrupted(
  messages: AsyncIterable<Uint8Array>,
  fault: ModalFault | undefined,
  stream: ServerHttp2Stream,
): AsyncGenerator<Uint8Array> {
  let left = fault?.afterMessages ?? 0;
  for await (const message of messages) {
    if (left === 0 && fault?.status !== undefined) fail(fault);
    if (left === 0 && fault?.breaks !== undefined) {
      if (fault.breaks === "reset") stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else stream.session?.destroy();
      return;
    }
    left -= 1;
    yield message;
  }
}

async function* decoded(
  stream: ServerHttp2Stream,
  codec: Codec,
  seen: Message[],
): AsyncGenerator<Message> {
  for await (const bytes of messagesOf(stream)) {
    const message = codec.decodeRequest(bytes);
    seen.push(message);
    yield message;
  }
}

async function* responses(
  codec: Codec,
  handle: Handler,
  request: Message,
  call: CallInfo,
): AsyncGenerator<Uint8Array> {
  const result = await handle(request, call);
  if (!codec.responseStream) yield codec.encodeResponse(result as Message);
  else
    for await (const message of result as AsyncIterable<Message>) {
      yield codec.encodeResponse(message);
    }
}

async function oneMessage(stream: ServerHttp2Stream): Promise<Buffer> {
  const messages: Buffer[] = [];
  for await (const message of messagesOf(stream)) messages.push(message);
  const [message] = messages;
  if (message !== undefined && messages.length === 1) return message;
  throw new RpcError("INTERNAL", "a call without streaming holds exactly one message");
}

const breakages: Readonly<
  Record<Breakage, (stream: ServerHttp2Stream, message: Uint8Array) => void>
> = {
  reset: (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  disconnect(stream, message) {
    sendHalf(stream, message);
    setImmediate(() => stream.session?.destroy());
  },
  truncate(stream, message) {
    sendHalf(stream, message);
    stream.end();
  },
  page: sendPage,
  hang: () => undefined,
};

function plainHeaders(received: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(received)) headers[name] = String(value);
  return headers;
}

function goneSignal(stream: ServerHttp2Stream): AbortSignal {
  const gone = new AbortController();
  stream.on("close", () => gone.abort());
  return gone.signal;
}
