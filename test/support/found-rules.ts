import { createRuleSet, RuleScanner, type RuleSet } from "nopeek/detect";

const defaultSet = createRuleSet("default") as RuleSet;

/** What rules find in a text that comes in chunks, and what they leave out behind overlong matches. */
export function foundIn(text: Buffer, chunkBytes: number, rules = defaultSet): readonly string[] {
  const found: string[] = [];
  const dropped = new Set<number>();
  const scanner = new RuleScanner(rules, {
    hit: (start, end, { rule, confidence, text }) =>
      found.push(`${start} ${end} ${rule.id} ${confidence} ${text}`),
    drop: (start, end) => {
      for (let at = start; at < end; at++) dropped.add(at);
    },
    bytesOf: (start, end) => text.subarray(start, end),
  });
  for (let at = 0; at < text.length; at += chunkBytes) {
    const chunk = text.subarray(at, at + chunkBytes);
    scanner.push(chunk, chunk.length, at);
  }
  scanner.end();
  return [...found.sort(), `dropped ${[...dropped].sort((a, b) => a - b).join()}`];
}
