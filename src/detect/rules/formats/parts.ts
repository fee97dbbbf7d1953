/** Parts that many rules are made of. */
import type { Rule, RunStep, Step } from "../rule.ts";

export const alphanumeric = "A-Za-z0-9";
export const word = "A-Za-z0-9_";
export const base64 = "A-Za-z0-9+/";
export const base64url = "A-Za-z0-9_-";
export const hex = "a-f0-9";

export const exactly = (chars: string, count: number): RunStep => ({
  chars,
  min: count,
  max: count,
});
export const optional = (...texts: string[]): Step => ({ text: ["", ...texts] });

/** What most rules of tokens are: a prefix, one run behind it and an end. */
export interface PrefixRule extends Omit<Rule, "keywords" | "shapes"> {
  readonly prefixes: readonly string[];
  readonly run: RunStep;
}

/** A token that is a prefix and one run of characters; no letter, digit or `_` follows it. */
export function prefixRule({ prefixes, run, notBefore = word, ...rest }: PrefixRule): Rule {
  return { ...rest, keywords: prefixes, shapes: [[run]], notBefore };
}
