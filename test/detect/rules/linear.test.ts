import { Secret } from "nopeek";
import { createRuleSet, packsByName, type Rule, RuleScanner, type RuleSet } from "nopeek/detect";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { fromTemplate } from "../../support/templates.ts";
import { randomToken } from "../../support/values.ts";

const mebibyte = 1024 * 1024;
/** Slow for a scanner that reads each byte a few times, and quick for one that is quadratic. */
const maxSecondsPerMebibyte = 1.5;
const chunkBytes = 64 * 1024;

function cpuSecondsFor(set: RuleSet, text: Buffer): number {
  const before = process.cpuUsage();
  const scanner = new RuleScanner(set, {
    hit: () => undefined,
    drop: () => undefined,
    bytesOf: (from, to) => text.subarray(from, to),
  });
  for (let at = 0; at < text.length; at += chunkBytes) {
    const chunk = text.subarray(at, at + chunkBytes);
    scanner.push(chunk, chunk.length, at);
  }
  scanner.end();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function filled(unit: string): Buffer {
  return Buffer.alloc(mebibyte, unit === "" ? "x" : unit, "latin1");
}

/** What follows a keyword for as long as the rule may go on reading. */
function longestMiss(rule: Rule): string {
  const [keyword = ""] = rule.keywords;
  const [steps = []] = rule.shapes;
  const runs = steps.map((step) => {
    if ("text" in step) return typeof step.text === "string" ? step.text : (step.text.at(-1) ?? "");
    const taken = /[A-Za-z0-9]/.exec(step.chars.replace("^", ""))?.[0] ?? "a";
    return taken.repeat(Math.min(step.max, 300));
  });
  return keyword + runs.slice(0, -1).join("");
}

const rules = Object.values(packsByName).flatMap((pack) => pack.rules);

describe("time is linear, also for text made against a rule", () => {
  it.each(rules.map((rule) => [rule.id, rule] as const))("%s", (_, rule) => {
    const set = createRuleSet([{ name: "one", rules: [rule] }]) as RuleSet;
    const [example = ""] = rule.good.map(fromTemplate);
    const [keyword = rule.characters ?? ""] = rule.keywords;
    for (const unit of [keyword, `${keyword}="`, example.slice(0, -1), longestMiss(rule)]) {
      expect(cpuSecondsFor(set, filled(unit)), JSON.stringify(unit.slice(0, 40))).toBeLessThan(
        maxSecondsPerMebibyte,
      );
    }
  });

  it("of all rules of all packs together, on what is made against some", () => {
    const set = createRuleSet(Object.values(packsByName)) as RuleSet;
    for (const unit of [
      "token=",
      'key: "a',
      "eyJ",
      "-----BEGIN ",
      "://a:b",
      "password=\\",
      "\n  login a\n",
      "{",
      "+ASt",
      "A".repeat(60),
      // Against the packs that review and that follow the policy to the letter.
      'os.system(f"',
      "subprocess.run(cmd, shell=True) ",
      'open("../../',
      "../etc/passwd",
      "..%2f",
      "AWS_",
      "token = '",
      "();|",
      // Against the checks: long values that are nearly ordinary.
      `token="${"a".repeat(460)}9" `,
      `secret: ${"aB".repeat(200)}! `,
      `password=${"a.".repeat(190)}- `,
      `api_key=${"0".repeat(460)}x `,
    ]) {
      expect(cpuSecondsFor(set, filled(unit)), unit).toBeLessThan(maxSecondsPerMebibyte);
    }
  });

  it("grows with the text as the text does", () => {
    const set = createRuleSet("default") as RuleSet;
    const text = filled("api_key=api_key=");
    cpuSecondsFor(set, text);
    const quarter = cpuSecondsFor(set, text.subarray(0, mebibyte / 4));
    const whole = cpuSecondsFor(set, text);
    expect(whole).toBeLessThan(Math.max(0.1, quarter * 12));
  });
});

describe("time is linear in the masks of one text", () => {
  const known = randomToken("", 24);
  const redactor = createRedactor({ secrets: [new Secret(known)] });
  const cpuSecondsOf = (text: string) => {
    const before = process.cpuUsage();
    const output = redactor.redact(text);
    const { user, system } = process.cpuUsage(before);
    expect(output).not.toBe(text);
    return (user + system) / 1e6;
  };

  it.each([
    ["a value that is the next keyword", "password=`"],
    ["the same in other quotes", "password='"],
    ["values of rules between known ones", `${known} password='a1-b2-c3' `],
  ])("%s", (_, unit) => {
    const text = filled(unit).toString("latin1");
    cpuSecondsOf(text.slice(0, mebibyte / 16));
    const part = cpuSecondsOf(text.slice(0, mebibyte / 16));
    expect(cpuSecondsOf(text)).toBeLessThan(Math.max(0.5, part * 48));
  });
});
