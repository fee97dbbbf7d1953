import { Secret } from "nopeek";
import { createMatcher, type Matcher, needlesOf } from "nopeek/detect";
import { expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

function matchesIn(matcher: Matcher, text: Buffer, chunkBytes: number): readonly string[] {
  const found: string[] = [];
  const state = matcher.start();
  for (let at = 0; at < text.length; at += chunkBytes) {
    matcher.scan(text.subarray(at, at + chunkBytes), state, at, (start, end, { secret, form }) =>
      found.push(`${start} ${end} ${secret.fingerprint} ${form}`),
    );
  }
  return found.sort();
}

it("finds what was added a secret at a time as what was there at once, with few automata", () => {
  const each = Array.from({ length: 130 }, (_, i) =>
    needlesOf(new Secret(randomToken("", 8 + (i % 40)))),
  );
  const atOnce = createMatcher(each.flat());
  const text = Buffer.concat(
    each.flat().flatMap(({ bytes }, i) => [bytes, Buffer.from(i % 3 === 0 ? "" : " ")]),
  );
  const expected = matchesIn(atOnce, text, text.length);
  expect(expected.length).toBeGreaterThan(each.flat().length);

  let oneByOne = createMatcher([]);
  let most = 0;
  for (const needles of each) {
    oneByOne = oneByOne.with(needles);
    most = Math.max(most, oneByOne.start().length);
  }
  expect(matchesIn(oneByOne, text, text.length)).toEqual(expected);
  expect(matchesIn(oneByOne, text, 4099)).toEqual(expected);
  // Each at least twice as large as the next one, and those of the shortest needles.
  expect(most).toBeLessThanOrEqual(12);
});

it("keeps nothing twice", () => {
  const needles = needlesOf(new Secret(randomToken()));
  const matcher = createMatcher(needles);
  const again = matcher.with(needles).with(needles.slice(0, 3));
  expect(again.start()).toHaveLength(matcher.start().length);
});
