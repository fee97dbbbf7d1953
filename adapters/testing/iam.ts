import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Fault, type FaultKind, Faults, type LoopbackServer, listen } from "./server.ts";
import { signatureOf } from "./sigv4.ts";

export interface IamServer extends LoopbackServer {
  /** Makes a key of a user, as the owner of the account would. */
  createKey(user: string): { readonly id: string; readonly secret: string };
  /** Whether a key is valid. */
  accepts(id: string, secret: string): boolean;
  /** The ids of a user's keys. */
  keys(user: string): readonly string[];
  /** Sets when a key was made and last used, in milliseconds since 1970. */
  setTimes(
    id: string,
    times: { readonly createdAtMs?: number; readonly lastUsedAtMs?: number },
  ): void;
}

interface Key {
  readonly id: string;
  readonly secret: string;
  readonly user: string;
  createdAtMs: number;
  lastUsedAtMs: number | undefined;
}

/** A refusal, as the service words it. */
class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number) {
    super(code);
    this.code = code;
    this.status = status;
  }
}

const maxKeys = 2;
const launcher = "launcher";

const refusals: Partial<Record<FaultKind, readonly [code: string, status: number]>> = {
  denied: ["AccessDenied", 403],
  unauthenticated: ["InvalidClientTokenId", 403],
  expired: ["ExpiredToken", 403],
  throttled: ["Throttling", 400],
  quota: ["LimitExceeded", 409],
  unavailable: ["ServiceUnavailable", 503],
  internal: ["ServiceFailure", 500],
};

type Operation = (user: string, parameters: URLSearchParams, caller: Key) => string;

/**
 * Starts the part of IAM on this machine that access keys need: it checks every signature, keeps at
 * most two keys a user, and answers as the service does.
 *
 * @example
 * await using server = await startIam();
 * const { id, secret } = server.createKey("ml-uploader");
 * const target = iam({ user: "ml-uploader", endpoint: server.endpoint });
 */
export async function startIam(): Promise<IamServer> {
  const keys = new Map<string, Key>();
  const faults = new Faults();
  const calls: string[] = [];
  const keysOf = (user: string) => [...keys.values()].filter((key) => key.user === user);

  function createKey(user: string): Key {
    if (keysOf(user).length >= maxKeys) throw new Refusal("LimitExceeded", 409);
    const id = `AKIA${randomBytes(8).toString("hex").toUpperCase()}`;
    const secret = randomBytes(30).toString("base64");
    const key = { id, secret, user, createdAtMs: Date.now(), lastUsedAtMs: undefined };
    keys.set(id, key);
    return key;
  }

  const operations: Readonly<Record<string, Operation>> = {
    CreateAccessKey(user) {
      const { id, secret, createdAtMs } = createKey(user);
      return element("AccessKey", {
        UserName: user,
        AccessKeyId: id,
        Status: "Active",
        SecretAccessKey: secret,
        CreateDate: iso(createdAtMs),
      });
    },
    ListAccessKeys(user) {
      const members = keysOf(user).map(({ id, createdAtMs }) =>
        element("member", {
          UserName: user,
          AccessKeyId: id,
          Status: "Active",
          CreateDate: iso(createdAtMs),
        }),
      );
      return `<AccessKeyMetadata>${members.join("")}</AccessKeyMetadata><IsTruncated>false</IsTruncated>`;
    },
    GetAccessKeyLastUsed(_, parameters) {
      const key = keys.get(parameters.get("AccessKeyId") ?? "");
      if (key === undefined) throw new Refusal("NoSuchEntity", 404);
      const { user, lastUsedAtMs } = key;
      const used =
        lastUsedAtMs === undefined
          ? { ServiceName: "N/A", Region: "N/A" }
          : { LastUsedDate: iso(lastUsedAtMs), ServiceName: "s3", Region: "us-east-1" };
      return `${element("AccessKeyLastUsed", used)}<UserName>${user}</UserName>`;
    },
    DeleteAccessKey(_, parameters) {
      if (!keys.delete(parameters.get("AccessKeyId") ?? "")) throw new Refusal("NoSuchEntity", 404);
      return "";
    },
    GetUser(_, __, caller) {
      // A user of the account may sign in, and has no permission to ask this.
      if (caller.user !== launcher) throw new Refusal("AccessDenied", 403);
      return element("User", {
        UserName: launcher,
        UserId: "AIDA",
        Path: "/",
        Arn: "arn:aws:iam::0:user/l",
        CreateDate: iso(0),
      });
    },
  };

  function perform(request: IncomingMessage, body: Buffer, parameters: URLSearchParams): string {
    const signed = signatureOf(request, body);
    if (signed === null) throw new Refusal("MissingAuthenticationToken", 403);
    const caller = keys.get(signed.accessKeyId);
    if (caller === undefined) throw new Refusal("InvalidClientTokenId", 403);
    if (!signed.isSignedWith(caller.secret)) throw new Refusal("SignatureDoesNotMatch", 403);
    const name = parameters.get("Action") ?? "";
    const run = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (run === undefined) throw new Refusal("InvalidAction", 400);
    if (name !== "GetUser" && caller.user !== launcher) throw new Refusal("AccessDenied", 403);
    return run(parameters.get("UserName") ?? caller.user, parameters, caller);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const parameters = new URLSearchParams(body.toString());
    const operation = parameters.get("Action") ?? "";
    calls.push(operation);
    const fault = faults.take(operation);
    await faults.pause(fault);
    if (fault === undefined || fault.kind === "delay") {
      send(response, operation, () => perform(request, body, parameters));
      return;
    }
    if (fault.after === true) perform(request, body, parameters);
    goWrong(fault, response);
  }

  const http = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });
  const { endpoint, close } = await listen(http, faults, () => http.closeAllConnections());
  const own = createKey(launcher);
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL_IAM: endpoint,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: own.id,
      AWS_SECRET_ACCESS_KEY: own.secret,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    calls,
    fail: (fault) => faults.add(fault),
    reset() {
      faults.clear();
      calls.length = 0;
    },
    createKey,
    accepts: (id, secret) => keys.get(id)?.secret === secret,
    keys: (user) => keysOf(user).map(({ id }) => id),
    setTimes(id, { createdAtMs, lastUsedAtMs }) {
      const key = keys.get(id);
      if (key === undefined) return;
      if (createdAtMs !== undefined) key.createdAtMs = createdAtMs;
      key.lastUsedAtMs = lastUsedAtMs;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function send(response: ServerResponse, operation: string, run: () => string): void {
  try {
    const result = run();
    const inner = `<${operation}Result>${result}</${operation}Result>`;
    write(response, 200, `<${operation}Response>${inner}${metadata()}</${operation}Response>`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(response, error.code, error.status);
  }
}

function goWrong({ kind, detail = "" }: Fault, response: ServerResponse): void {
  const [code, status] = refusals[kind] ?? [];
  if (code === undefined || status === undefined) response.socket?.resetAndDestroy();
  else refuse(response, code, status, detail);
}

function refuse(response: ServerResponse, code: string, status: number, detail = ""): void {
  const error = element("Error", { Type: "Sender", Code: code, Message: detail });
  write(
    response,
    status,
    `<ErrorResponse>${error}<RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function write(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "content-type": "text/xml" });
  response.end(body);
}

function metadata(): string {
  return `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`;
}

function element(name: string, fields: Readonly<Record<string, string>>): string {
  const inner = Object.entries(fields).map(([key, value]) => `<${key}>${escaped(value)}</${key}>`);
  return `<${name}>${inner.join("")}</${name}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+/, "");
}
