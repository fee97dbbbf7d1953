import { createRuleSet, type Rule, type RuleSet } from "nopeek/detect";
import { createRedactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { foundIn } from "../../support/found-rules.ts";

const digits = { chars: "0-9", min: 4, max: 8 };

function packOf(...rules: Partial<Rule>[]) {
  return rules.map((rule, index) => ({
    id: `rule-${index}`,
    title: "a rule that a cut could change",
    keywords: ["keyword_"],
    left: "any" as const,
    shapes: [[digits]],
    good: [],
    bad: [],
    ...rule,
  }));
}

/** What is found, the same at every cut. */
function foundAtEveryCut(text: string, ...rules: Partial<Rule>[]): readonly string[] {
  const set = createRuleSet([{ name: "own", rules: packOf(...rules) }]) as RuleSet;
  const bytes = Buffer.from(text);
  const whole = foundIn(bytes, bytes.length, set);
  for (let size = 1; size < bytes.length; size++) expect(foundIn(bytes, size, set)).toEqual(whole);
  return whole.slice(0, -1);
}

it("looks as far back as the longest text before a keyword", () => {
  for (const word of ["abcdefghijklmnop", "äöüßäöüßäöüßäöüß"]) {
    const text = `x ${word}-keyword_12345 z`;
    expect(foundAtEveryCut(text, { onlyAfter: [word] })).toHaveLength(1);
    expect(foundAtEveryCut(`x ${word}keyword_12345 z`, { unlessAfter: [word] })).toHaveLength(0);
    expect(foundAtEveryCut(text, { unlessAfter: ["nothing"] })).toHaveLength(1);
  }
});

it("takes a run that ends behind a text, and takes nothing, for the end of the match", () => {
  const until: Rule["shapes"] = [[{ chars: "a-z;", max: 9, until: ";" }, { text: "!" }]];
  expect(foundAtEveryCut("x keyword_12", { shapes: until })).toHaveLength(1);
  expect(foundAtEveryCut("x keyword_ab;!2", { shapes: until })).toHaveLength(1);
  expect(foundAtEveryCut("x keyword_ab;2", { shapes: until })).toHaveLength(0);
});

it("takes no secret of no bytes", () => {
  const empty: Partial<Rule> = { shapes: [[{ chars: "b-d", max: 5, secret: true }]] };
  expect(foundAtEveryCut("keyword_9 keyword_", empty, empty)).toHaveLength(0);
  expect(foundAtEveryCut("keyword_b9", empty)).toHaveLength(1);
});

it("takes nothing from before the text", () => {
  const marked: Partial<Rule> = {
    keywords: ["key"],
    before: { chars: "^;", min: 1, max: 3 },
    shapes: [[{ text: "=" }]],
  };
  expect(foundAtEveryCut("key= a", marked)).toHaveLength(0);
  const rules = [{ name: "own", rules: packOf(marked) }];
  const [found] = createRedactor({ secrets: [], rules }).find("a\nkey= a");
  expect(found?.offset).toBe(0);
});
