import { byteClass } from "./byte-class.ts";
import { compileRules, foundRule, type Keyword } from "./compile.ts";
import { defaultRules } from "./default-rules.ts";
import { buildKeywordFilter, type KeywordFilter } from "./keyword-filter.ts";
import { reviewRules } from "./review-rules.ts";
import type { Confidence, FoundRule, Rule, RulePack } from "./rule.ts";
import { seedRules } from "./seed-rules.ts";
import { checkPacks } from "./validate.ts";

/** Rules, ready to be looked for. It has no state: any number of streams use one. */
export interface RuleSet {
  readonly filter: KeywordFilter;
  /** By first byte: keywords that are part of the mask. */
  readonly secretKeywords: ReadonlyArray<readonly Keyword[]>;
  /** 1 for a byte that some keyword holds. */
  readonly keywordBytes: Uint8Array;
  /** Rules of single characters; none nearly always. */
  readonly singles: readonly Single[];
  /** The most that a match has before its keyword. */
  readonly longestBefore: number;
  /** The most bytes before a match that tell whether it is one, by `unlessAfter` and `onlyAfter`. */
  readonly longestAfter: number;
  /** Whether a rule with keywords only tells of its matches. */
  readonly reports: boolean;
}

/** A rule of single characters. */
interface Single {
  readonly rule: FoundRule;
  readonly confidence: Confidence;
  /** 1 for each of the characters. */
  readonly table: Uint8Array;
}

/** Which rules are looked for: the formats that are known, none, or packs of one's own. */
export type RuleChoice = "default" | "none" | readonly RulePack[];

/** Packs of nopeek's own, which need no check and are compiled once. */
const ownPacks: ReadonlySet<RulePack> = new Set([defaultRules, reviewRules, seedRules]);
const ofOwnPacks = new Map<string, RuleSet>();

/**
 * Makes rules ready; null for none. Packs replace the default rules: name `defaultRules` among them to
 * have both.
 *
 * @throws SecretError `RULE_INVALID`.
 *
 * @example
 * const rules = createRuleSet([defaultRules, acmeRules]);
 */
export function createRuleSet(choice: RuleChoice): RuleSet | null {
  return compilePacks(checkRules(choice));
}

/**
 * The packs of a choice. Checking is quick; compiling takes tens of milliseconds.
 *
 * @throws SecretError `RULE_INVALID`.
 */
export function checkRules(choice: RuleChoice): readonly RulePack[] {
  if (choice === "none") return [];
  if (choice === "default") return [defaultRules];
  return areOwn(choice) ? choice : checkPacks(choice);
}

/** Compiles packs that were checked; null if there is no rule in them. */
export function compilePacks(packs: readonly RulePack[]): RuleSet | null {
  if (packs.every(({ rules }) => rules.length === 0)) return null;
  return areOwn(packs) ? ofOwn(packs) : compileSet(packs.flatMap(({ rules }) => rules));
}

function areOwn(packs: readonly RulePack[]): boolean {
  return Array.isArray(packs) && packs.every((one) => ownPacks.has(one));
}

function ofOwn(packs: readonly RulePack[]): RuleSet {
  const names = packs.map(({ name }) => name).join(" ");
  const set = ofOwnPacks.get(names) ?? compileSet(packs.flatMap(({ rules }) => rules));
  ofOwnPacks.set(names, set);
  return set;
}

/** Compiles rules that were checked. */
export function compileSet(rules: readonly Rule[]): RuleSet {
  const singles = rules.flatMap((rule) => {
    const { characters, confidence = "heuristic" } = rule;
    if (characters === undefined) return [];
    return [{ rule: foundRule(rule), confidence, table: byteClass(characters) }];
  });
  const keywords = compileRules(rules);
  const secretKeywords: Keyword[][] = Array.from({ length: 256 }, () => []);
  const keywordBytes = new Uint8Array(256);
  for (const keyword of keywords) {
    for (const byte of keyword.bytes) {
      keywordBytes[byte] = 1;
      if (keyword.ignoreCase) keywordBytes[upperOf(byte)] = 1;
    }
    const [first = 0] = keyword.bytes;
    if (!keyword.isSecret) continue;
    secretKeywords[first]?.push(keyword);
    if (keyword.ignoreCase && upperOf(first) !== first)
      secretKeywords[upperOf(first)]?.push(keyword);
  }
  const longestBefore = keywords.reduce((most, { before }) => Math.max(most, before?.max ?? 0), 0);
  const longestAfter = keywords.reduce((most, keyword) => Math.max(most, contextOf(keyword)), 0);
  const filter = buildKeywordFilter(keywords);
  const reports = rules.some(({ does, keywords }) => does === "report" && keywords.length > 0);
  return { filter, secretKeywords, keywordBytes, singles, longestBefore, longestAfter, reports };
}

/** A text, and a sign between it and the keyword. */
function contextOf({ unlessAfter, onlyAfter }: Keyword): number {
  const texts = [...(unlessAfter ?? []), ...(onlyAfter ?? [])].flat();
  return texts.reduce((most, text) => Math.max(most, text.length + 1), 0);
}

function upperOf(byte: number): number {
  return byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
}
