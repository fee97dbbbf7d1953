import { Secret } from "nopeek";
import { createRedactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { fromTemplate } from "../support/templates.ts";

const chunkBytes = 64 * 1024;
const endless = {
  "a value that begins again before it ends": { value: "ab".repeat(8), unit: "ab" },
  "a value of one character": { value: "-".repeat(16), unit: "-" },
  "assignments that hold each other": {
    value: null,
    unit: `password=${fromTemplate("{a-z*4}{0-9*2}{A-Z*2}")}`,
  },
};

for (const [title, { value, unit }] of Object.entries(endless)) {
  const secrets = value === null ? [] : [new Secret(value, { name: "TOKEN" })];

  it(`writes one mask for ${title}, and holds little`, () => {
    const redactor = createRedactor({ secrets });
    const chunks = redactor.chunks();
    const chunk = Buffer.from(unit.repeat(Math.ceil(chunkBytes / unit.length)));
    const written: Uint8Array[] = [chunks.write(Buffer.from("begin "))];
    for (let i = 0; i < 40; i++) written.push(chunks.write(chunk));
    expect(chunks.pending).toBeLessThan(5000);
    redactor.add(new Secret(fromTemplate("{A-Za-z*24}")));
    written.push(chunks.write(Buffer.from(" end\n")), chunks.end());
    const text = Buffer.concat(written).toString();
    expect(text).toMatch(/^begin \S*\[REDACTED:\S+\] end\n$/);
    expect(text.length).toBeLessThan(100);
  });

  it(`writes the same for ${title}, however it is cut, and whole`, () => {
    const redactor = createRedactor({ secrets });
    for (const count of [100, 130_000, 131_072, 140_000, 400_001]) {
      const text = `begin ${unit.repeat(count).slice(0, count)}! end`;
      const bytes = Buffer.from(text);
      const whole = redactor.redact(text);
      expect(whole.length).toBeLessThan(200);
      expect(whole.endsWith("! end") || whole.endsWith("] end")).toBe(true);
      for (const size of [bytes.length, 65_536, 9973]) {
        const chunks = redactor.chunks();
        const written: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += size) {
          written.push(Buffer.from(chunks.write(bytes.subarray(at, at + size))));
        }
        written.push(chunks.end());
        expect(Buffer.concat(written).toString()).toBe(whole);
      }
    }
  });
}
