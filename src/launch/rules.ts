import { defaultRules, type RuleChoice, reviewRules } from "../detect/index.ts";
import type { LaunchOptions } from "./options.ts";

const defaultWithReview = [defaultRules, reviewRules];

/**
 * The rules of a launch: those that are asked for, and beside them those that tell its monitor what
 * to review. Without rules there is no pass over the output that could look for these.
 */
export function rulesOf({ rules = "default", monitor = {} }: LaunchOptions): RuleChoice {
  const reviews = "watch" in monitor ? monitor.reviews : (monitor.review ?? true);
  if (!reviews || rules === "none") return rules;
  if (rules === "default") return defaultWithReview;
  const isThere = rules.some(({ name }) => name === reviewRules.name);
  return isThere ? rules : [...rules, reviewRules];
}
