import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { checkDuration, onSecret, type Secret, SecretError, timerMs } from "../secrets/index.ts";
import { currentActor } from "./actor.ts";
import { AnchorWriter } from "./anchors.ts";
import type { EarlierEvent } from "./buffer.ts";
import { Clock } from "./clock.ts";
import type { Clean } from "./encode.ts";
import type { AuditEvent } from "./events.ts";
import { type Opaque, opaque, opaqueIfKnown } from "./fields.ts";
import { type AppendFile, appendFile } from "./file.ts";
import { deriveKeys } from "./keys.ts";
import {
  type AuditPlace,
  assertApart,
  notWritable,
  type OpenPlace,
  preparePlace,
} from "./place.ts";
import { chainStart } from "./record-group.ts";
import { AuditWriter } from "./writer.ts";

export interface AuditLogOptions extends AuditPlace {
  /** The key: at least 32 random bytes, from a secret store. */
  readonly key: Secret;
  /**
   * Masks what must not be recorded: `(text) => redactor.redact(text)`, of a redactor that knows
   * every secret of this process.
   */
  readonly clean: Clean;
  /** Folders and files that the log must be apart from: where the job runs, other logs. */
  readonly apart?: readonly string[] | undefined;
  /** SHA-256 of the configuration, for the first record. */
  readonly config?: string | undefined;
  /** What happened before the key was known. */
  readonly earlier?: Iterable<EarlierEvent> | undefined;
  /** Told once when the log cannot be written any more. */
  readonly onFailure?: ((error: SecretError) => void) | undefined;
  /** An anchor is written after so many records (default: 10,000) ... */
  readonly anchorEvery?: number | undefined;
  /** ... or after this time (default: 10,000), and when the log is closed. */
  readonly anchorEveryMs?: number | undefined;
  /** A disk that takes longer has failed (default: 30,000). */
  readonly stallMs?: number | undefined;
  /** The clock, in milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  /** @internal Stands between the log and its files, to make them fail. */
  readonly wrapFile?: ((file: AppendFile, which: "records" | "anchors") => AppendFile) | undefined;
}

/** What takes events: a log, or what stands for one. */
export interface AuditSink {
  append(event: AuditEvent): Promise<number>;
}

/** An open log. One writer is one file. */
export interface AuditLog extends AuditSink, AsyncDisposable {
  /** The file that this writer writes, in the folder of the log. */
  readonly fileName: string;
  /** Why it cannot be written any more; undefined while it can. */
  readonly failure: SecretError | undefined;
  /**
   * Records an event.
   *
   * @returns The number of its record in this file, when it is on the disk.
   * @throws SecretError `AUDIT_EVENT_INVALID`, and `AUDIT_NOT_WRITABLE`: then nothing is recorded
   *   any more.
   */
  append(event: AuditEvent): Promise<number>;
  /** A keyed hash of a value: equal for equal values in all logs of this key. */
  fingerprint(value: string | Uint8Array): Opaque<"fingerprint">;
  /** The same for a secret of this process, by the fingerprint that the process gave it. */
  fingerprintFor(processFingerprint: string): Opaque<"fingerprint">;
  /** Whether a value holds the key of this log, which no job may get. */
  holdsKey(value: string | Uint8Array): boolean;
  /**
   * Refuses folders that the log lies in, or that lie in it.
   *
   * @throws SecretError `AUDIT_PLACE_REFUSED`.
   */
  assertApart(paths: readonly string[]): void;
  /** Calls the listener when the log cannot be written any more, at once if that is so already. */
  onFailure(listener: (error: SecretError) => void): Disposable;
  /**
   * Records the end of the file and anchors it.
   *
   * @throws SecretError `AUDIT_NOT_WRITABLE`, if that or anything before failed.
   */
  close(): Promise<void>;
}

const defaults = { anchorEvery: 10_000, anchorEveryMs: 10_000, stallMs: 30_000 };

/**
 * Opens an audit log and writes its first record, to a new file of its own.
 *
 * What is appended is acknowledged when it is on the disk; what is appended meanwhile shares one
 * flush. After any error of the disk nothing more is taken.
 *
 * @throws SecretError `AUDIT_NOT_WRITABLE`, `AUDIT_PLACE_REFUSED`, `AUDIT_KEY_WEAK`,
 *   `AUDIT_KEY_WRONG` if the log was begun with another key: nothing is added to it;
 *   `DECLARATION_INVALID` for a time of the options that is none.
 *
 * @example
 * await using audit = await openAuditLog({
 *   dir: "/var/log/nopeek",
 *   anchors: "/mnt/other/anchors",
 *   key: await secrets.get("env://NOPEEK_AUDIT_KEY"),
 *   clean: (text) => redactor.redact(text),
 * });
 * await launch({ ...options, audit });
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const keys = deriveKeys(options.key);
  const { anchorEveryMs = defaults.anchorEveryMs, stallMs = defaults.stallMs } = options;
  checkDuration("anchorEveryMs", anchorEveryMs, 0);
  checkDuration("stallMs", stallMs);
  const clock = new Clock(options.now ?? Date.now);
  const fileName = newFileName(clock.textOf(clock.nowMs));
  const place = preparePlace(options, options.apart ?? []);
  const opened: AppendFile[] = [];
  const wrap = (which: "records" | "anchors") => (fd: number) => {
    const file = appendFile(fd);
    opened.push(file);
    return options.wrapFile?.(file, which) ?? file;
  };
  let writer: AuditWriter | undefined;
  try {
    const held = place.records.readdirSync(".");
    const anchors = new AnchorWriter(place.anchors, keys, fileName, wrap("anchors"));
    assertTogether(held, anchors, place);
    // Before there is a file: one that no anchor names is a sign that anchors were taken away.
    await anchors.add(clock.textOf(clock.ownMs), {
      records: 0,
      mac: chainStart(keys.chain, fileName),
    });
    await syncFolder(place.anchors);
    writer = new AuditWriter({
      file: wrap("records")(place.records.openSync(fileName, "ax", 0o600)),
      anchors,
      keys,
      fileName,
      clean: options.clean,
      clock,
      anchorEvery: options.anchorEvery ?? defaults.anchorEvery,
      anchorEveryMs: timerMs(anchorEveryMs),
      stallMs: timerMs(stallMs),
    });
    await begin(writer, keys.id, options);
    await syncFolder(place.records);
    await writer.anchor();
    if (options.onFailure !== undefined) writer.onFailure(options.onFailure);
    return new OpenLog(writer, options, keys.fingerprint);
  } catch (error) {
    if (writer === undefined) await Promise.allSettled(opened.map((file) => file.close()));
    else writer.abort(error);
    throw notWritable("it cannot be begun", error);
  } finally {
    place[Symbol.dispose]();
  }
}

/**
 * Records and anchors belong together: those of one log, in two folders, under one key.
 *
 * @param held - The files of records, listed before the anchors were looked at.
 */
function assertTogether(held: readonly string[], anchors: AnchorWriter, place: OpenPlace): void {
  if (held.length > 0 && anchors.isEmpty) {
    throw new SecretError(
      "AUDIT_PLACE_REFUSED",
      "the folder holds records, but their anchors are gone or elsewhere; name the right folder of anchors, or begin in an empty folder",
    );
  }
  if (anchors.isOfAnotherKey) {
    throw new SecretError(
      "AUDIT_KEY_WRONG",
      "the log was begun with another key: take that one, or begin a new log in two empty folders",
    );
  }
  // Listed again: another writer may have begun meanwhile.
  if (held.length > 0 || !anchors.isOfRecords || place.records.readdirSync(".").length > 0) return;
  throw new SecretError(
    "AUDIT_PLACE_REFUSED",
    "these are the anchors of another log, or its records are gone; name the right folder, or begin with an empty one for both",
  );
}

async function begin(writer: AuditWriter, keyId: string, options: AuditLogOptions): Promise<void> {
  const opened = writer.append({
    type: "log.opened",
    format: 1,
    actor: currentActor(),
    keyId: opaque("fingerprint", keyId),
    config: opaqueIfKnown("sha256", options.config),
  });
  const earlier = [...(options.earlier ?? [])].map(({ atMs, event }) => writer.append(event, atMs));
  await Promise.all([opened, ...earlier]);
}

function newFileName(at: string): string {
  const time = at.replace(/[-:.]/g, "");
  return `audit-${time}-${randomBytes(8).toString("hex")}.jsonl`;
}

/** A new file is in its folder only when the folder is on the disk too. */
async function syncFolder(root: { open(path: string): Promise<FolderHandle> }): Promise<void> {
  const folder = await root.open(".");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

interface FolderHandle {
  sync(): Promise<void>;
  close(): Promise<void>;
}

class OpenLog implements AuditLog {
  readonly #writer: AuditWriter;
  readonly #key: Secret;
  readonly #place: AuditPlace;
  readonly #fingerprint: (value: string | Uint8Array) => string;
  /** By the fingerprint of this process. */
  readonly #prints = new Map<string, Opaque<"fingerprint">>();
  readonly #following: Disposable;

  constructor(
    writer: AuditWriter,
    { key, dir, anchors }: AuditLogOptions,
    fingerprint: (value: string | Uint8Array) => string,
  ) {
    this.#writer = writer;
    this.#key = key;
    this.#place = { dir: resolve(dir), anchors: resolve(anchors) };
    this.#fingerprint = fingerprint;
    this.#following = onSecret((secret) => {
      if (this.#prints.has(secret.fingerprint)) return;
      this.#prints.set(secret.fingerprint, this.fingerprint(secret.revealBytes()));
    });
  }

  get fileName(): string {
    return this.#writer.fileName;
  }

  get failure(): SecretError | undefined {
    return this.#writer.failure;
  }

  append(event: AuditEvent): Promise<number> {
    return this.#writer.append(event);
  }

  fingerprint(value: string | Uint8Array): Opaque<"fingerprint"> {
    return opaque("fingerprint", this.#fingerprint(value));
  }

  fingerprintFor(processFingerprint: string): Opaque<"fingerprint"> {
    return this.#prints.get(processFingerprint) ?? opaque("fingerprint", processFingerprint);
  }

  holdsKey(value: string | Uint8Array): boolean {
    return Buffer.from(value as string).includes(Buffer.from(this.#key.revealBytes()));
  }

  assertApart(paths: readonly string[]): void {
    assertApart(this.#place, paths);
  }

  onFailure(listener: (error: SecretError) => void): Disposable {
    return this.#writer.onFailure(listener);
  }

  close(): Promise<void> {
    this.#following[Symbol.dispose]();
    return this.#writer.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
