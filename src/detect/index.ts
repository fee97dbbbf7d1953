/**
 * What is a secret in text: the forms of a value and the matcher that finds them. Exported as
 * `nopeek/detect`.
 *
 * @module
 */
export { agrees, type KnownBits } from "./encodings.ts";
export {
  type Form,
  type FormId,
  type Needle,
  type NeedleSource,
  needlesOf,
  partForms,
  wholeForms,
} from "./forms.ts";
export type { Piece } from "./joints.ts";
export type { Matcher, MatchState, OnMatch } from "./matcher.ts";
export { minUnwrappedBytes } from "./needle-grams.ts";
export { defaultRules } from "./rules/default-rules.ts";
export { detectors, severities } from "./rules/detectors.ts";
export { checkOwnExamples } from "./rules/own-examples.ts";
export { packsByName, readRulePack } from "./rules/read-pack.ts";
export { reviewRules } from "./rules/review-rules.ts";
export type {
  Check,
  Confidence,
  Detector,
  Rule,
  RuleMatch,
  RulePack,
  RunStep,
  Severity,
  Step,
  TextStep,
} from "./rules/rule.ts";
export { type RuleListener, RuleScanner } from "./rules/rule-scanner.ts";
export {
  checkRules,
  compilePacks,
  createRuleSet,
  type RuleChoice,
  type RuleSet,
} from "./rules/rule-set.ts";
export { seedRules } from "./rules/seed-rules.ts";
export { expandTemplate } from "./rules/template.ts";
export { createMatcher } from "./tiered-matcher.ts";
export { Unwrapper } from "./unwrap.ts";
