import { SecretError } from "../../secrets/index.ts";
import { defaultRules } from "./default-rules.ts";
import { checkOwnExamples } from "./own-examples.ts";
import { reviewRules } from "./review-rules.ts";
import type { RulePack } from "./rule.ts";
import { seedRules } from "./seed-rules.ts";
import { checkPacks } from "./validate.ts";

/** The packs that come with nopeek, by name. */
export const packsByName: Readonly<Record<string, RulePack>> = {
  default: defaultRules,
  review: reviewRules,
  seed: seedRules,
};

/**
 * Reads a pack of rules from JSON. Its rules must find their own good examples and leave their bad
 * ones, or the pack is refused.
 *
 * @throws SecretError `RULE_INVALID`.
 *
 * @example
 * const acme = readRulePack(readFileSync("acme-rules.json", "utf8"));
 * createRedactor({ rules: [defaultRules, acme] });
 */
export function readRulePack(json: string): RulePack {
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    throw new SecretError("RULE_INVALID", "the pack of rules is no JSON");
  }
  const [pack] = checkPacks([given]);
  if (pack === undefined) throw new SecretError("RULE_INVALID", "there is no pack of rules");
  checkOwnExamples(pack);
  return pack;
}
