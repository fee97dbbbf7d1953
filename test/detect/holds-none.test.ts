import { Secret } from "nopeek";
import { createMatcher, type Matcher, needlesOf } from "nopeek/detect";
import { createRedactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const scratch = Buffer.alloc(4096);
const words = new Int32Array(scratch.buffer);

function holdsNone(matcher: Matcher, text: Uint8Array): boolean {
  scratch.set(text);
  return matcher.holdsNone(words, text.length);
}

it("never says it of a text with a needle, wherever that stands", () => {
  for (const length of [8, 12, 20, 40]) {
    const needles = needlesOf(new Secret(randomToken("", length)));
    const matcher = createMatcher(needles);
    for (const { bytes } of needles) {
      for (let at = 0; at < 40; at++) {
        for (const behind of [0, 1, 9]) {
          const text = Buffer.alloc(at + bytes.length + behind, ".");
          bytes.copy(text, at);
          expect(holdsNone(matcher, text)).toBe(false);
        }
      }
    }
  }
});

it("says it of other text of any length", () => {
  const line = '{"level":30,"epoch":3,"loss":0.4231,"msg":"batch done, checkpoint follows"}\n';
  // The filter may be wrong about a word of the line, and then about all longer texts: of one value in
  // some tens.
  const said = Array.from({ length: 5 }, () => {
    const matcher = createMatcher(needlesOf(new Secret(randomToken())));
    const lengths = Array.from({ length: 300 }, (_, length) => length);
    return lengths.filter((n) => holdsNone(matcher, Buffer.from(line.repeat(4).slice(0, n))))
      .length;
  });
  expect(Math.max(...said)).toBe(300);
});

it("does not say it where a needle is too short for the filter, and says it without needles", () => {
  const short = createMatcher(needlesOf(new Secret("q7Zx!")));
  expect(holdsNone(short, Buffer.from("clean"))).toBe(false);
  expect(holdsNone(createMatcher([]), Buffer.from("clean"))).toBe(true);
});

it("leaves clean text as it is, whatever was looked at before", () => {
  const value = randomToken();
  using redactor = createRedactor({ secrets: [new Secret(value)], unwrap: false });
  for (const length of [0, 3, 20, 50]) {
    const clean = ".".repeat(length);
    // The memory for texts is the same, and holds the value behind the clean one.
    expect(redactor.redact(`${clean}....${value}`)).toBe(`${clean}....[REDACTED]`);
    expect(redactor.redact(clean)).toBe(clean);
  }
});
