import { SecretError } from "../../secrets/index.ts";
import type { Rule, RulePack } from "./rule.ts";
import { type RuleListener, RuleScanner } from "./rule-scanner.ts";
import { compileSet } from "./rule-set.ts";
import { expandTemplate } from "./template.ts";

/** Each example is expanded so often, with other random characters each time. */
const timesEach = 5;

/**
 * Holds rules against their own examples: each good one must be found by its rule, in each expansion
 * of its template but one at most, each bad one never.
 *
 * @throws SecretError `RULE_INVALID`, which names the rule and the number of the example.
 */
export function checkOwnExamples({ name, rules }: RulePack): void {
  for (const rule of rules) {
    const { good = [], bad = [] } = rule;
    if (good.length === 0 || bad.length === 0) {
      throw invalid(rule, `in pack ${name} it needs good and bad examples, at least one of each`);
    }
    for (const [index, template] of good.entries()) {
      if (countFound(rule, template) < timesEach - 1) {
        throw invalid(rule, `its good example ${index + 1} is not found`);
      }
    }
    for (const [index, template] of bad.entries()) {
      if (countFound(rule, template) > 0) {
        throw invalid(rule, `its bad example ${index + 1} is found`);
      }
    }
  }
}

function countFound(rule: Rule, template: string): number {
  const set = compileSet([rule]);
  let found = 0;
  for (let i = 0; i < timesEach; i++) {
    const text = Buffer.from(expandTemplate(template, drawFrom(`${rule.id} ${template} ${i}`)));
    let hits = 0;
    const listener: RuleListener = {
      hit: () => void hits++,
      drop: () => undefined,
      bytesOf: (start, end) => text.subarray(start, end),
    };
    const scanner = new RuleScanner(set, listener);
    scanner.push(text, text.length, 0);
    scanner.end();
    if (hits > 0) found++;
  }
  return found;
}

/** Random numbers that depend on the text alone: a pack is refused always or never. */
function drawFrom(seed: string): (count: number) => number {
  // Loaded here: it takes longer to load than all of this folder.
  const { createHash } = process.getBuiltinModule("node:crypto");
  let bytes = Buffer.alloc(0);
  let block = 0;
  return (count) => {
    if (bytes.length < 4) {
      bytes = createHash("sha256").update(`${seed} ${block++}`).digest();
    }
    const number = bytes.readUInt32LE(0);
    bytes = bytes.subarray(4);
    return number % count;
  };
}

function invalid({ id }: Rule, what: string): SecretError {
  return new SecretError("RULE_INVALID", `${id}: ${what}`);
}
