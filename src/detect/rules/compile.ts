import { maskOf } from "../../secrets/index.ts";
import { addBytes, byteClass, casesOf, lowerCase } from "./byte-class.ts";
import { type Judge, judgeOf } from "./checks.ts";
import { detectors } from "./detectors.ts";
import { firstsOf, pairsOf } from "./look-ahead.ts";
import { PrefixAutomaton } from "./prefix-automaton.ts";
import type { FoundRule, Rule, Step } from "./rule.ts";

/** A keyword and what may follow it. */
export interface Keyword {
  /** Lower case where case does not matter. */
  readonly bytes: Uint8Array;
  readonly ignoreCase: boolean;
  /** 1 for a byte that may not stand before it; null if any may. */
  readonly notAfter: Uint8Array | null;
  /** Texts that may not stand before it; null if any may. */
  readonly unlessAfter: TextsBefore | null;
  /** Texts one of which must stand before it; null if none must. */
  readonly onlyAfter: TextsBefore | null;
  /** What stands before it and is part of the match. */
  readonly before: CompiledBefore | null;
  /** The shapes whose secret part begins at once, or that are masked with their keyword. */
  readonly shapes: readonly Shape[];
  /** The other shapes, up to their secret part; null if there are none. */
  readonly prefixes: PrefixAutomaton | null;
  /** 1 for a byte with which some shape can go on. */
  readonly mayFollow: Uint8Array;
  /** The same for two bytes, as bits by `first << 8 | second`; null where the first is enough. */
  readonly mayFollowBoth: Uint32Array | null;
  /** The mask begins with the keyword, not behind it. */
  readonly isSecret: boolean;
}

/** Texts in lower case, by their last byte. */
export type TextsBefore = ReadonlyArray<readonly Uint8Array[]>;

export interface CompiledBefore {
  readonly table: Uint8Array;
  readonly min: number;
  readonly max: number;
}

/** One way in which a match goes on behind its keyword. */
export interface Shape {
  readonly rule: FoundRule;
  readonly judge: Judge;
  readonly steps: readonly CompiledStep[];
  /** How many steps come before the secret part. */
  readonly stepsBefore: number;
  /** The mask covers keyword and all: no step is marked. */
  readonly isWhole: boolean;
  /** The shortest secret part, without a keyword. */
  readonly minSecretBytes: number;
  /** 1 for a byte that may not follow. */
  readonly notBefore: Uint8Array | null;
}

export interface CompiledStep {
  readonly secret: boolean;
  /** Of a run. */
  readonly table: Uint8Array | null;
  readonly min: number;
  readonly max: number;
  /** Of a run that ends behind a text: the text, and where a search for it goes on after a mismatch. */
  readonly until: Uint8Array | null;
  readonly untilFailure: Uint8Array | null;
  /** Of texts: by state and byte the next state, 0 for none. State 0 is the start. */
  readonly next: readonly Uint16Array[];
  /** By state: whether a text ends there. */
  readonly ends: readonly boolean[];
}

/** Compiles rules that were checked. */
export function compileRules(rules: readonly Rule[]): Keyword[] {
  const compiled = new Map<Step, CompiledStep>();
  return rules.flatMap((rule) => {
    const notBefore = rule.notBefore === undefined ? null : byteClass(rule.notBefore);
    const { ignoreCase = false, left = "token" } = rule;
    const found = foundRule(rule);
    const judge = judgeOf(rule);
    const before = compileBefore(rule);
    const notAfter = leftOf(rule);
    const unlessAfter = compileTextsBefore(rule.unlessAfter);
    const onlyAfter = compileTextsBefore(rule.onlyAfter);
    const all = rule.shapes.map((given) => {
      const steps = given.map((step) => {
        // Rules share steps, and tables of bytes take time to build.
        const known = ignoreCase ? compiled.get(step) : undefined;
        const made = known ?? compileStep(step, ignoreCase);
        if (ignoreCase) compiled.set(step, made);
        return made;
      });
      const stepsBefore = Math.max(
        0,
        steps.findIndex(({ secret }) => secret),
      );
      const isWhole = !steps.some(({ secret }) => secret);
      const minSecretBytes = steps.reduce(
        (sum, { secret, min }) => sum + (isWhole || secret ? min : 0),
        0,
      );
      return {
        rule: found,
        judge,
        steps,
        stepsBefore,
        isWhole,
        minSecretBytes,
        notBefore,
      };
    });
    const mayFollow = new Uint8Array(256);
    for (const { steps } of all) addBytes(mayFollow, firstsOf(steps));
    // Words of sentences are many; other keywords are rare, and the first byte behind them is enough.
    const mayFollowBoth = left === "any" ? pairsOf(all) : null;
    const prefixed = all.filter(hasPrefix);
    const shapes = all.filter((shape) => !hasPrefix(shape));
    const prefixes = prefixed.length === 0 ? null : new PrefixAutomaton(prefixed);
    return rule.keywords.map((keyword) => ({
      bytes: Buffer.from(ignoreCase ? keyword.toLowerCase() : keyword, "latin1"),
      ignoreCase,
      notAfter,
      unlessAfter,
      onlyAfter,
      before,
      shapes,
      prefixes,
      mayFollow,
      mayFollowBoth,
      isSecret: found.isMasked && all.some(({ isWhole }) => isWhole),
    }));
  });
}

/** A step that ends behind a text is at several places of it at once. */
function hasPrefix({ steps, stepsBefore }: Shape): boolean {
  return stepsBefore > 0 && steps.slice(0, stepsBefore).every(({ until }) => until === null);
}

export function foundRule({ id, does, detector = "secret-exposure", severity }: Rule): FoundRule {
  return {
    id,
    mask: maskOf(id),
    detector,
    severity: severity ?? detectors[detector].severity,
    isMasked: does !== "report",
  };
}

const tokenChars = "A-Za-z0-9_-";

function leftOf({ left = "token", notAfter = "" }: Rule): Uint8Array | null {
  if (notAfter === "") return left === "any" ? null : byteClass(tokenChars);
  const more = byteClass(notAfter);
  return left === "any" ? more : addBytes(byteClass(tokenChars).slice(), more);
}

function compileTextsBefore(texts: readonly string[] | undefined): TextsBefore | null {
  if (texts === undefined) return null;
  const byLast: Uint8Array[][] = Array.from({ length: 256 }, () => []);
  for (const text of texts) {
    const bytes = Buffer.from(text.toLowerCase());
    byLast[bytes.at(-1) ?? 0]?.push(bytes);
  }
  return byLast;
}

function compileBefore({ before }: Rule): CompiledBefore | null {
  return before === undefined ? null : { ...before, table: byteClass(before.chars) };
}

const noTexts: Pick<CompiledStep, "next" | "ends"> = { next: [], ends: [] };

function compileStep(step: Step, ignoreCase: boolean): CompiledStep {
  const run = "chars" in step ? step : null;
  const min = run?.min ?? 0;
  const until = run?.until === undefined ? null : Buffer.from(run.until, "latin1");
  const { next, ends } = "text" in step ? compileTexts([step.text].flat(), ignoreCase) : noTexts;
  // One literal, so that all steps are one kind of object: they are read for every byte.
  return {
    secret: step.secret ?? false,
    table: run === null ? null : byteClass(run.chars),
    min,
    max: run?.max ?? 0,
    until,
    untilFailure: until === null ? null : failureOf(until),
    next,
    ends,
  };
}

/** A trie of the texts. */
function compileTexts(texts: readonly string[], ignoreCase: boolean) {
  const next: Uint16Array[] = [new Uint16Array(256)];
  const ends = [false];
  for (const text of texts) {
    let state = 0;
    for (const byte of Buffer.from(text, "latin1")) {
      const row = next[state] as Uint16Array;
      if (row[byte] === 0) {
        for (const one of ignoreCase ? casesOf(byte) : [byte]) row[one] = next.length;
        next.push(new Uint16Array(256));
        ends.push(false);
      }
      state = row[byte] as number;
    }
    ends[state] = true;
  }
  return { next, ends };
}

/** By length: how much of a text still stands at the end of its beginning (Knuth, Morris, Pratt). */
function failureOf(text: Uint8Array): Uint8Array {
  const failure = new Uint8Array(text.length + 1);
  for (let length = 2, kept = 0; length <= text.length; length++) {
    while (kept > 0 && text[kept] !== text[length - 1]) kept = failure[kept] as number;
    if (text[kept] === text[length - 1]) kept++;
    failure[length] = kept;
  }
  return failure;
}

/** Whether `keyword` stands at `at`; `to` is the end of the bytes. */
export function standsAt(
  { bytes, ignoreCase }: Keyword,
  text: Uint8Array,
  at: number,
  to: number,
): boolean {
  if (at + bytes.length > to) return false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = text[at + i] as number;
    if (byte === bytes[i]) continue;
    if (!ignoreCase || lowerCase(byte) !== bytes[i]) return false;
  }
  return true;
}
