import { randomInt } from "node:crypto";
import { createRuleSet, type Rule, type RuleSet } from "nopeek/detect";
import { expect, it } from "vitest";
import { foundIn } from "../../support/found-rules.ts";
import { fromTemplate } from "../../support/templates.ts";

const words = [
  "password=",
  "passwd:",
  "token=",
  "secret: ",
  "--api-key ",
  'password="',
  "client_secret=",
  "\n",
  " ",
  '",',
  "eyJ",
  "sk-proj-",
];

function randomText(): Buffer {
  let text = "";
  // Matches that overlap, of one class and of several, with ends and without.
  const few = Array.from({ length: 1 + randomInt(3) }, () => words[randomInt(words.length)]);
  while (text.length < 3000) {
    text += few[randomInt(few.length)];
    if (randomInt(3) === 0) text += fromTemplate(`{A-Za-z0-9*${1 + randomInt(90)}}`);
    if (randomInt(20) === 0) text += words[randomInt(words.length)];
  }
  return Buffer.from(text);
}

it("are read once, and found as if each attempt read them alone", () => {
  for (let i = 0; i < 60; i++) {
    const text = randomText();
    // A chunk of one byte leaves nothing to remember.
    const alone = foundIn(text, 1);
    for (const chunkBytes of [text.length, 1000, 1 + randomInt(200)]) {
      expect(foundIn(text, chunkBytes)).toEqual(alone);
    }
  }
});

it("are told with their own text where a value repeats, which is not judged again", () => {
  const value = fromTemplate("{A-Za-z*6}{0-9*2}");
  const other = `${value.slice(0, -1)}z`;
  const text = Buffer.from(
    [value, value, other, other, value].map((one) => `password=${one}\n`).join(""),
  );
  const [first = "", second = "", third = "", fourth = "", fifth = ""] = foundIn(text, text.length)
    .slice(0, -1)
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((found) => found.split(" ").at(-1) ?? "");
  expect([first, second, third, fourth, fifth]).toEqual([value, value, other, other, value]);
});

it("are judged anew where a repeated value changes", () => {
  for (let i = 0; i < 40; i++) {
    const text = Buffer.from(fromTemplate("sig={A-Za-z0-9*14}1a%").repeat(60));
    for (let changes = 0; changes < 3; changes++) text[randomInt(text.length)] = 0x41;
    const alone = foundIn(text, 1);
    expect(alone.length).toBeGreaterThan(20);
    for (const chunkBytes of [text.length, 300, 1 + randomInt(200)]) {
      expect(foundIn(text, chunkBytes)).toEqual(alone);
    }
  }
});

it("are judged by what stands before the keyword, too, where that is part of them", () => {
  const rule: Rule = {
    id: "before-and-behind",
    title: "letters before a keyword, digits behind it",
    keywords: ["::key="],
    left: "any",
    before: { chars: "a-z", min: 4, max: 4 },
    shapes: [[{ chars: "0-9", min: 4, max: 4 }]],
    good: ["abcd::key=1234"],
    bad: ["ab::key=1234"],
  };
  const rules = createRuleSet([{ name: "own", rules: [rule] }]) as RuleSet;
  const text = Buffer.from("abcd::key=1234 wxyz::key=1234 ");
  expect(foundIn(text, text.length, rules)).toEqual(foundIn(text, 1, rules));
  expect(foundIn(text, text.length, rules).join()).toContain("wxyz::key=1234");
});

it("count what stands before each of many keywords", () => {
  const shared = { left: "any", good: [], bad: [] } as const;
  const value = { chars: "0-9", min: 1, max: 3 };
  const rules = createRuleSet([
    {
      name: "own",
      rules: [
        {
          ...shared,
          id: "letters-before",
          title: "letters before a keyword of letters",
          keywords: ["key"],
          before: { chars: "a-z", min: 5, max: 9 },
          shapes: [[value]],
        },
        {
          ...shared,
          id: "letters-and-digits-before",
          title: "more before the same keyword",
          keywords: ["ke", "key"].map((keyword) => `${keyword}=`),
          before: { chars: "a-z0-9", min: 6, max: 20 },
          shapes: [[value]],
        },
      ],
    },
  ]) as RuleSet;
  const parts = ["key1", "key=1", "ke=2", "key", "a", "bcd", "7", " "];
  let found = 0;
  for (let i = 0; i < 200; i++) {
    const text = Buffer.from(
      Array.from({ length: 60 }, () => parts[randomInt(parts.length)]).join(""),
    );
    const alone = foundIn(text, 1, rules);
    found += alone.length - 1;
    expect(foundIn(text, text.length, rules)).toEqual(alone);
  }
  expect(found).toBeGreaterThan(500);
});
