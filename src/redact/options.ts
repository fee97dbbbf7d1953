import type { Transform } from "node:stream";
import type { RuleChoice } from "../detect/index.ts";
import type { Secret } from "../secrets/index.ts";
import type { Chunks, Finder } from "./chunks.ts";
import type { Finding } from "./finding.ts";
import type { ObjectLimits } from "./masker.ts";

export interface RedactorOptions {
  /** The secrets to mask; more can be added. Without it: every secret of the process, also later. */
  readonly secrets?: Iterable<Secret> | undefined;
  /**
   * Called for every mask, after it was written, and for what a rule only reports (`isMasked` is
   * false): of one detector's reports that overlap, for one.
   */
  readonly onFinding?: ((finding: Finding) => void) | undefined;
  /**
   * Also masks text that has the format of a credential: the formats that are known (default), none,
   * or those of your own packs.
   */
  readonly rules?: RuleChoice | undefined;
  /** Also finds values that line breaks or terminal colours cut (default: true). */
  readonly unwrap?: boolean | undefined;
  /**
   * Makes the fingerprint of what a rule finds (default: under this process's own key). Under the
   * key of an audit log it can be compared with those in the log.
   */
  readonly fingerprint?: ((value: Uint8Array) => string) | undefined;
}

export interface FindOptions {
  /** Also looks for formats (default: true). */
  readonly rules?: boolean | undefined;
}

export interface StreamOptions {
  /**
   * `pause` (default): after 25 ms without input at most 4 held bytes are released. `strict`:
   * nothing is released before it is decided.
   */
  readonly hold?: "pause" | "strict" | undefined;
  /** Called for every mask of this stream, beside the redactor's own `onFinding`. */
  readonly onFinding?: ((finding: Finding) => void) | undefined;
  /**
   * Called at the first match of each form in this stream, as soon as its last byte is read: its mask
   * may be written only later, when what follows has decided how far it goes.
   */
  readonly onSight?: ((finding: Finding) => void) | undefined;
}

/** Masks secrets in text and streams. It keeps what it needs: disposing a secret unmasks nothing. */
export interface Redactor extends Disposable {
  /**
   * Masks one more secret from now on, also in streams that are under way. A value that is blank or
   * below 4 bytes is not masked, since it stands in every text: a warning of the process says so.
   *
   * @throws TypeError for what is no secret, such as its text.
   */
  add(secret: Secret): void;
  /** The text with every form of every secret replaced by its mask. */
  redact(text: string): string;
  /**
   * The value without secrets, at any depth and in keys too; clean plain data comes back as it is.
   * Anything else is copied to plain data, so that nothing can answer differently later; what
   * throws becomes `[UNREADABLE]`, what lies behind a limit `[TRUNCATED]`. Never throws for a value.
   *
   * @throws TypeError for limits that are no whole numbers from 0.
   *
   * @example
   * transport.send(redactor.redactObject({ config, headers }));
   */
  redactObject(value: unknown, limits?: ObjectLimits): unknown;
  /**
   * An error to log in place of what was thrown: message, stack, causes, `errors` of an
   * `AggregateError` and own properties are masked. Never throws for what was thrown.
   *
   * @throws TypeError for limits that are no whole numbers from 0.
   */
  redactError(thrown: unknown, limits?: ObjectLimits): Error;
  /** What of which secrets stands in the text, and what has a format; empty if it is clean. */
  find(text: string, options?: FindOptions): readonly Finding[];
  /**
   * Refuses text that holds any form of a secret, such as a prompt before it is sent.
   *
   * @throws SecretError `TEXT_HOLDS_SECRET`, which names the secrets and their forms.
   */
  assertClean(text: string): void;
  /**
   * A stream that masks the bytes written to it. Text that is written is taken as UTF-8.
   *
   * @throws TypeError for an unknown `hold`.
   */
  stream(options?: StreamOptions): Transform;
  /** Masks bytes that come in chunks, without a stream around it. */
  chunks(options?: Pick<StreamOptions, "onFinding">): Chunks;
  /** Looks for secrets in bytes that come in chunks, and gives nothing back: for searches. */
  finder(options?: Pick<StreamOptions, "onFinding">): Finder;
  /** Stops following the process's secrets; what is known stays masked. */
  [Symbol.dispose](): void;
}
