import { once } from "node:events";
import { Secret } from "nopeek";
import { defaultRules, type RulePack, reviewRules } from "nopeek/detect";
import { createRedactor, type Finding } from "nopeek/redact";
import { expect, it } from "vitest";
import { fromTemplate } from "../support/templates.ts";
import { randomToken } from "../support/values.ts";

const rules = [defaultRules, reviewRules];

/** What comes out for chunks of some size, and what is found. */
function through(text: string, size: number, packs: readonly RulePack[] = rules) {
  const found: Finding[] = [];
  const redactor = createRedactor({ secrets: [], rules: packs });
  const chunks = redactor.chunks({ onFinding: (finding) => void found.push(finding) });
  const bytes = Buffer.from(text);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    parts.push(chunks.write(bytes.subarray(at, at + size)));
  }
  parts.push(chunks.end());
  return { output: Buffer.concat(parts).toString(), found };
}

it("leaves what it tells as it is, and tells the same for every cut", () => {
  const token = fromTemplate("hf_{A-Za-z*34}");
  const text = [
    'open("../../../etc/shadow") and os.system(f"cat {x}")',
    'subprocess.run(a, cwd=os.popen("x" + y), shell=True)',
    `os.system("curl -H ${token}" + url)`,
    "cat ../../x",
  ].join("\n");
  const whole = through(text, text.length);
  expect(whole.output).toBe(text.replace(token, "[REDACTED:huggingface-token]"));
  const told = whole.found.map(({ detector, isMasked }) => `${detector} ${isMasked}`);
  expect(told.sort()).toEqual([
    "path-traversal false",
    "path-traversal false",
    "secret-exposure true",
    "shell-injection false",
    "shell-injection false",
    "shell-injection false",
  ]);
  const order = (found: readonly Finding[]) =>
    found.map((one) => JSON.stringify(one)).sort((a, b) => (a < b ? -1 : 1));
  for (const size of [1, 2, 7, 31, 32, 33, 64]) {
    const cut = through(text, size);
    expect(cut.output).toBe(whole.output);
    expect(order(cut.found)).toEqual(order(whole.found));
  }
  expect(JSON.stringify(whole.found)).not.toContain(token);
});

it("holds back no byte for what is only told", async () => {
  const redactor = createRedactor({ secrets: [], rules });
  const found: Finding[] = [];
  const stream = redactor.stream({ hold: "strict", onFinding: (one) => void found.push(one) });
  for (const text of ["cat ../../pro", "mpt? os.sys", 'tem(f"', "x{y}"]) {
    stream.write(text);
    expect(String(stream.read())).toBe(text);
  }
  stream.end();
  stream.resume();
  await once(stream, "end");
  expect(found.map(({ detector }) => detector).sort()).toEqual([
    "path-traversal",
    "shell-injection",
  ]);
  // The control: what may become a mask waits.
  const masking = redactor.stream({ hold: "strict" });
  masking.write("x ghp_abc");
  expect(String(masking.read())).toBe("x ");
  masking.destroy();
});

it("tells what it found when the stream pauses", async () => {
  const redactor = createRedactor({ secrets: [], rules });
  const found = new Promise<Finding>((resolve) => {
    const stream = redactor.stream({
      onFinding: (finding) => {
        resolve(finding);
        stream.destroy();
      },
    });
    stream.resume();
    stream.write('os.system("rm " + x)');
  });
  expect(await found).toMatchObject({ rule: "shell-injection", offset: 0 });
});

it("leaves nothing out of a match without an end", () => {
  const long: RulePack = {
    name: "long",
    rules: [
      {
        id: "long-line",
        title: "a line without an end",
        does: "report",
        keywords: ["begin:"],
        shapes: [[{ chars: "^\n", max: 100_000 }]],
        good: ["begin:x"],
        bad: ["begin"],
      },
    ],
  };
  const text = `a begin:${"x".repeat(20_000)}\nb`;
  for (const size of [100, 5_000, 30_000]) {
    const { output, found } = through(text, size, [long]);
    expect(output === text).toBe(true);
    expect(found).toHaveLength(1);
  }
});

it("a secret that is added later masks nothing that was written already", () => {
  const redactor = createRedactor({ secrets: [], rules });
  const value = randomToken("", 12);
  const chunks = redactor.chunks();
  const parts = [chunks.write(Buffer.from(`cat ../../${value}/`))];
  redactor.add(new Secret(value, { name: "LATE" }));
  parts.push(chunks.write(Buffer.from(` then ${value}`)), chunks.end());
  expect(Buffer.concat(parts).toString()).toBe(`cat ../../${value}/ then [REDACTED:LATE]`);
});
