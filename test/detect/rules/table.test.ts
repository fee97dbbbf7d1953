import { SecretError } from "nopeek";
import {
  checkOwnExamples,
  createRuleSet,
  defaultRules,
  detectors,
  packsByName,
  type Rule,
  RuleScanner,
  type RuleSet,
  readRulePack,
} from "nopeek/detect";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { fromTemplate } from "../../support/templates.ts";

const acme: Rule = {
  id: "acme-token",
  title: "Acme access token",
  keywords: ["acme_"],
  shapes: [[{ chars: "A-Za-z0-9", min: 32, max: 32 }]],
  notBefore: "A-Za-z0-9_",
  good: ["acme_{A-Za-z0-9*32}"],
  bad: ["acme_{A-Za-z0-9*31}"],
};

const messageOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(SecretError);
    expect((error as SecretError).code).toBe("RULE_INVALID");
    return (error as SecretError).message;
  }
  return "";
};

const allRules = Object.values(packsByName).flatMap((pack) =>
  pack.rules.map((rule) => [`${pack.name}: ${rule.id}`, rule] as const),
);

describe("every rule", () => {
  it.each(allRules)("%s is well formed, and its own examples hold", (_, rule) => {
    const pack = { name: "one", rules: [rule] };
    createRuleSet([pack]);
    checkOwnExamples(pack);
    expect(rule.title.length).toBeGreaterThan(8);
    expect(Object.keys(detectors)).toContain(rule.detector ?? "secret-exposure");
  });

  it("has an id of its own", () => {
    const ids = allRules.map(([, { id }]) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it("knows the formats of at least sixty kinds of credentials", () => {
    expect(defaultRules.rules.length).toBeGreaterThan(60);
  });
});

describe("own examples", () => {
  it.each<[string, Partial<Rule>]>([
    ["needs good and bad examples", { good: [] }],
    ["needs good and bad examples", { bad: [] }],
    ["good example 1 is not found", { good: ["acme_{a-z*31}"] }],
    ["good example 2 is not found", { good: ["acme_{a-z*32}", "acm_{a-z*32}"] }],
    ["bad example 1 is found", { bad: ["x acme_{a-z*32} y"] }],
  ])("refuse a pack that %s", (message, change) => {
    expect(messageOf(() => readRulePack(JSON.stringify({ name: "acme", rules: [acme] })))).toBe("");
    const pack = { name: "acme", rules: [{ ...acme, ...change }] };
    expect(messageOf(() => readRulePack(JSON.stringify(pack)))).toContain(message);
  });

  it.each<[string, string]>([
    ["no JSON", "{"],
    ["no pack", "[]"],
    ["a rule without steps", JSON.stringify({ name: "a", rules: [{ ...acme, shapes: [] }] })],
    [
      "a class that runs backwards",
      JSON.stringify({ name: "a", rules: [{ ...acme, shapes: [[{ chars: "_-.", max: 9 }]] }] }),
    ],
    [
      "a rule that masks single characters",
      JSON.stringify({
        name: "a",
        rules: [{ ...acme, keywords: [], shapes: [], characters: ";" }],
      }),
    ],
    [
      "a mark too far inside",
      JSON.stringify({
        name: "a",
        rules: [{ ...acme, before: { chars: "a-z", min: 1, max: 500 } }],
      }),
    ],
    [
      "a detector of its own",
      JSON.stringify({ name: "a", rules: [{ ...acme, detector: "eval" }] }),
    ],
    [
      "a check from a prototype",
      JSON.stringify({ name: "a", rules: [{ ...acme, checks: ["toString"] }] }),
    ],
  ])("refuse %s, and quote nothing of it", (_, json) => {
    const message = messageOf(() => readRulePack(json));
    expect(message).not.toBe("");
    expect(message).not.toContain("position");
  });
});

it("masks with a pack that came from JSON, beside the default rules", () => {
  const pack = readRulePack(JSON.stringify({ name: "acme", rules: [acme] }));
  const redactor = createRedactor({ secrets: [], rules: [defaultRules, pack] });
  expect(redactor.redact(fromTemplate("a acme_{a-z*32} b"))).toBe("a [REDACTED:acme-token] b");
});

/** Hits in a text that is cut at `cut`, as rules and offsets. */
function hitsIn(set: RuleSet, text: Buffer, cut: number): string[] {
  const hits: string[] = [];
  const scanner = new RuleScanner(set, {
    hit: (_, end, { rule }) => hits.push(`${rule.id} ${end}`),
    drop: () => undefined,
    bytesOf: (from, to) => text.subarray(from, to),
  });
  scanner.push(text.subarray(0, cut), cut, 0);
  scanner.push(text.subarray(cut), text.length - cut, cut);
  scanner.end();
  return hits.sort();
}

describe("the keyword filter lets every match pass", () => {
  const withKeywords = defaultRules.rules.filter(({ keywords }) => keywords.length > 0);
  const all = createRuleSet("default") as RuleSet;

  it.each(withKeywords.map((rule) => [rule.id, rule] as const))("of %s", (id, rule) => {
    const alone = createRuleSet([{ name: "one", rules: [rule] }]) as RuleSet;
    for (const template of rule.good) {
      const example = Buffer.from(fromTemplate(template), "latin1");
      for (let shift = 0; shift < 4; shift++) {
        // Where it stands in memory, and where a chunk cuts it, changes nothing.
        const memory = Buffer.alloc(example.length + 16, "\n");
        example.copy(memory, shift);
        const text = memory.subarray(0, shift + example.length + 1);
        const whole = hitsIn(alone, text, 0);
        for (const cut of [1, shift + 2, Math.floor(text.length / 2), text.length - 1]) {
          expect(hitsIn(alone, text, Math.min(cut, text.length)), `${id} ${shift} ${cut}`).toEqual(
            whole,
          );
        }
        expect(hitsIn(all, text, 0).filter((hit) => hit.startsWith(`${id} `))).toEqual(whole);
      }
    }
  });
});
