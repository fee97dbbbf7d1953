import { SecretError } from "../secrets/index.ts";
import type { AnchorWriter, Head } from "./anchors.ts";
import type { Clock } from "./clock.ts";
import { type AnyEvent, type Clean, encodeEvent } from "./encode.ts";
import { invalidEvent } from "./fields.ts";
import type { AppendFile } from "./file.ts";
import type { AuditKeys } from "./keys.ts";
import { notWritable } from "./place.ts";
import {
  chainStart,
  headOf,
  maxLineBytes,
  type PlainRecord,
  writeRecords,
} from "./record-group.ts";

export interface WriterOptions {
  readonly file: AppendFile;
  readonly anchors: AnchorWriter;
  readonly keys: AuditKeys;
  readonly fileName: string;
  readonly clean: Clean;
  readonly clock: Clock;
  readonly anchorEvery: number;
  readonly anchorEveryMs: number;
  readonly stallMs: number;
}

interface Waiting {
  readonly seq: number;
  readonly settle: (seq: number) => void;
  readonly fail: (error: SecretError) => void;
}

/** More than this waits only for a disk that does not answer. */
const mostWaiting = 65_536;

/**
 * Chains records and writes them in groups: what comes while a group is on its way to the disk is
 * the next group, under one MAC. An error of the disk is final: after a failed flush the system may have thrown
 * the bytes away and say nothing the next time.
 */
export class AuditWriter {
  readonly #options: WriterOptions;
  readonly fileName: string;
  readonly #listeners = new Set<(error: SecretError) => void>();
  /** How far the file has come on the disk, and the last MAC in it. */
  #durable: Head;
  #next = 0;
  /** How long the file is. */
  #bytes = 0;
  #records: PlainRecord[] = [];
  #waiting: Waiting[] = [];
  /** On their way to the disk. */
  #inFlight: Waiting[] = [];
  #draining: Promise<void> | undefined;
  /** An anchor on its way to its own file; groups go on meanwhile. */
  #anchoring: Promise<void> | undefined;
  #anchored = 0;
  #anchoredAt = 0;
  /** So many records are to be anchored as soon as they are on the disk. */
  #wanted = 0;
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #failure: SecretError | undefined;
  #tellFailed: () => void = () => undefined;
  readonly #failed = new Promise<void>((settle) => {
    this.#tellFailed = settle;
  });

  constructor(options: WriterOptions) {
    this.#options = options;
    this.fileName = options.fileName;
    this.#durable = { records: 0, mac: chainStart(options.keys.chain, options.fileName) };
    this.#anchoredAt = options.clock.nowMs;
  }

  get failure(): SecretError | undefined {
    return this.#failure;
  }

  append(event: AnyEvent, atMs = this.#options.clock.nowMs): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined) {
      return Promise.reject(new SecretError("AUDIT_NOT_WRITABLE", "the audit log is closed"));
    }
    return this.#add(event, atMs);
  }

  /** Writes an anchor of all that is on the disk now. */
  async anchor(): Promise<void> {
    this.#wanted = this.#next;
    await this.#settled();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Takes nothing more and lets the files go. */
  abort(error: unknown): void {
    this.#fail("it was given up", error);
    this.#closing ??= Promise.resolve();
    void this.#closeLater();
  }

  onFailure(listener: (error: SecretError) => void): Disposable {
    if (this.#failure === undefined) this.#listeners.add(listener);
    else listener(this.#failure);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    if (this.#failure === undefined) {
      // Of its outcome the failure tells.
      const { ownMs } = this.#options.clock;
      this.#add({ type: "log.closed", records: this.#next }, ownMs).catch(() => undefined);
      this.#wanted = this.#next;
    }
    await this.#settled();
    clearTimeout(this.#timer);
    const closing = this.#closeLater();
    // Nothing waits for a disk that does not answer.
    if (this.#failure === undefined) await closing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #closeLater(): Promise<void> {
    // Not while something is written: the number of a file that is closed is soon another's.
    await this.#draining;
    const { file, anchors } = this.#options;
    for (const outcome of await Promise.allSettled([file.close(), anchors.close()])) {
      if (outcome.status === "rejected") this.#fail("a file cannot be closed", outcome.reason);
    }
  }

  /** Waits until all is on the disk, or nothing will be any more. */
  async #settled(): Promise<void> {
    await Promise.race([this.#drain(), this.#failed]);
  }

  #add(event: AnyEvent, atMs: number): Promise<number> {
    let seq: number;
    try {
      const members = encodeEvent(event, this.#options.clean);
      // UTF-8 takes at most three bytes for what counts as one here.
      if (
        members.length > (maxLineBytes - 512) / 3 &&
        Buffer.byteLength(members) > maxLineBytes - 512
      ) {
        throw invalidEvent("it is too long");
      }
      if (this.#waiting.length >= mostWaiting) {
        throw this.#fail("the disk does not keep up", undefined);
      }
      const at = this.#options.clock.textOf(atMs);
      // Not before all is well: a number that no record has is a gap for ever.
      seq = this.#next++;
      this.#records.push({ head: headOf(seq, at), members });
    } catch (error) {
      return Promise.reject(ownError(error));
    }
    return new Promise((settle, fail) => {
      this.#waiting.push({ seq, settle, fail });
      if (this.#draining === undefined) void this.#drain();
    });
  }

  #drain(): Promise<void> {
    this.#draining ??= this.#work();
    return this.#draining;
  }

  async #work(): Promise<void> {
    // All callers of this turn go with the first group.
    await new Promise((settle) => setImmediate(settle));
    while (this.#failure === undefined) {
      if (this.#records.length > 0) await this.#limited(() => this.#flush());
      else if (this.#anchoring !== undefined) await this.#anchoring;
      else if (!this.#isAnchorDue()) break;
      if (this.#anchoring === undefined && this.#isAnchorDue()) {
        await this.#limited(() => this.#beginAnchor());
      }
    }
    // Only after a failure: otherwise nothing may come between the last look and the next line.
    if (this.#anchoring !== undefined) await this.#anchoring;
    // Not later: whoever comes next must find that nobody drains.
    this.#draining = undefined;
    this.#setTimer();
  }

  /** Any error is final, and so is a disk that does not answer in time. */
  async #limited(work: () => Promise<void>): Promise<void> {
    const stalled = setTimeout(
      () => this.#fail("the disk does not answer", undefined),
      this.#options.stallMs,
    );
    try {
      await work();
    } catch (error) {
      this.#fail("writing failed", error);
    } finally {
      clearTimeout(stalled);
    }
  }

  async #flush(): Promise<void> {
    const { file, keys } = this.#options;
    const group = this.#waiting;
    const records = this.#next;
    const { bytes, mac } = writeRecords(keys.chain, this.#records, this.#durable.mac);
    this.#records = [];
    this.#waiting = [];
    this.#inFlight = group;
    await file.write(bytes);
    if (this.#failure !== undefined) return;
    this.#bytes += bytes.length;
    await file.sync();
    if (this.#failure !== undefined) return;
    this.#inFlight = [];
    this.#durable = { records, mac };
    for (const { settle, seq } of group) settle(seq);
  }

  #isAnchorDue(): boolean {
    const { anchorEvery, anchorEveryMs, clock } = this.#options;
    const behind = this.#durable.records - this.#anchored;
    const isWanted = this.#anchored < this.#wanted && this.#wanted <= this.#durable.records;
    return (
      behind > 0 &&
      (isWanted || behind >= anchorEvery || clock.nowMs - this.#anchoredAt >= anchorEveryMs)
    );
  }

  /** Not while a group is written: the file must be as long as it was left. */
  async #beginAnchor(): Promise<void> {
    const head = this.#durable;
    // A job of the same user may have removed it, or written to it.
    if (!(await this.#options.file.isWhole(this.#bytes))) {
      this.#fail("its file was removed or changed", undefined);
      return;
    }
    this.#anchoring = this.#limited(() => this.#writeAnchor(head)).finally(() => {
      this.#anchoring = undefined;
    });
  }

  async #writeAnchor(head: Head): Promise<void> {
    const { anchors, clock } = this.#options;
    await anchors.add(clock.textOf(clock.ownMs), head);
    this.#anchored = head.records;
    this.#anchoredAt = clock.nowMs;
  }

  /** What is not anchored yet will be, also if nothing more is recorded. */
  #setTimer(): void {
    clearTimeout(this.#timer);
    if (this.#failure !== undefined || this.#closing !== undefined) return;
    if (this.#durable.records === this.#anchored) return;
    this.#timer = setTimeout(() => {
      this.#wanted = this.#durable.records;
      void this.#drain();
    }, this.#options.anchorEveryMs).unref();
  }

  #fail(what: string, error: unknown): SecretError {
    if (this.#failure !== undefined) return this.#failure;
    const failure = notWritable(what, error);
    this.#failure = failure;
    this.#tellFailed();
    clearTimeout(this.#timer);
    this.#records = [];
    for (const { fail } of [...this.#inFlight, ...this.#waiting.splice(0)]) fail(failure);
    this.#inFlight = [];
    for (const listener of this.#listeners) {
      try {
        listener(failure);
      } catch {
        process.emitWarning(
          "nopeek: a listener of the audit log threw an error, which was ignored",
        );
      }
    }
    return failure;
  }
}

/** Whatever `clean` or a getter of an event threw, nobody gets to see. */
function ownError(error: unknown): SecretError {
  return error instanceof SecretError ? error : invalidEvent("it cannot be read");
}
