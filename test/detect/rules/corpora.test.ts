import type { Finding } from "nopeek/redact";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { bareTokens } from "../../support/corpora/bare-tokens.ts";
import { codeSamples } from "../../support/corpora/code-samples.ts";
import {
  awkwardContexts,
  cleanContexts,
  placed,
  wholeContexts,
  written,
} from "../../support/corpora/contexts.ts";
import { drawFrom } from "../../support/corpora/draw.ts";
import { hardNegatives } from "../../support/corpora/hard-negatives.ts";
import { healthyOutput } from "../../support/corpora/healthy-output.ts";
import { namedTokens, wholeTokens } from "../../support/corpora/named-tokens.ts";
import { toolOutput } from "../../support/corpora/tool-output.ts";

const isSlow = process.env["SLOW"] === "1";
const seed = isSlow ? Date.now() : 4242;
const redactor = createRedactor({ secrets: [] });

/** A fifth of a secret, and 8 characters, is more than may be seen of it. */
const maxVisibleShare = 0.2;
const minVisible = 8;

/** The secret as it stands in the text: some places encode it. */
function formIn(text: string, secret: string): string {
  const json = JSON.stringify(secret).slice(1, -1);
  const forms = [secret, encodeURIComponent(secret), json, JSON.stringify(json).slice(1, -1)];
  return forms.find((form) => text.includes(form)) ?? secret;
}

function isSeen(text: string, secret: string): boolean {
  const form = formIn(text, secret);
  const output = redactor.redact(text);
  const length = Math.min(
    form.length,
    Math.max(minVisible, Math.ceil(form.length * maxVisibleShare)),
  );
  for (let at = 0; at + length <= form.length; at++) {
    if (output.includes(form.slice(at, at + length))) return true;
  }
  return false;
}

/** Counts by kind of credential. */
class Tally {
  readonly #all = new Map<string, { seen: number; of: number }>();

  add(id: string, seen: boolean): void {
    const count = this.#all.get(id) ?? { seen: 0, of: 0 };
    this.#all.set(id, { seen: count.seen + (seen ? 1 : 0), of: count.of + 1 });
  }

  get recall(): number {
    const counts = [...this.#all.values()];
    const of = counts.reduce((sum, count) => sum + count.of, 0);
    return 1 - counts.reduce((sum, count) => sum + count.seen, 0) / of;
  }

  below(recall: number): string[] {
    return [...this.#all].flatMap(([id, { seen, of }]) => (1 - seen / of < recall ? [id] : []));
  }
}

describe("credentials that nobody declared", () => {
  const draw = drawFrom(seed);
  const rounds = isSlow ? 30 : 2;

  it("are masked in clean places: 99 of 100, and of each kind 95", () => {
    const tally = new Tally();
    for (let round = 0; round < rounds; round++) {
      for (const { id, make } of [...bareTokens, ...namedTokens]) {
        for (const { gives, write } of cleanContexts) {
          const token = make(draw);
          if (token.kind === "named" && gives !== "name") continue;
          tally.add(id, isSeen(`${write(token.name, placed(token), draw)}\n`, token.secret));
        }
      }
      for (const { id, make } of wholeTokens) {
        for (const { write } of wholeContexts) {
          const { text = "", secret } = make(draw);
          tally.add(id, isSeen(write(text, draw), secret));
        }
      }
    }
    expect(tally.below(0.9)).toEqual([]);
    expect(tally.recall).toBeGreaterThan(0.99);
  });

  it("are masked in awkward places: 99 of 100, and of each kind 90", () => {
    const tally = new Tally();
    for (let round = 0; round < rounds; round++) {
      for (const { id, make } of [...bareTokens, ...namedTokens]) {
        for (const { write } of awkwardContexts) {
          const token = make(draw);
          tally.add(id, isSeen(`${write(written(token))}\n`, token.secret));
        }
      }
    }
    expect(tally.below(0.9)).toEqual([]);
    expect(tally.recall).toBeGreaterThan(0.99);
  });

  it("are masked in a stream of small chunks", async () => {
    const tokens = bareTokens.map(({ make }) => make(draw));
    const stream = redactor.stream({ hold: "strict" });
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => void parts.push(part));
    const text = Buffer.from(tokens.map((token) => `used ${written(token)} here\n`).join(""));
    for (let at = 0; at < text.length; at += 37) stream.write(text.subarray(at, at + 37));
    await new Promise((resolve) => stream.end(resolve));
    const output = Buffer.concat(parts).toString();
    const seen = tokens.filter(({ secret }) => output.includes(secret.slice(0, -1)));
    expect(seen.map(({ name }) => name)).toEqual([]);
    expect(tokens.filter(({ secret }) => text.includes(secret))).toHaveLength(tokens.length);
  });

  it("keep a placeholder's confidence apart from a real one's", () => {
    const found = codeSamples(300, seed).map((line) => redactor.find(line));
    const sure = found.flat().filter(({ confidence }: Finding) => confidence === "exact");
    expect(sure).toEqual([]);
    expect(found.filter((findings) => findings.length > 0).length).toBeGreaterThan(295);
  });
});

describe("what is no credential", () => {
  it("stays as it is: 50,000 lines of healthy output", () => {
    const lines = healthyOutput(isSlow ? 500_000 : 50_000, seed);
    const changed = lines.filter((line) => redactor.redact(line) !== line);
    expect(changed.slice(0, 5)).toEqual([]);
    expect(new Set(lines).size).toBeGreaterThan(lines.length / 3);
  });

  it.each([
    ["text that looks like one", hardNegatives],
    ["installers, images, checkpoints, traces, notebooks", toolOutput],
  ])("stays as it is: %s", (_, makers) => {
    const draw = drawFrom(seed);
    const rounds = isSlow ? 1000 : 40;
    const changed: string[] = [];
    for (const make of makers) {
      for (let round = 0; round < rounds; round++) {
        const text = make(draw);
        if (redactor.find(text).length > 0) changed.push(redactor.redact(text));
      }
    }
    expect(changed.slice(0, 5)).toEqual([]);
  });
});
