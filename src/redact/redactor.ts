import type { Transform } from "node:stream";
import {
  createMatcher,
  type FormId,
  type Matcher,
  type Needle,
  needlesOf,
} from "../detect/index.ts";
import { onSecret, type Secret, SecretError } from "../secrets/index.ts";
import { type Chunks, createChunks } from "./chunks.ts";
import type { Masked } from "./mask-list.ts";
import type { Masker, ObjectLimits } from "./masker.ts";
import { redactThrown, redactValue } from "./object.ts";
import { Scanner } from "./scanner.ts";
import { createStream } from "./stream.ts";

/** A secret that was found and masked; it holds no value. */
export interface Finding {
  /** The name of the secret, if it has one. */
  readonly name: string | undefined;
  readonly form: FormId;
  /** `strong`: the whole value, long and varied. `weak`: a short value or a part of one. */
  readonly strength: "strong" | "weak";
  readonly fingerprint: string;
  /** Where the match begins: bytes from the start of the stream or text. */
  readonly offset: number;
}

export interface RedactorOptions {
  /** The secrets to mask; more can be added. Without it: every secret of the process, also later. */
  readonly secrets?: Iterable<Secret> | undefined;
  /** Called for every mask, after it was written. */
  readonly onFinding?: ((finding: Finding) => void) | undefined;
  /** Also finds values that line breaks or terminal colours cut (default: true). */
  readonly unwrap?: boolean | undefined;
}

export interface StreamOptions {
  /**
   * `pause` (default): after 25 ms without input at most 4 held bytes are released. `strict`:
   * nothing is released before it is decided.
   */
  readonly hold?: "pause" | "strict" | undefined;
  /** Called for every mask of this stream, beside the redactor's own `onFinding`. */
  readonly onFinding?: ((finding: Finding) => void) | undefined;
}

/** Masks secrets in text and streams. It keeps what it needs: disposing a secret unmasks nothing. */
export interface Redactor extends Disposable {
  /** Masks one more secret from now on, also in streams that are under way. */
  add(secret: Secret): void;
  /** The text with every form of every secret replaced by its mask. */
  redact(text: string): string;
  /**
   * The value without secrets, at any depth and in keys too; clean plain data comes back as it is.
   * Anything else is copied to plain data, so that nothing can answer differently later; what
   * throws becomes `[UNREADABLE]`, what lies behind a limit `[TRUNCATED]`. Never throws.
   *
   * @example
   * transport.send(redactor.redactObject({ config, headers }));
   */
  redactObject(value: unknown, limits?: ObjectLimits): unknown;
  /**
   * An error to log in place of what was thrown: message, stack, causes, `errors` of an
   * `AggregateError` and own properties are masked. Never throws.
   */
  redactError(thrown: unknown, limits?: ObjectLimits): Error;
  /** What of which secrets stands in the text; empty if it is clean. */
  find(text: string): readonly Finding[];
  /**
   * Refuses text that holds any form of a secret, such as a prompt before it is sent.
   *
   * @throws SecretError `TEXT_HOLDS_SECRET`, which names the secrets and their forms.
   */
  assertClean(text: string): void;
  /** A stream that masks the bytes written to it. Text that is written is taken as UTF-8. */
  stream(options?: StreamOptions): Transform;
  /** Masks bytes that come in chunks, without a stream around it. */
  chunks(options?: Pick<StreamOptions, "onFinding">): Chunks;
  /** Stops following the process's secrets; what is known stays masked. */
  [Symbol.dispose](): void;
}

/**
 * Makes a redactor.
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
  readonly #needles: Needle[] = [];
  readonly #known = new Set<string>();
  readonly #following: Disposable | undefined;
  #matcher: Matcher | undefined;
  /** Changes with every secret, so that streams take the new matcher. */
  version = 0;

  constructor(options: RedactorOptions) {
    this.#options = options;
    if (options.secrets === undefined) {
      this.#following = onSecret((secret) => this.add(secret));
    } else {
      for (const secret of options.secrets) this.add(secret);
    }
  }

  /** Built when it is first needed: adding many secrets builds once. */
  get matcher(): Matcher {
    this.#matcher ??= createMatcher(this.#needles);
    return this.#matcher;
  }

  add(secret: Secret): void {
    const key = `${secret.fingerprint} ${secret.name ?? ""}`;
    if (this.#known.has(key)) return;
    this.#needles.push(...needlesOf(secret));
    this.#known.add(key);
    this.#matcher = undefined;
    this.version++;
  }

  redact(text: string): string {
    if (typeof text !== "string") throw new TypeError("redact() takes text; bytes go to stream()");
    const bytes = Buffer.from(text);
    const parts: string[] = [];
    const cursor = new TextCursor(text);
    this.#scanWhole(bytes, (masked) => {
      parts.push(cursor.sliceTo(masked.start), masked.needle.secret.mask);
      cursor.skipTo(masked.end);
      tell(this.#options.onFinding, masked);
    });
    return parts.length === 0 ? text : parts.join("") + cursor.rest();
  }

  find(text: string): readonly Finding[] {
    const findings: Finding[] = [];
    this.#scanWhole(Buffer.from(text), (masked) => void findings.push(findingOf(masked)));
    return findings;
  }

  assertClean(text: string): void {
    const found = this.find(text).map(({ name = "a secret", form }) => `${name} (${form})`);
    if (found.length === 0) return;
    throw new SecretError("TEXT_HOLDS_SECRET", `the text holds ${[...new Set(found)].join(", ")}`);
  }

  redactObject(value: unknown, limits?: ObjectLimits): unknown {
    return redactValue(value, this.#masker, limits);
  }

  redactError(thrown: unknown, limits?: ObjectLimits): Error {
    return redactThrown(thrown, this.#masker, limits);
  }

  stream(options: StreamOptions = {}): Transform {
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
    isClean: (text) => this.find(text).length === 0,
    bytes: (bytes) => {
      const chunks = this.chunks();
      const first = chunks.write(bytes);
      const rest = chunks.end();
      return rest.length === 0 ? first : Buffer.concat([first, rest]);
    },
  };

  #scanner(write: (bytes: Uint8Array) => void, options: StreamOptions): Scanner {
    return new Scanner(this, {
      write,
      unwrap: this.#options.unwrap ?? true,
      onMask: (masked) => {
        tell(this.#options.onFinding, masked);
        tell(options.onFinding, masked);
      },
    });
  }

  #scanWhole(bytes: Uint8Array, onMask: (masked: Masked) => void): void {
    const scanner = new Scanner(this, {
      write: () => undefined,
      unwrap: this.#options.unwrap ?? true,
      onMask,
    });
    scanner.push(bytes);
    scanner.end();
  }
}

/** A listener that throws must not cost output: its error is a warning of the process. */
function tell(listener: ((finding: Finding) => void) | undefined, masked: Masked): void {
  try {
    listener?.(findingOf(masked));
  } catch {
    process.emitWarning("nopeek: a listener of findings threw an error, which was ignored");
  }
}

function findingOf({ start, needle }: Masked): Finding {
  return {
    name: needle.secret.name,
    form: needle.form,
    strength: needle.strong ? "strong" : "weak",
    fingerprint: needle.secret.fingerprint,
    offset: start,
  };
}

/** Walks a string by offsets in its UTF-8 encoding; lone surrogates count as U+FFFD does. */
class TextCursor {
  readonly #text: string;
  #index = 0;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  sliceTo(offset: number): string {
    const from = this.#index;
    this.skipTo(offset);
    return this.#text.slice(from, this.#index);
  }

  skipTo(offset: number): void {
    while (this.#offset < offset) {
      const code = this.#text.codePointAt(this.#index) ?? 0;
      this.#index += code > 0xffff ? 2 : 1;
      this.#offset += code > 0xffff ? 4 : code > 0x7ff ? 3 : code > 0x7f ? 2 : 1;
    }
  }

  rest(): string {
    return this.#text.slice(this.#index);
  }
}
