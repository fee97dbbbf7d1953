import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../support/command.ts";
import { sinkTexts, sinkValues, withoutMasks } from "../support/sink-texts.ts";

const program = join(root, "test/cases/print-ways.mjs");

/** What the program printed each way, by `way index`. */
function printed(dropIn: string): { found: Map<string, string>; rest: string } {
  const input = JSON.stringify({
    dropIn,
    values: Object.values(sinkValues),
    texts: sinkTexts.map(({ text }) => text),
  });
  const run = spawnSync(process.execPath, [program], { input, cwd: root, maxBuffer: 1 << 28 });
  expect([run.status, String(run.stderr)]).toEqual([0, ""]);
  const output = String(run.stdout);
  const records = [...output.matchAll(/<([^<|]+ \d+)\|([\s\S]*?)\|>\n/g)];
  return {
    found: new Map(records.map(([, name = "", text = ""]) => [name, text])),
    rest: output.slice(output.lastIndexOf("<end|")),
  };
}

it.each(["console", "stdio"])("redacts every form, however it is printed: %s", (dropIn) => {
  const { found, rest } = printed(dropIn);
  expect(found.size).toBeGreaterThanOrEqual(sinkTexts.length * 4);
  const leaks = [...found].filter(([, text]) => {
    return withoutMasks(text).trim() !== "" || !text.includes("[REDACTED:S]");
  });
  expect(leaks).toEqual([]);
  if (dropIn === "stdio") expect(rest).toBe(`<end|${sinkValues.token.slice(0, 9)}`);
});

it("control: without a drop-in every text arrives as it is", () => {
  const { found } = printed("none");
  for (const [name, text] of found) {
    expect(text).toBe(sinkTexts[Number(/\d+$/.exec(name)?.[0])]?.text);
  }
  expect(found.size).toBeGreaterThanOrEqual(sinkTexts.length * 4);
});
