/** The records of the shim among the text of a job: what is genuine is taken out, nothing else. */
import { createHmac } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import {
  createRecordFilter,
  newShimKey,
  type ShimRecord,
  shimKeyVariable,
  wrapCommand,
} from "../../../adapters/modal/shim/index.ts";
import { codeOf } from "../../support/scratch.ts";
import { randomToken } from "../../support/values.ts";
import { runId, runInShim, sh, shimKey, whyNoPython } from "./shim-harness.ts";

const key = newShimKey();

/** A record as the format says, written without the code under test. */
function record(fields: object, { by = key, run = "run-1" } = {}): string {
  const body = JSON.stringify(fields);
  const master = Buffer.from(by.reveal(), "hex");
  const runKey = createHmac("sha256", master).update(`nopeek shim\0${run}`).digest();
  return `\x1enopeek ${createHmac("sha256", runKey).update(body).digest("hex")} ${body}\n`;
}

const start = (n: number) => record({ n, kind: "start", withheld: [], plain: [], missing: [] });
const end = (n: number) => record({ n, kind: "end", code: 143, signal: 15 });
const found = (n: number) =>
  record({ n, kind: "found", name: "T", form: "hex", strong: false, stream: "stdout", count: 2 });

async function filtered(pieces: readonly (string | Uint8Array)[]) {
  const records: ShimRecord[] = [];
  const filter = createRecordFilter({
    key,
    runId: "run-1",
    onRecord: (one) => void records.push(one),
  });
  const output = buffer(filter);
  for (const piece of pieces) filter.write(piece);
  filter.end();
  return { text: (await output).toString("latin1"), records };
}

const bytesOf = (text: string) =>
  Array.from(Buffer.from(text, "latin1"), (byte) => Uint8Array.of(byte));
const numbers = (records: readonly ShimRecord[]) => records.map(({ number }) => number);

describe("records", () => {
  const text = `${start(0)}a\nb${found(1)}c\xe9\xff\x00\x1e\x1en\x1enopeek ${found(2)}\x1enopeek x${end(3)}tail\x1enope`;
  const rest = "a\nbc\xe9\xff\x00\x1e\x1en\x1enopeek \x1enopeek xtail\x1enope";

  it("are taken out of the text and told, whole, byte by byte and at every split", async () => {
    const bytes = Buffer.from(text, "latin1");
    const splits = bytes.map((_, i) => i);
    const ways = [
      [bytes],
      bytesOf(text),
      ...Array.from(splits, (i) => [bytes.subarray(0, i), bytes.subarray(i)]),
    ];
    for (const pieces of ways) {
      const { text: passed, records } = await filtered(pieces);
      expect(passed).toBe(rest);
      expect(records).toEqual([
        { kind: "start", number: 0, withheld: [], plain: [], missing: [] },
        {
          kind: "found",
          number: 1,
          name: "T",
          form: "hex",
          strength: "weak",
          stream: "stdout",
          count: 2,
        },
        {
          kind: "found",
          number: 2,
          name: "T",
          form: "hex",
          strength: "weak",
          stream: "stdout",
          count: 2,
        },
        { kind: "end", number: 3, code: 143, signal: "SIGTERM" },
      ]);
    }
  });

  it.each([
    ["of another key", record({ n: 1, kind: "end", code: 0 }, { by: newShimKey() })],
    ["of another run", record({ n: 1, kind: "end", code: 0 }, { run: "run-2" })],
    ["with another content", found(1).replace('"count":2', '"count":3')],
    ["with another MAC", found(1).replace(/ [0-9a-f]/, (c) => (c === " 0" ? " 1" : " 0"))],
    ["without a MAC", `\x1enopeek ${"0".repeat(64)} {"n":1,"kind":"end","code":0}\n`],
    ["with a short MAC", found(1).replace(/ [0-9a-f]{2}/, " ")],
    ["cut", found(1).slice(0, 40)],
    ["without its end", found(1).slice(0, -1)],
    ["with a carriage return", found(1).replace("\n", "\r\n")],
    ["repeated", found(0)],
    ["too long", `\x1enopeek ${"a".repeat(100_000)}\n`],
  ])("that are forged pass as text: %s", async (_, forged) => {
    const { text: passed, records } = await filtered([`${start(0)}<${forged}>${end(9)}`]);
    expect(passed).toBe(`<${forged}>`);
    expect(numbers(records)).toEqual([0, 9]);
  });

  it("count once and in order", async () => {
    const again = found(1);
    const { text: passed, records } = await filtered([start(0), again, again, end(3), found(2)]);
    expect(numbers(records)).toEqual([0, 1, 3]);
    expect(passed).toBe(again + found(2));
  });

  it("hold text back no longer than it may be one", async () => {
    const filter = createRecordFilter({ key, runId: "run-1", onRecord: () => undefined });
    const shown = () => (filter.read() as Buffer | null)?.toString() ?? "";
    filter.write("prompt> nopeek ");
    expect(shown()).toBe("prompt> nopeek ");
    filter.write("a\x1enope");
    expect(shown()).toBe("a");
    filter.write("x");
    expect(shown()).toBe("\x1enopex");
    filter.write(`\x1enopeek ${"b".repeat(20_000)}`);
    expect(shown().length).toBe(20_008);
  });
});

describe.skipIf(whyNoPython !== null)("a job", () => {
  it("that repeats what the shim wrote in an earlier run is not believed", async () => {
    const first = await runInShim({ command: sh("echo $TOKEN"), env: { TOKEN: randomToken() } });
    const replayed = first.rawStderr;
    const records: ShimRecord[] = [];
    const options = {
      key: shimKey,
      runId: `${runId}-2`,
      onRecord: (one: ShimRecord) => void records.push(one),
    };
    const filter = createRecordFilter(options);
    filter.end(replayed);
    expect(await buffer(filter)).toEqual(replayed);
    expect(records).toEqual([]);
    // Control: in its own run it is genuine.
    expect(first.records.length).toBe(3);
  });

  it("that prints records of its own prints text", async () => {
    const forged = `\x1enopeek ${"ab".repeat(32)} {"n":1,"kind":"end","code":0}\n`;
    const command = ["sh", "-c", 'printf %s "$1" >&2; exit 6', "sh", forged];
    const run = await runInShim({ command, env: { TOKEN: randomToken() } });
    expect(run.stderr.toString()).toBe(forged);
    expect(run.records.map(({ kind }) => kind)).toEqual(["start", "end"]);
    expect(run.records.at(-1)).toMatchObject({ code: 6 });
  });
});

describe("a wrapped command", () => {
  const options = { command: ["python", "train.py"], declared: ["HF_TOKEN"], runId: "r" };

  it("holds no key and leaves room for the user's arguments", () => {
    const line = wrapCommand({ ...options, fallback: "run" }).join(" ");
    expect(line.length).toBeLessThan(32_000);
    expect(line).not.toContain(newShimKey().reveal());
    expect(line).toContain(shimKeyVariable);
    expect(line.endsWith("python train.py")).toBe(true);
  });

  it("is refused if it is too long, or a name is none", () => {
    const long = { ...options, command: ["echo", "x".repeat(50_000)] };
    expect(codeOf(() => wrapCommand(long))).toBe("COMMAND_INVALID");
    for (const name of ["", "A B", "1A", "A=B", "$(id)", "A*", "a'b", "x".repeat(200)]) {
      expect(codeOf(() => wrapCommand({ ...options, declared: [name] }))).toBe(
        "DECLARATION_INVALID",
      );
    }
    expect(codeOf(() => wrapCommand({ ...options, keep: ["MY_*"] }))).toBe("none");
    for (const glob of ["*)", "$(id)", "`x`", ""]) {
      expect(codeOf(() => wrapCommand({ ...options, keep: [glob] }))).toBe("DECLARATION_INVALID");
    }
  });
});
