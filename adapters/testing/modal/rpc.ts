/**
 * What the parts of the server share: gRPC's status codes, the error that carries one, and the
 * shape of a part.
 */

/** The status codes of gRPC, by their official names. */
export const statusCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** The name of a gRPC status. */
export type StatusName = keyof typeof statusCodes;

/** How a call is refused. */
export class RpcError extends Error {
  override readonly name: string = "RpcError";
  readonly status: StatusName;
  /** With it the answer carries a retry policy: the client is to wait and call again. */
  readonly retryAfterMs: number | undefined;

  constructor(status: StatusName, details: string, retryAfterMs?: number) {
    super(details);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A decoded message, in the names of the JavaScript client (`secretId`). */
export type Message = Record<string, unknown>;

/** The services of Modal that are served here, with their packages. */
export const services = {
  ModalClient: "modal.client",
  TaskCommandRouter: "modal.task_command_router",
} as const;

/** The control plane, or the router that leads to a sandbox's processes. */
export type ServiceName = keyof typeof services;

/** One call, beside its request. */
export interface CallInfo {
  readonly service: ServiceName;
  readonly method: string;
  /** Header names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

/** Answers one call: with one message, or with a stream of them where the protocol says so. */
export type Handler = (
  request: Message,
  call: CallInfo,
) => Message | Promise<Message> | AsyncIterable<Message>;

/** Answers a call whose request is a stream of messages. */
type StreamHandler = (messages: AsyncIterable<Message>, call: CallInfo) => Promise<Message>;

/** Gives a handler's request its type; the protocol text of the same part vouches for it. */
export function handler<Request>(
  run: (request: Request, call: CallInfo) => ReturnType<Handler>,
): Handler {
  return (request, call) => run(request as Request, call);
}

/**
 * A part of a service: the messages that it needs, its calls and who answers them. The server is a
 * list of parts.
 */
export interface ServicePart {
  /** Default: the control plane. */
  readonly service?: ServiceName | undefined;
  /** In the protobuf language; only field numbers and types meet the wire. */
  readonly messages: string;
  /** The `rpc` lines. */
  readonly calls: string;
  readonly handlers: Readonly<Record<string, Handler>>;
  readonly streamHandlers?: Readonly<Record<string, StreamHandler>> | undefined;
}
