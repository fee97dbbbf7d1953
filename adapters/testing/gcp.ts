import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { type GcpRequest, gcpMethods } from "./gcp-methods.ts";
import { GcpRefusal, GcpStore, grpcStatus, type VersionMeta } from "./gcp-store.ts";
import { type Codec, loadCodecs } from "./grpc-codecs.ts";
import { type Fault, type FaultKind, Faults, type LoopbackServer, listen, page } from "./server.ts";

export interface GcpServerOptions {
  /** Where `seed` puts secrets; default `test-project`. */
  readonly project?: string | undefined;
}

export interface GcpServer extends LoopbackServer {
  readonly project: string;
  /**
   * Stores a new version, as the owner of the project would.
   *
   * @param name - The secret's id in the project, or `projects/P/locations/L/secrets/S`.
   * @returns Its number.
   */
  seed(name: string, value: string | Uint8Array): number;
  /** Sets what state a version is in. */
  setState(name: string, version: number, state: VersionMeta["state"]): void;
  /** Points aliases to versions. */
  setAliases(name: string, aliases: Readonly<Record<string, number>>): void;
  aliases(name: string): Readonly<Record<string, string>>;
  /** The state of each version, the oldest first. */
  states(name: string): readonly string[];
}

/** What the service answers to each fault that is an answer. */
const refusals: Partial<Record<FaultKind, readonly [status: number, message: string]>> = {
  denied: [grpcStatus.permissionDenied, "Permission denied on resource (or it may not exist)."],
  unauthenticated: [grpcStatus.unauthenticated, "Request had invalid authentication credentials."],
  expired: [grpcStatus.unauthenticated, "The access token has expired."],
  throttled: [grpcStatus.resourceExhausted, "Quota exceeded for quota metric."],
  quota: [grpcStatus.resourceExhausted, "Quota exceeded."],
  unavailable: [grpcStatus.unavailable, "The service is currently unavailable."],
  internal: [grpcStatus.internal, "Internal error encountered."],
  conflict: [grpcStatus.aborted, "The operation was aborted."],
  invalid: [grpcStatus.invalidArgument, "Request contains an invalid argument."],
  decryption: [grpcStatus.failedPrecondition, "The Cloud KMS key is disabled or destroyed."],
};

const service = "/google.cloud.secretmanager.v1.SecretManagerService/";

/**
 * Starts a Secret Manager on this machine, over gRPC, with the rules, limits and errors of the
 * documentation. It needs `@google-cloud/secret-manager` for the definition of the protocol.
 *
 * @example
 * await using server = await startGcp();
 * server.seed("hf", token);
 * const secrets = createSecrets({ providers: [gcp({ endpoint: server.endpoint })] });
 * await secrets.get(`gcp-sm://${server.project}/hf`);
 */
export async function startGcp(options: GcpServerOptions = {}): Promise<GcpServer> {
  const { project = "test-project" } = options;
  const codecs = loadCodecs();
  const store = new GcpStore();
  const faults = new Faults();
  const calls: string[] = [];
  const sessions = new Set<ServerHttp2Session>();

  const http = createServer();
  http.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => {});
  });
  http.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    answer(stream, headers).catch(() => stream.destroy());
  });

  async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    const method = String(headers[":path"]).replace(service, "");
    calls.push(method);
    const codec = codecs.get(method);
    const run = Object.hasOwn(gcpMethods, method) ? gcpMethods[method] : undefined;
    if (codec === undefined || run === undefined) {
      refuse(stream, new GcpRefusal(grpcStatus.unimplemented, ""));
      return;
    }
    const fault = faults.take(method);
    await faults.pause(fault);
    const perform = () =>
      messageOf(() => run(store, codec.decode(Buffer.concat(chunks)) as GcpRequest), codec);
    if (fault === undefined || fault.kind === "delay") {
      send(stream, perform());
      return;
    }
    const answersFirst = fault.kind === "truncated" || fault.kind === "wrong-crc";
    const message = fault.after === true || answersFirst ? perform() : undefined;
    if (fault.kind === "wrong-crc" && message instanceof Buffer) {
      send(stream, spoilt(message, codec));
      return;
    }
    goWrong(fault, stream, message);
  }

  const { endpoint, close } = await listen(http, faults, () => {
    for (const session of sessions) session.destroy();
  });
  const fullName = (name: string) =>
    name.startsWith("projects/") ? name : `projects/${project}/secrets/${name}`;
  return {
    endpoint,
    env: { SECRET_MANAGER_EMULATOR_HOST: new URL(endpoint).host },
    project,
    calls,
    fail: (fault) => faults.add(fault),
    reset() {
      faults.clear();
      calls.length = 0;
    },
    seed(name, value) {
      const [, parent = "", id = ""] = /^(.+)\/secrets\/([^/]+)$/.exec(fullName(name)) ?? [];
      const exists = store.all(parent).some(({ meta }) => meta.name === fullName(name));
      if (!exists) store.create(parent, id, {});
      store.add(fullName(name), { data: Buffer.from(value) });
      return store.find(fullName(name)).versions.length;
    },
    setState(name, version, state) {
      store.setState(`${fullName(name)}/versions/${version}`, state, undefined);
    },
    setAliases(name, aliases) {
      const { meta } = store.find(fullName(name));
      const entries = Object.entries(aliases).map(([alias, version]) => [alias, String(version)]);
      meta.versionAliases = Object.fromEntries(entries);
      meta.etag = store.nextEtag();
    },
    aliases: (name) => ({ ...store.find(fullName(name)).meta.versionAliases }),
    states: (name) => store.find(fullName(name)).versions.map(({ meta }) => meta.state),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function messageOf(run: () => object, codec: Codec): Buffer | GcpRefusal {
  try {
    return codec.encode(run());
  } catch (error) {
    if (error instanceof GcpRefusal) return error;
    return new GcpRefusal(grpcStatus.internal, "");
  }
}

/** The same answer with another checksum. */
function spoilt(message: Buffer, codec: Codec): Buffer {
  const answer = codec.decodeAnswer(message) as { payload?: { dataCrc32c?: string } };
  const { payload } = answer;
  if (payload?.dataCrc32c !== undefined)
    payload.dataCrc32c = String(Number(payload.dataCrc32c) ^ 1);
  return codec.encode(answer);
}

function send(stream: ServerHttp2Stream, message: Buffer | GcpRefusal): void {
  if (message instanceof GcpRefusal) refuse(stream, message);
  else respond(stream, framed(message), { "grpc-status": String(grpcStatus.ok) });
}

function refuse(stream: ServerHttp2Stream, { status, message }: GcpRefusal): void {
  const text = encodeURIComponent(message.toWellFormed());
  respond(stream, undefined, { "grpc-status": String(status), "grpc-message": text });
}

function respond(
  stream: ServerHttp2Stream,
  body: Buffer | undefined,
  trailers: Record<string, string>,
): void {
  if (stream.destroyed) return;
  const head = { ":status": 200, "content-type": "application/grpc+proto" };
  stream.respond(head, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(body);
}

/** A message of gRPC: a byte that says it is not compressed, its length, itself. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function goWrong(
  { kind, detail = "" }: Fault,
  stream: ServerHttp2Stream,
  message: Buffer | GcpRefusal | undefined,
): void {
  const [status, text] = refusals[kind] ?? [];
  if (status !== undefined) {
    refuse(stream, new GcpRefusal(status, `${text} ${detail}`));
  } else if (kind === "html") {
    stream.respond({ ":status": 503, "content-type": "text/html" });
    stream.end(page + detail);
  } else if (kind === "truncated" && message instanceof Buffer) {
    const whole = framed(message);
    respond(stream, whole.subarray(0, whole.length / 2), { "grpc-status": "0" });
  } else {
    stream.session?.socket.destroy();
    stream.session?.destroy();
  }
}
