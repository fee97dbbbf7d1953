import { randomBytes, randomInt } from "node:crypto";
import { expect, it } from "vitest";
import { Output } from "../../src/redact/output.ts";

const large = 8192;

it("hands on all that it takes, in order, however it comes", () => {
  for (let round = 0; round < 300; round++) {
    const output = new Output();
    const given: Buffer[] = [];
    const taken: Buffer[] = [];
    const asTaken: Buffer[] = [];
    for (let step = 0; step < 30; step++) {
      const bytes = randomBytes(randomInt(6) === 0 ? large + randomInt(9000) : 1 + randomInt(400));
      if (randomInt(2) === 0) bytes[randomInt(bytes.length)] = 0x0a;
      const from = randomInt(bytes.length);
      const to = from + randomInt(bytes.length - from) + 1;
      given.push(Buffer.from(bytes.subarray(from, to)));
      if (randomInt(2) === 0) {
        output.copy(bytes, from, to);
        // A part that was copied may change.
        bytes.fill(0);
      } else {
        output.pass(bytes, from, to);
      }
      if (randomInt(4) !== 0) continue;
      for (const part of output.take()) {
        taken.push(part);
        asTaken.push(Buffer.from(part));
      }
    }
    taken.push(...output.take());
    asTaken.push(...taken.slice(asTaken.length).map((part) => Buffer.from(part)));
    expect(Buffer.concat(taken).equals(Buffer.concat(given))).toBe(true);
    // What was handed on stays as it was, whatever is gathered later.
    expect(taken.every((part, i) => part.equals(asTaken[i] as Buffer))).toBe(true);
    expect(output.take()).toEqual([]);
  }
});

it("does not copy what stands alone, nor the whole lines of a large part", () => {
  const output = new Output();
  const short = Buffer.from("one line\n");
  output.pass(short, 0, short.length);
  expect(output.take()).toEqual([short]);
  output.pass(short, 0, short.length);
  expect(output.take()[0]).toBe(short);

  const lines = Buffer.from("a line of text\n".repeat(2000));
  const mask = Buffer.from("[REDACTED]");
  output.copy(mask, 0, mask.length);
  output.pass(lines, 0, lines.length);
  output.copy(mask, 0, mask.length);
  const [first, middle, last] = output.take();
  expect(String(first)).toBe("[REDACTED]a line of text\n");
  expect(middle?.buffer).toBe(lines.buffer);
  expect(String(last)).toBe("[REDACTED]");
});

it("goes on when who took a part gave its memory away", () => {
  const output = new Output();
  const mask = Buffer.from("[REDACTED]");
  output.copy(mask, 0, mask.length);
  const [given] = output.take();
  structuredClone(given?.buffer, { transfer: [given?.buffer as ArrayBuffer] });
  output.copy(mask, 0, mask.length);
  expect(output.take().map(String)).toEqual(["[REDACTED]"]);
});
