import type { StatusName } from "./rpc.ts";

/**
 * How a connection misbehaves. `reset` ends the call's stream, `disconnect` ends the connection in
 * the middle of the answer, `truncate` ends the answer within a message, `page` answers with an HTML
 * page, as proxies do, `hang` never answers.
 */
export type Breakage = "reset" | "disconnect" | "truncate" | "page" | "hang";

/**
 * What goes wrong with the next calls of a method: `status` refuses the call, `breaks` breaks the
 * connection; with neither the call is only delayed.
 */
export interface ModalFault {
  readonly status?: StatusName | undefined;
  /** The text that goes with `status`. Real servers may put anything here. */
  readonly details?: string | undefined;
  /** With `status`: the server asks the client to wait so long and to call again. */
  readonly retryAfterMs?: number | undefined;
  readonly breaks?: Breakage | undefined;
  /** The call has taken effect before it fails. */
  readonly afterEffect?: boolean | undefined;
  /** For a call that is answered by a stream: so many messages pass first. */
  readonly afterMessages?: number | undefined;
  /** Waits before anything else. */
  readonly delayMs?: number | undefined;
  /** How many calls it hits; default 1. */
  readonly times?: number | undefined;
}

/** The faults that wait for a call. */
export class FaultQueue {
  #waiting: { method: string; fault: ModalFault; left: number }[] = [];

  add(method: string, fault: ModalFault): void {
    this.#waiting.push({ method, fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The fault for a call of the method, oldest first. */
  take(method: string): ModalFault | undefined {
    const entry = this.#waiting.find((waiting) => waiting.method === method);
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#waiting.splice(this.#waiting.indexOf(entry), 1);
    return entry.fault;
  }
}
