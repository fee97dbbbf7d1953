import { buffer } from "node:stream/consumers";
import fc from "fast-check";
import { Secret } from "nopeek";
import { needlesOf } from "nopeek/detect";
import { createRedactor, type Redactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { redactSlowly } from "../support/oracle.ts";
import { printedForms } from "../support/printed-forms.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../support/values.ts";

const slow = process.env["SLOW"] === "1";
const runs = (normally: number) => ({ numRuns: slow ? normally * 50 : normally });

async function inPieces(
  redactor: Redactor,
  input: Buffer,
  cuts: readonly number[],
): Promise<Buffer> {
  const stream = redactor.stream();
  const output = buffer(stream);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(input.length, cut);
    stream.write(input.subarray(from, to));
    from = Math.max(from, to);
  }
  stream.end(input.subarray(from));
  return output;
}

/** Text of few different characters overlaps itself and its neighbours all the time. */
const dense = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 4, maxLength: 14 });
const varied = fc.string({ unit: "grapheme", minLength: 4, maxLength: 24 });
const separator = fc.constantFrom(
  "",
  "",
  " ",
  "\n",
  "\r\n",
  "\n   ",
  "\x1b[31m",
  "\\\n",
  "\r",
  "\x1b[0;1m",
);

it("writes what an oracle writes, for every chunking", async () => {
  const values = fc.oneof(
    fc.array(dense, { minLength: 1, maxLength: 4 }),
    fc.array(varied, { minLength: 1, maxLength: 3 }),
    fc.array(
      fc.constant(0).map(() => randomToken()),
      { minLength: 1, maxLength: 3 },
    ),
  );
  const glue = fc.oneof(separator, dense, fc.string({ maxLength: 12 }));
  await fc.assert(
    fc.asyncProperty(
      values.filter((all) => all.every((value) => value.trim() !== "")),
      fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(), glue), { maxLength: 12 }),
      fc.array(fc.nat(400), { maxLength: 20 }),
      async (texts, parts, cuts) => {
        const secrets = texts.map((text, index) => new Secret(text, { name: `S${index}` }));
        const needles = secrets.flatMap((secret) => needlesOf(secret));
        const pieces = parts.flatMap(([which, start, length, between]) => {
          const needle = needles[which % needles.length]?.bytes ?? Buffer.alloc(0);
          const from = start % 3 === 0 ? start % needle.length : 0;
          const to = length % 2 === 0 ? needle.length : from + (length % needle.length);
          const middle = from + Math.floor((to - from) / 2);
          const cut = length % 5 === 0 ? Buffer.from(between) : Buffer.alloc(0);
          return [
            needle.subarray(from, middle),
            cut,
            needle.subarray(middle, to),
            Buffer.from(between),
          ];
        });
        const input = Buffer.concat(pieces);
        const expected = redactSlowly(input, firstOfEqual(needles));
        const output = await inPieces(createRedactor({ secrets, rules: "none" }), input, cuts);
        expect(output.toString("latin1")).toBe(expected.toString("latin1"));
      },
    ),
    runs(1500),
  );
}, 600_000);

/** Of equal needles the one that was registered first gives its name. */
function firstOfEqual(needles: ReturnType<typeof needlesOf>) {
  const seen = new Map<string, (typeof needles)[number]>();
  for (const needle of needles) {
    const key = needle.bytes.toString("latin1");
    if (!seen.has(key)) seen.set(key, needle);
  }
  return [...seen.values()];
}

it("cuts exactly the printed forms out of any bytes", async () => {
  const makers = { token: () => randomToken(), password: awkwardPassword, pem: privateKeyPem };
  const pem = privateKeyPem();
  makers.pem = () => pem;
  // Surroundings of bytes that no form begins or ends with.
  const noise = fc
    .uint8Array({ maxLength: 40 })
    .map((bytes) => Buffer.from(bytes.map((byte) => (byte < 0x80 ? byte % 8 : byte))));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(printedForms.length - 1), noise), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(3000), { maxLength: 12 }),
      async (parts, cuts) => {
        const values = { token: makers.token(), password: makers.password(), pem: makers.pem() };
        const secrets = Object.values(values).map((value) => new Secret(value));
        const printed = parts.map(([index, before]) => {
          const form = printedForms[index] as (typeof printedForms)[number];
          return [before, Buffer.from(form.print(values[form.value]))] as const;
        });
        const input = Buffer.concat(printed.flat());
        const output = await inPieces(createRedactor({ secrets, rules: "none" }), input, cuts);
        const withoutMasks = output.toString("latin1").replaceAll("[REDACTED]", "");
        const kept = Buffer.concat(printed.map(([before]) => before)).toString("latin1");
        expect(withoutMasks).toBe(kept);
        for (const [, form] of printed) expect(output.includes(form)).toBe(false);
      },
    ),
    runs(300),
  );
}, 600_000);
