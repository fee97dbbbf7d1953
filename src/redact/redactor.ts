import type { Transform } from "node:stream";
import {
  checkRules,
  compilePacks,
  createMatcher,
  type Matcher,
  type Needle,
  needlesOf,
  type RuleChoice,
  type RulePack,
  type RuleSet,
} from "../detect/index.ts";
import { minMaskedBytes, onSecret, type Secret, SecretError } from "../secrets/index.ts";
import { checkHold, checkLimits, checkOptions, checkSecret } from "./check-arguments.ts";
import { type Chunks, createChunks } from "./chunks.ts";
import { CleanCheck } from "./clean-check.ts";
import { type Finding, findingOf } from "./finding.ts";
import { type Masked, maskTextOf } from "./mask-list.ts";
import type { Masker, ObjectLimits } from "./masker.ts";
import { redactThrown, redactValue } from "./object.ts";
import { Scanner, type ScannerOptions } from "./scanner.ts";
import { createStream } from "./stream.ts";
import { TextCursor } from "./text-cursor.ts";

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
  /** Stops following the process's secrets; what is known stays masked. */
  [Symbol.dispose](): void;
}

/**
 * Makes a redactor.
 *
 * @throws TypeError for what are no options or no secrets, such as their texts.
 *
 * @example
 * const redactor = createRedactor({ secrets: [token] });
 * redactor.redact(`token=${token.reveal()}`); // "token=[REDACTED:HF_TOKEN]"
 * child.stdout.pipe(redactor.stream()).pipe(process.stdout);
 */
export function createRedactor(options: RedactorOptions = {}): Redactor {
  return new ValueRedactor(options);
}

class ValueRedactor implements Redactor {
  readonly #options: RedactorOptions;
  readonly #packs: readonly RulePack[];
  #ruleSet: RuleSet | null | undefined;
  readonly #known = new Set<string>();
  readonly #following: Disposable | undefined;
  #cleanCheck: CleanCheck | undefined;
  #matcher: Matcher = createMatcher([]);
  /** Needles that are not in the matcher yet. */
  #added: Needle[] = [];
  /** Changes with every secret, so that streams take the new matcher. */
  version = 0;

  constructor(options: RedactorOptions) {
    checkOptions(options);
    this.#options = options;
    this.#packs = checkRules(options.rules ?? "default");
    if (options.secrets === undefined) {
      this.#following = onSecret((secret) => this.add(secret));
    } else {
      for (const secret of options.secrets) this.add(secret);
    }
  }

  /** Built when it is first needed: adding many secrets builds once. */
  get matcher(): Matcher {
    if (this.#added.length > 0) {
      this.#matcher = this.#matcher.with(this.#added);
      this.#added = [];
    }
    return this.#matcher;
  }

  /** Compiled when there is something to look at: it takes longer than the rest of a short run. */
  get #rules(): RuleSet | null {
    if (this.#ruleSet === undefined) this.#ruleSet = compilePacks(this.#packs);
    return this.#ruleSet;
  }

  #isClean(text: string): boolean {
    this.#cleanCheck ??= new CleanCheck(this.#rules, this.#options.unwrap ?? true);
    return this.#cleanCheck.isClean(text, this.matcher);
  }

  add(secret: Secret): void {
    checkSecret(secret);
    const key = `${secret.fingerprint} ${secret.name ?? ""}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    const needles = needlesOf(secret);
    if (needles.length === 0) {
      process.emitWarning(
        `nopeek: ${secret.name ?? "a secret"} is blank or has fewer than ${minMaskedBytes} bytes, so it is not masked; use a longer value`,
      );
      return;
    }
    for (const needle of needles) this.#added.push(needle);
    this.version++;
  }

  redact(text: string): string {
    if (typeof text !== "string") throw new TypeError("redact() takes text; bytes go to stream()");
    if (this.#isClean(text)) return text;
    const parts: string[] = [];
    const cursor = new TextCursor(text);
    const onMask = (masked: Masked) => {
      parts.push(cursor.sliceTo(masked.start), maskTextOf(masked.match));
      cursor.skipTo(masked.end);
      this.#tell(this.#options.onFinding, masked);
    };
    const onSkip = (start: number, end: number) => {
      parts.push(cursor.sliceTo(start));
      cursor.skipTo(end);
    };
    const onReport = (reported: Masked) => this.#tell(this.#options.onFinding, reported);
    this.#scanWhole(text, onMask, { onSkip, onReport });
    return parts.length === 0 ? text : parts.join("") + cursor.rest();
  }

  find(text: string, { rules = true }: FindOptions = {}): readonly Finding[] {
    const findings: Finding[] = [];
    const onFound = (masked: Masked) =>
      void findings.push(findingOf(masked, this.#options.fingerprint));
    this.#scanWhole(text, onFound, { onReport: onFound, ...(rules ? {} : { rules: null }) });
    return findings.sort((a, b) => a.offset - b.offset);
  }

  assertClean(text: string): void {
    const found = this.find(text)
      .filter(({ confidence, isMasked }) => isMasked && confidence !== "placeholder")
      .map(({ name, rule, form }) => `${name ?? rule ?? "a secret"} (${form})`);
    if (found.length === 0) return;
    throw new SecretError("TEXT_HOLDS_SECRET", `the text holds ${[...new Set(found)].join(", ")}`);
  }

  redactObject(value: unknown, limits?: ObjectLimits): unknown {
    checkLimits(limits);
    return redactValue(value, this.#masker, limits);
  }

  redactError(thrown: unknown, limits?: ObjectLimits): Error {
    checkLimits(limits);
    return redactThrown(thrown, this.#masker, limits);
  }

  stream(options: StreamOptions = {}): Transform {
    checkHold(options.hold);
    return createStream(options.hold ?? "pause", (write) => this.#scanner(write, options));
  }

  chunks(options: Pick<StreamOptions, "onFinding"> = {}): Chunks {
    return createChunks((write) => this.#scanner(write, options));
  }

  [Symbol.dispose](): void {
    this.#following?.[Symbol.dispose]();
  }

  readonly #masker: Masker = {
    text: (text) => this.redact(text),
    isClean: (text) => this.#isClean(text) || this.find(text).length === 0,
    bytes: (bytes) => {
      const chunks = this.chunks();
      const first = chunks.write(bytes);
      const rest = chunks.end();
      const masked = rest.length === 0 ? first : Buffer.concat([first, rest]);
      return Buffer.compare(masked, bytes) === 0 ? bytes : masked;
    },
  };

  #scanner(write: (bytes: Uint8Array) => void, options: StreamOptions): Scanner {
    const { onSight } = options;
    const sighted = new Set<Needle>();
    const sight = (match: Needle, start: number) => {
      if (sighted.has(match)) return;
      sighted.add(match);
      this.#tell(onSight, { start, end: start + match.bytes.length, match });
    };
    const onFound = (found: Masked) => {
      this.#tell(this.#options.onFinding, found);
      this.#tell(options.onFinding, found);
    };
    return new Scanner(this, {
      write,
      onMatch: onSight && sight,
      unwrap: this.#options.unwrap ?? true,
      rules: this.#rules,
      onMask: onFound,
      onReport: onFound,
    });
  }

  #scanWhole(
    text: string,
    onMask: (masked: Masked) => void,
    more: Partial<Pick<ScannerOptions, "onSkip" | "onReport" | "rules">>,
  ): void {
    const scanner = new Scanner(this, {
      write: () => undefined,
      unwrap: this.#options.unwrap ?? true,
      rules: more.rules === undefined ? this.#rules : more.rules,
      onMask,
      onSkip: more.onSkip,
      onReport: more.onReport,
    });
    scanner.push(Buffer.from(text));
    scanner.end();
  }

  /** A listener that throws must not cost output: its error is a warning of the process. */
  #tell(listener: ((finding: Finding) => void) | undefined, masked: Masked): void {
    try {
      if (listener !== undefined) listener(findingOf(masked, this.#options.fingerprint));
    } catch {
      process.emitWarning("nopeek: a listener of findings threw an error, which was ignored");
    }
  }
}
