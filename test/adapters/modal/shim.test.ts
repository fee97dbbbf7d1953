import { expect, it } from "vitest";
import { randomToken } from "../../support/values.ts";
import { runInShim, sh, whyNoPython } from "./shim-harness.ts";

const test = it.skipIf(whyNoPython !== null);

test("masks both streams, keeps every other byte, and gives input and exit code", async () => {
  const token = randomToken();
  const run = await runInShim({
    command: sh('echo "out $TOKEN"; echo "err $TOKEN" >&2; cat; exit 3'),
    env: { TOKEN: token },
    input: "typed \xff\n",
  });
  expect(run.stdout.toString()).toBe("out [REDACTED:TOKEN]\ntyped \xff\n");
  expect(run.stderr.toString()).toBe("err [REDACTED:TOKEN]\n");
  expect(run.code).toBe(3);
  expect(run.rawStderr.includes(token)).toBe(false);
  const found = { kind: "found", name: "TOKEN", form: "raw", strength: "strong", count: 1 };
  expect(run.records).toEqual([
    { kind: "start", number: 0, withheld: [], plain: [], missing: [] },
    { ...found, number: 1, stream: "stdout" },
    { ...found, number: 2, stream: "stderr" },
    { kind: "end", number: 3, code: 3, signal: undefined },
  ]);
});
