import { readRuleChoice } from "../config/index.ts";
import type { RuleChoice } from "../detect/index.ts";
import type { Arguments, Option } from "./verb.ts";

/** `--rules`: which formats of credentials are masked beside the declared values. */
export const rulesOption: Option = {
  value: "NAME|FILE",
  repeatable: true,
  about:
    "none: mask the declared values only; seed, review or a JSON file: look for these rules too",
};

/** @throws SecretError `RULE_INVALID`. */
export function readRules(args: Arguments): RuleChoice | undefined {
  const given = args.values("rules");
  return given.length === 0 ? undefined : readRuleChoice(given, process.cwd());
}
