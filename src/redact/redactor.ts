import type { Transform } from "node:stream";
import {
  checkRules,
  compilePacks,
  createMatcher,
  type Matcher,
  type Needle,
  needlesOf,
  type RulePack,
  type RuleSet,
} from "../detect/index.ts";
import { minMaskedBytes, onSecret, type Secret, SecretError } from "../secrets/index.ts";
import { checkHold, checkLimits, checkOptions, checkSecret } from "./check-arguments.ts";
import { type Chunks, createChunks, type Finder } from "./chunks.ts";
import { CleanCheck } from "./clean-check.ts";
import { type Finding, findingOf } from "./finding.ts";
import { type Masked, maskTextOf } from "./mask-list.ts";
import type { Masker, ObjectLimits } from "./masker.ts";
import { redactThrown, redactValue } from "./object.ts";
import type { FindOptions, Redactor, RedactorOptions, StreamOptions } from "./options.ts";
import type { Output } from "./output.ts";
import { Scanner, type ScannerOptions } from "./scanner.ts";
import { createStream } from "./stream.ts";
import { TextCursor } from "./text-cursor.ts";

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
    return createStream(options.hold ?? "pause", (output) => this.#scanner(output, options));
  }

  chunks(options: Pick<StreamOptions, "onFinding"> = {}): Chunks {
    return createChunks((output) => this.#scanner(output, options));
  }

  finder(options: Pick<StreamOptions, "onFinding"> = {}): Finder {
    return this.#scanner(null, options);
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

  #scanner(output: Output | null, options: StreamOptions): Scanner {
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
      output,
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
      output: null,
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
