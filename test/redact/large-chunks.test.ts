import { once } from "node:events";
import { Secret } from "nopeek";
import { createRedactor, type Finding } from "nopeek/redact";
import { expect, it } from "vitest";
import { randomOf } from "../support/random.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const { below, text } = randomOf(20261122);
const lines = Array.from({ length: 4_000 }, (_, index) => {
  const words = text("abcdefghij ", below(120));
  return `${index} ${words}${index % 499 === 0 ? value : ""}\n`;
}).join("");
const redactor = createRedactor({ secrets: [new Secret(value, { name: "TOKEN" })], rules: "none" });
const masked = lines.replaceAll(value, "[REDACTED:TOKEN]");

/** Chunks of many sizes, which end anywhere: also within a value. */
function chunksOf(bytes: Buffer, largest: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const size = 1 + below(largest);
    chunks.push(bytes.subarray(from, from + size));
    from += size;
  }
  return chunks;
}

async function written(chunks: readonly Buffer[]): Promise<Buffer[]> {
  const writes: Buffer[] = [];
  const stream = redactor.stream({ hold: "strict" });
  stream.on("data", (chunk: Buffer) => writes.push(chunk));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, "end");
  expect(Buffer.concat(writes).toString()).toBe(masked);
  return writes;
}

it("are not copied, but for the lines that two parts share", async () => {
  const bytes = Buffer.from(lines);
  const writes = await written(chunksOf(bytes, 60_000));
  const copied = writes.filter(({ buffer }) => buffer !== bytes.buffer);
  expect(copied.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(bytes.length / 10);
});

it("are written with their masks in whole lines", async () => {
  const bytes = Buffer.from(lines);
  const end = bytes.indexOf("\n", bytes.length / 2) + 1;
  const writes = await written([bytes.subarray(0, end), bytes.subarray(end)]);
  expect(writes.length).toBeGreaterThan(9);
  const withMask = writes.map(String).filter((write) => write.includes("[REDACTED:TOKEN]"));
  expect(withMask).toHaveLength(9);
  for (const write of withMask) expect(write).toMatch(/^\d+ [a-j ]*\[REDACTED:TOKEN\]$/m);
});

it("are looked at as text is, when nothing is to be written", () => {
  const findings: Finding[] = [];
  const finder = redactor.finder({ onFinding: (finding) => findings.push(finding) });
  const memory = Buffer.alloc(60_000);
  for (const chunk of chunksOf(Buffer.from(lines), memory.length)) {
    // The same memory again and again.
    chunk.copy(memory);
    finder.push(memory.subarray(0, chunk.length));
    expect(finder.pending).toBeLessThan(value.length * 3);
  }
  finder.end();
  expect(findings).toHaveLength(9);
  expect(findings).toEqual(redactor.find(lines));
});
