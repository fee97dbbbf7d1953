import { once } from "node:events";
import { Secret } from "nopeek";
import { type Needle, needlesOf } from "nopeek/detect";
import { createRedactor, type Redactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { redactSlowly } from "../support/oracle.ts";
import { type Random, randomOf } from "../support/random.ts";
import { fromTemplate } from "../support/templates.ts";

const cases = process.env["SLOW"] === "1" ? 1_000_000 : 50_000;
const casesOfSet = 250;
/** A failure names its seed: `SEED=n npx vitest run fuzz` starts there. */
const firstSeed = Number(process.env["SEED"] ?? 1);

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** Few letters overlap themselves and their neighbours; the others need every escape. */
const alphabets = ["ab", "abc", letters, `${letters}"'\\/ +=&<%-_é€`];
const gaps = ["", "\n", "\r\n", "\n   ", "\x1b[31m", "\\\n", "\r", "\x1b[0;1m", " "];
const formats = [
  " ghp_{A-Za-z0-9*36} ",
  ' password="{a-z0-9*12}" ',
  " postgres://u:{a-z*9}@h/ ",
  " sk-{A-Za-z0-9*30}\n",
  " AKIA{A-Z2-7*16},",
  "-----BEGIN RSA PRIVATE KEY-----\n{A-Za-z0-9*64}\n-----END RSA PRIVATE KEY-----\n",
  " Authorization: Bearer {A-Za-z0-9*24}\n",
  " eyJhbGciOiJIUzI1NiJ9.eyJ{A-Za-z0-9*20}.{A-Za-z0-9*20}\n",
  "://",
  "token: ",
  "-----BEGIN ",
  "=",
  "A",
];

function makeInput(random: Random, needles: readonly Needle[], withFormats: boolean): Buffer {
  const pieces: Buffer[] = [];
  for (let count = 2 + random.below(10); count > 0; count--) {
    const { bytes } = random.pick(needles);
    const at = random.below(bytes.length);
    const kind = random.below(withFormats ? 8 : 6);
    if (kind < 2) pieces.push(bytes);
    else if (kind === 2)
      pieces.push(bytes.subarray(0, at), Buffer.from(random.pick(gaps)), bytes.subarray(at));
    else if (kind === 3) pieces.push(bytes.subarray(0, at));
    else if (kind === 4) pieces.push(bytes.subarray(at));
    else if (kind === 5)
      pieces.push(Buffer.from(random.text(`${random.pick(alphabets)}\n `, random.below(12))));
    else pieces.push(Buffer.from(fromTemplate(random.pick(formats))));
  }
  return Buffer.concat(pieces);
}

/** Pieces of random length, each at another alignment in memory. */
async function inRandomPieces(redactor: Redactor, input: Buffer, random: Random, most: number) {
  const stream = redactor.stream({ hold: "strict" });
  const parts: Buffer[] = [];
  stream.on("data", (part: Buffer) => void parts.push(part));
  for (let from = 0; from < input.length; ) {
    const to = Math.min(input.length, from + 1 + random.below(most));
    const memory = Buffer.alloc(to - from + 4);
    const offset = random.below(4);
    input.copy(memory, offset, from, to);
    stream.write(memory.subarray(offset, offset + to - from));
    from = to;
  }
  stream.end();
  await once(stream, "end");
  return Buffer.concat(parts);
}

it("writes the same for every chunking, and what an oracle writes", async () => {
  const sets = Math.ceil(cases / casesOfSet);
  for (let seed = firstSeed; seed < firstSeed + sets; seed++) {
    const random = randomOf(seed);
    const alphabet = random.pick(alphabets);
    const values = Array.from({ length: 1 + random.below(3) }, () =>
      random.text(alphabet, 4 + random.below(16)),
    ).filter((value) => value.trim() !== "");
    if (values.length === 0) continue;
    const secrets = values.map((value, index) => new Secret(value, { name: `S${index}` }));
    const needles = secrets.flatMap((secret) => needlesOf(secret));
    if (needles.length === 0) continue;
    const unique = [
      ...new Map(needles.toReversed().map((n) => [n.bytes.toString("latin1"), n])).values(),
    ];
    const valuesOnly = createRedactor({ secrets, rules: "none" });
    const all = createRedactor({ secrets });
    for (let index = 0; index < casesOfSet; index++) {
      const withRules = index % 2 === 1;
      const input = makeInput(random, needles, withRules);
      const redactor = withRules ? all : valuesOnly;
      const output = await inRandomPieces(redactor, input, random, random.pick([1, 3, 17, 90]));
      const expected = withRules
        ? await inRandomPieces(redactor, input, random, 2 ** 30)
        : redactSlowly(input, unique);
      if (output.equals(expected)) continue;
      // The values are made up for this run: a failure may print them.
      expect([seed, index, input.toString("latin1"), output.toString("latin1")]).toEqual([
        seed,
        index,
        input.toString("latin1"),
        expected.toString("latin1"),
      ]);
    }
  }
}, 3_600_000);

it("shows no value, wherever it pauses", () => {
  let masks = 0;
  for (let seed = firstSeed; seed < firstSeed + Math.ceil(cases / 5000); seed++) {
    const random = randomOf(seed);
    const secrets = Array.from({ length: 1 + random.below(3) }, (_, index) => {
      return new Secret(random.text(letters, 16 + random.below(30)), { name: `S${index}` });
    });
    const needles = secrets.flatMap((secret) => needlesOf(secret));
    const redactor = createRedactor({ secrets });
    for (let index = 0; index < casesOfSet; index++) {
      const input = makeInput(random, needles, true);
      const chunks = redactor.chunks();
      const output: Uint8Array[] = [];
      for (let from = 0; from < input.length; ) {
        const to = Math.min(input.length, from + 1 + random.below(30));
        output.push(Buffer.from(chunks.write(input.subarray(from, to))));
        if (random.below(2) === 0) output.push(chunks.pause());
        from = to;
      }
      output.push(chunks.end());
      const text = Buffer.concat(output).toString("latin1");
      masks += text.split("[REDACTED:").length - 1;
      for (const { bytes } of needles) {
        const needle = bytes.toString("latin1");
        if (needle.length < 8 || !text.includes(needle)) continue;
        // The values are made up for this run: a failure may print them.
        expect([seed, index, input.toString("latin1"), text]).toBe(needle);
      }
    }
  }
  expect(masks).toBeGreaterThan(cases / 100);
}, 3_600_000);
