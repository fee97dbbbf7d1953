import type { Check, Confidence, Rule } from "nopeek/detect";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { alphabets, drawFrom } from "../../support/corpora/draw.ts";

/** Finds `key:` and what follows it, if that passes the checks. */
function judge(...checks: Check[]): (text: string) => Confidence | undefined {
  const rule: Rule = {
    id: "one",
    title: "one",
    keywords: ["key:"],
    shapes: [[{ chars: "^\n", min: 1, max: 400, secret: true }]],
    checks,
    good: [],
    bad: [],
  };
  const redactor = createRedactor({ secrets: [], rules: [{ name: "one", rules: [rule] }] });
  return (text) => redactor.find(`key:${text}\n`)[0]?.confidence;
}

/** Shannon's formula as it stands in books. */
function bitsOf(text: string): number {
  const shares = [...new Set(text)].map((char) => (text.split(char).length - 1) / text.length);
  return -shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
}

describe("checks of a match", () => {
  it("measure entropy as Shannon did", () => {
    const draw = drawFrom(5);
    const passed = { yes: 0, no: 0 };
    for (const bits of [2, 2.5, 3, 3.7]) {
      const isVaried = judge({ entropy: bits });
      for (let round = 0; round < 500; round++) {
        const letters = alphabets.base62.slice(0, 2 + draw.below(30));
        const text = draw.text(letters, 1 + draw.below(60));
        const expected = bitsOf(text) >= bits;
        expect(isVaried(text) !== undefined, text).toBe(expected);
        passed[expected ? "yes" : "no"]++;
      }
    }
    expect(Math.min(passed.yes, passed.no)).toBeGreaterThan(200);
  });

  it.each([1, 2, 3, 5, 7])(
    "take three bits for three bits: eight letters, each %i times",
    (count) => {
      expect(judge({ entropy: 3 })("stuvwxyz".repeat(count))).toBe("format");
      expect(judge({ entropy: 3.001 })("stuvwxyz".repeat(count))).toBeUndefined();
    },
  );

  it("take one letter ten times for an example, wherever it stands", () => {
    const confidence = judge();
    const letters = [...alphabets.upper].toReversed().join("");
    for (let at = 0; at <= letters.length; at++) {
      const [head, tail] = [letters.slice(0, at), letters.slice(at)];
      expect(confidence(`${head}${"7".repeat(10)}${tail}`)).toBe("placeholder");
      expect(confidence(`${head}${"7".repeat(9)}${tail}`)).toBe("format");
      expect(confidence(`${head}${"=".repeat(10)}${tail}`)).toBe("format");
    }
  });
});
