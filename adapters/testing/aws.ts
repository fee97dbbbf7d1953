import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { awsOperations } from "./aws-operations.ts";
import { AwsRefusal, AwsStore } from "./aws-store.ts";
import { type Fault, type FaultKind, Faults, type LoopbackServer, listen, page } from "./server.ts";

export interface AwsServerOptions {
  /** Of its ARNs; default `us-east-1`. */
  readonly region?: string | undefined;
}

export interface AwsServer extends LoopbackServer {
  /** For `new SecretsManagerClient(...)`. */
  readonly clientOptions: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /**
   * Stores a current value, as the owner of the account would.
   *
   * @returns The ARN of the secret.
   */
  seed(name: string, value: string | Uint8Array): string;
  /** Marks a secret for deletion. */
  markDeleted(name: string): void;
  /** The staging labels of each version, as `DescribeSecret` tells them. */
  labels(name: string): Readonly<Record<string, readonly string[]>>;
}

/** What the service answers to each fault that is an answer. */
const refusals: Partial<Record<FaultKind, readonly [type: string, status: number]>> = {
  denied: ["AccessDeniedException", 400],
  unauthenticated: ["UnrecognizedClientException", 400],
  expired: ["ExpiredTokenException", 400],
  throttled: ["ThrottlingException", 400],
  quota: ["LimitExceededException", 400],
  unavailable: ["ServiceUnavailable", 503],
  internal: ["InternalServiceError", 500],
  conflict: ["ResourceExistsException", 400],
  invalid: ["InvalidRequestException", 400],
  decryption: ["DecryptionFailure", 400],
};

/**
 * Starts a Secrets Manager on this machine, with the rules, limits and errors of the documentation.
 *
 * @example
 * await using server = await startAws();
 * server.seed("ml/hf", JSON.stringify({ token }));
 * const secrets = createSecrets({ providers: [aws({ client: new SecretsManagerClient(server.clientOptions) })] });
 */
export async function startAws(options: AwsServerOptions = {}): Promise<AwsServer> {
  const { region = "us-east-1" } = options;
  const store = new AwsStore(region);
  const faults = new Faults();
  const calls: string[] = [];

  const http = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = String(request.headers["x-amz-target"]).replace(/^secretsmanager\./, "");
    calls.push(operation);
    const fault = faults.take(operation);
    await faults.pause(fault);
    const result = () => perform(store, operation, request, Buffer.concat(chunks).toString());
    if (fault === undefined || fault.kind === "delay") {
      send(response, result());
      return;
    }
    // A truncated answer is one of a call that worked.
    const whole = fault.after === true || fault.kind === "truncated" ? result() : undefined;
    goWrong(fault, response, whole?.body ?? "");
  }

  const { endpoint, close } = await listen(http, faults, () => http.closeAllConnections());
  const credentials = { accessKeyId: randomHex(10), secretAccessKey: randomHex(20) };
  return {
    endpoint,
    env: {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    clientOptions: { endpoint, region, credentials },
    calls,
    fail: (fault) => faults.add(fault),
    reset() {
      faults.clear();
      calls.length = 0;
    },
    seed(name, value) {
      const stored =
        typeof value === "string"
          ? { SecretString: value }
          : { SecretBinary: Buffer.from(value).toString("base64") };
      const existing = store.all().find((secret) => secret.name === name);
      if (existing === undefined) return store.create(name, randomUUID(), stored).secret.arn;
      store.put(existing, randomUUID(), stored, ["AWSCURRENT"]);
      return existing.arn;
    },
    markDeleted(name) {
      store.find(name).deletedAt = Date.now() / 1000;
    },
    labels(name) {
      const { versions } = store.find(name);
      return Object.fromEntries([...versions].map(([id, { labels }]) => [id, [...labels]]));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function perform(
  store: AwsStore,
  operation: string,
  request: IncomingMessage,
  body: string,
): Answer {
  try {
    const { authorization = "", "content-type": type } = request.headers;
    if (!/^AWS4-HMAC-SHA256 Credential=.+SignedHeaders=.+Signature=/.test(authorization)) {
      throw new AwsRefusal("MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    const run = Object.hasOwn(awsOperations, operation) ? awsOperations[operation] : undefined;
    if (run === undefined || type !== "application/x-amz-json-1.1" || request.method !== "POST") {
      throw new AwsRefusal("UnknownOperationException", "");
    }
    return { status: 200, body: JSON.stringify(run(store, JSON.parse(body))) };
  } catch (error) {
    if (error instanceof AwsRefusal) return refusal(error.type, error.message, error.status);
    return refusal("SerializationException", "");
  }
}

function refusal(type: string, message: string, status = 400): Answer {
  // The service spells it differently from error to error.
  const key = type === "AccessDeniedException" ? "Message" : "message";
  return { status, body: JSON.stringify({ __type: type, [key]: message }) };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, {
    "content-type": "application/x-amz-json-1.1",
    "x-amzn-requestid": randomUUID(),
  });
  response.end(body);
}

function goWrong({ kind, detail = "" }: Fault, response: ServerResponse, whole: string): void {
  const [type, status] = refusals[kind] ?? [];
  if (type !== undefined) {
    send(response, refusal(type, detail, status));
  } else if (kind === "html") {
    response.writeHead(503, { "content-type": "text/html" });
    response.end(page + detail);
  } else if (kind === "truncated") {
    send(response, { status: 200, body: whole.slice(0, whole.length / 2) });
  } else {
    response.socket?.resetAndDestroy();
  }
}

function randomHex(bytes: number): string {
  return randomBytes(bytes).toString("hex");
}
