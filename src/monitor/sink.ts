/** Where alerts go, and how one that hangs or fails is kept from the job. */
import { timerMs } from "../secrets/index.ts";
import type { JudgedFinding } from "./events.ts";

/** What a sink is given: as JSON, it is what a command reads and a webhook gets. */
export interface Alert extends JudgedFinding {
  readonly type: "alert";
  readonly runId: string;
  /** ISO 8601. */
  readonly time: string;
  /** The same in words, on one line. */
  readonly text: string;
}

/** Takes alerts, one at a time. */
export interface AlertSink {
  /** For messages and records: `command`, `webhook`; never an address. */
  readonly name: string;
  /**
   * Delivers one alert.
   *
   * @param signal - Aborted after the time limit, or when the run is over.
   * @throws anything if it was not delivered; an {@link AlertFailure} says why.
   */
  send(alert: Alert, signal: AbortSignal): Promise<void> | void;
  /** How long one alert may take (default: 5,000). */
  readonly timeoutMs?: number | undefined;
}

/** Why a sink did not deliver; `dropped`: alerts came faster than it takes them. */
export type SinkTrouble =
  | "timeout"
  | "not-started"
  | "exit-code"
  | "status"
  | "redirect"
  | "connection"
  | "failed"
  | "dropped";

/** Thrown by sinks; it quotes nothing. */
export class AlertFailure extends Error {
  readonly reason: SinkTrouble;

  constructor(reason: SinkTrouble) {
    super(`the alert was not delivered (${reason})`);
    this.reason = reason;
  }
}

const defaultTimeoutMs = 5_000;
const maxQueued = 100;

/** What became of the alerts of one sink. */
export interface SinkCounts {
  readonly sink: string;
  readonly sent: number;
  readonly failed: number;
  readonly dropped: number;
}

/** Gives alerts to one sink in turn, from a queue that has a limit. */
export class SinkQueue {
  readonly #sink: AlertSink;
  readonly #onTrouble: (reason: SinkTrouble) => void;
  readonly #troubles = new Set<SinkTrouble>();
  #queue: Alert[] = [];
  #working: Promise<void> | null = null;
  #current: AbortController | null = null;
  #closed: boolean = false;
  #sent = 0;
  #failed = 0;
  #dropped = 0;

  /** @param onTrouble - Told once for each reason. */
  constructor(sink: AlertSink, onTrouble: (reason: SinkTrouble) => void) {
    this.#sink = sink;
    this.#onTrouble = onTrouble;
  }

  get counts(): SinkCounts {
    const [sent, failed, dropped] = [this.#sent, this.#failed, this.#dropped];
    return { sink: this.#sink.name, sent, failed, dropped };
  }

  /** Gives the alert to the sink at once if it is free: before what leaked is passed on, masked. */
  push(alert: Alert): void {
    if (this.#closed || this.#queue.length >= maxQueued) {
      this.#dropped++;
      this.#trouble("dropped");
      return;
    }
    this.#queue.push(alert);
    this.#working ??= this.#work();
  }

  /** Waits until all is delivered, but no longer than `waitMs`; the rest is dropped. */
  async close(waitMs: number): Promise<void> {
    this.#closed = true;
    const timer = setTimeout(() => {
      this.#dropped += this.#queue.length;
      if (this.#queue.length > 0) this.#trouble("dropped");
      this.#queue = [];
      this.#current?.abort();
    }, waitMs);
    await this.#working;
    clearTimeout(timer);
  }

  async #work(): Promise<void> {
    for (let alert = this.#queue.shift(); alert !== undefined; alert = this.#queue.shift()) {
      try {
        await this.#send(alert);
        this.#sent++;
      } catch (error) {
        this.#failed++;
        this.#trouble(error instanceof AlertFailure ? error.reason : "failed");
      }
    }
    this.#working = null;
  }

  async #send(alert: Alert): Promise<void> {
    const controller = new AbortController();
    this.#current = controller;
    const limitMs = timerMs(this.#sink.timeoutMs ?? defaultTimeoutMs);
    const limit = setTimeout(() => controller.abort(), limitMs);
    // A sink that ignores the signal is not waited for.
    const aborted = new Promise<never>((_, reject) => {
      controller.signal.addEventListener("abort", () => reject(new AlertFailure("timeout")));
    });
    try {
      await Promise.race([aborted, (async () => this.#sink.send(alert, controller.signal))()]);
    } finally {
      clearTimeout(limit);
      this.#current = null;
    }
  }

  #trouble(reason: SinkTrouble): void {
    if (this.#troubles.has(reason)) return;
    this.#troubles.add(reason);
    this.#onTrouble(reason);
  }
}
