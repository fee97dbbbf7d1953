import { SecretError } from "../secrets/index.ts";
import type { AuditEvent } from "./events.ts";

/** An event that waits for its log to be opened. */
export interface EarlierEvent {
  readonly atMs: number;
  readonly event: AuditEvent;
}

const mostEarlier = 10_000;

/**
 * Keeps events until their log is open; give it as `earlier`.
 *
 * @example
 * const early = new AuditBuffer();
 * early.append({ type: "run.notice", correlationId, code: "plain-values", count: 2 });
 * const audit = await openAuditLog({ ...options, earlier: early });
 */
export class AuditBuffer implements Iterable<EarlierEvent> {
  readonly #events: EarlierEvent[] = [];

  append(event: AuditEvent): void {
    if (this.#events.length >= mostEarlier) {
      throw new SecretError("AUDIT_EVENT_INVALID", "too many events before the audit log is open");
    }
    this.#events.push({ atMs: Date.now(), event: { ...event } });
  }

  [Symbol.iterator](): Iterator<EarlierEvent> {
    return this.#events[Symbol.iterator]();
  }
}
