import type { AddressInfo, Server } from "node:net";

/** What goes wrong with one call of a loopback server. */
export type FaultKind =
  /** The permission is missing. */
  | "denied"
  /** The credentials are unknown. */
  | "unauthenticated"
  /** The credentials were valid once. */
  | "expired"
  | "throttled"
  /** A limit of the account is reached. */
  | "quota"
  /** The service is down for the moment. */
  | "unavailable"
  /** The service failed inside. */
  | "internal"
  | "conflict"
  | "invalid"
  /** The key of the value cannot be used. */
  | "decryption"
  /** The connection ends without an answer. */
  | "reset"
  /** The answer ends in the middle. */
  | "truncated"
  /** Something in between answers with a page. */
  | "html"
  /** The answer is right, but late. */
  | "delay"
  /** GCP only: the value does not fit its checksum. */
  | "wrong-crc";

export interface Fault {
  readonly kind: FaultKind;
  /** As the API names it, such as `GetSecretValue`; default: whatever is called next. */
  readonly operation?: string | undefined;
  /** How many calls it hits; default 1. */
  readonly times?: number | undefined;
  /** How many calls of the operation pass before; default 0. */
  readonly skip?: number | undefined;
  /** What was asked for is done before it goes wrong: an answer that is lost. */
  readonly after?: boolean | undefined;
  /** How long the answer is held back first; default 0, and 60 000 for `delay`. */
  readonly delayMs?: number | undefined;
  /** Text that the error quotes, as real services quote requests. */
  readonly detail?: string | undefined;
}

/** A server of a cloud's API on this machine, with its state in memory. */
export interface LoopbackServer {
  /** For the adapter's option of that name. */
  readonly endpoint: string;
  /** Environment variables that lead the cloud's own client here. */
  readonly env: Readonly<Record<string, string>>;
  /** The operations that were called, in order. */
  readonly calls: readonly string[];
  /** Lets coming calls go wrong. */
  fail(fault: Fault): void;
  /** Takes back all faults and forgets the calls. */
  reset(): void;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const lateMs = 60_000;

/** Faults that wait for their calls. */
export class Faults {
  #waiting: { fault: Fault; skip: number; left: number }[] = [];
  readonly #pauses = new Set<() => void>();

  add(fault: Fault): void {
    this.#waiting.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The fault of this call, if it is to go wrong. */
  take(operation: string): Fault | undefined {
    const found = this.#waiting.find(
      ({ fault }) => fault.operation === undefined || fault.operation === operation,
    );
    if (found === undefined) return undefined;
    if (found.skip > 0) {
      found.skip -= 1;
      return undefined;
    }
    found.left -= 1;
    if (found.left <= 0) this.#waiting = this.#waiting.filter((other) => other !== found);
    return found.fault;
  }

  /** Holds a call back for as long as its fault says, or until the server is closed. */
  pause(fault: Fault | undefined): Promise<void> {
    const delayMs = fault?.delayMs ?? (fault?.kind === "delay" ? lateMs : 0);
    if (delayMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, delayMs);
      this.#pauses.add(end);
    });
  }

  /** Ends all pauses. */
  endPauses(): void {
    for (const end of [...this.#pauses]) end();
  }
}

/** Lets a server listen on this machine; `close` also ends connections and what faults hold back. */
export async function listen(
  server: Server,
  faults: Faults,
  endConnections: () => void,
): Promise<{ readonly endpoint: string; close(): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        endConnections();
        faults.endPauses();
      }),
  };
}

/** A page as a proxy sends it. */
export const page = "<!doctype html><html><body><h1>503 Service Unavailable</h1></body></html>";
