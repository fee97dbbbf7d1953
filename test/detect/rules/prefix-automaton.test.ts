import { createRuleSet, packsByName, type Rule, type RuleSet, type Step } from "nopeek/detect";
import { describe, expect, it } from "vitest";
import { foundIn } from "../../support/found-rules.ts";
import { type Random, randomOf } from "../../support/random.ts";

function setOf(shapes: readonly (readonly Step[])[]): RuleSet {
  const rule: Rule = {
    id: "some-shapes",
    title: "shapes that begin alike",
    keywords: ["key"],
    left: "any",
    shapes,
    good: [],
    bad: [],
  };
  return createRuleSet([{ name: "own", rules: [rule] }]) as RuleSet;
}

function prefixesOf({ filter }: RuleSet) {
  const all = filter.entries.flat().map(({ keyword }) => keyword.prefixes);
  return [...new Set(all)].filter((prefixes) => prefixes !== null);
}

function randomStep({ below, pick }: Random): Step {
  if (below(3) === 0) return { text: pick([":", ["=", "=="], ["", "a", "abc"], ["ab=", "b", ""]]) };
  const min = below(2);
  return { chars: pick(["a", "ab", "abc", " ", "^a=", ":="]), min, max: min + 1 + below(4) };
}

function randomShape(random: Random): readonly Step[] {
  const begin = Array.from({ length: 1 + random.below(4) }, () => randomStep(random));
  return [...begin, { chars: random.pick(["a-c", "abc:= ", "^ "]), min: 1, max: 6, secret: true }];
}

describe("what stands before the secret part", () => {
  // Of a chunk of one byte no automaton reads more than that: each shape goes on alone.
  it("is read for all shapes at once as for each alone", () => {
    const random = randomOf(71);
    let found = 0;
    for (let i = 0; i < 300; i++) {
      const set = setOf(Array.from({ length: 1 + random.below(5) }, () => randomShape(random)));
      for (let j = 0; j < 5; j++) {
        let text = "";
        while (text.length < 200) text += `key${random.text("aabbc:== ", random.below(12))}`;
        const bytes = Buffer.from(text);
        const alone = foundIn(bytes, 1, set);
        found += alone.length - 1;
        expect(foundIn(bytes, bytes.length, set)).toEqual(alone);
        expect(foundIn(bytes, 1 + random.below(20), set)).toEqual(alone);
      }
    }
    expect(found).toBeGreaterThan(5000);
  });

  it("is read for each shape alone when there is no room for states any more", () => {
    const random = randomOf(72);
    // Of two shapes one counts all letters, the other one only the last ones.
    const value: Step = { chars: "0-9", min: 4, max: 9, secret: true };
    const set = setOf([
      [{ chars: "a", min: 1, max: 99 }, { chars: "b", max: 99 }, { text: "=" }, value],
      [{ chars: "ab", min: 2, max: 99 }, { text: "=" }, value],
    ]);
    const [prefixes] = prefixesOf(set);
    let found = 0;
    for (let i = 0; i < 100; i++) {
      const word = () => `key${"a".repeat(random.below(60))}${"b".repeat(random.below(60))}=12345 `;
      const text = Array.from({ length: 8 }, word).join("");
      const bytes = Buffer.from(text);
      const alone = foundIn(bytes, 1, set);
      found += alone.length - 1;
      expect(foundIn(bytes, bytes.length, set)).toEqual(alone);
    }
    expect(found).toBeGreaterThan(100);
    expect(prefixes?.size).toBe(512);
  });

  it("has room for all states of the rules that come with nopeek", () => {
    const sets = Object.values(packsByName).map((pack) => createRuleSet([pack]) as RuleSet);
    const automata = sets.flatMap(prefixesOf);
    expect(automata.length).toBeGreaterThan(10);
    for (const prefixes of automata) {
      // Every text that leads to a state that was not there before leads on to others.
      for (let texts = [Buffer.alloc(0)]; texts.length > 0; ) {
        texts = texts.flatMap((text) =>
          Array.from({ length: 256 }, (_, byte) => Buffer.concat([text, Buffer.of(byte)])).filter(
            (longer) => {
              const before = prefixes.size;
              prefixes.read(longer, 0, longer.length, { position: 0 }, () => undefined);
              return prefixes.size > before;
            },
          ),
        );
      }
      expect(prefixes.size).toBeLessThan(512);
    }
  });
});
