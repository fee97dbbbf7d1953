import { readFileSync, writeFileSync } from "node:fs";
import { PassThrough, type Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, it, vi } from "vitest";
import { Secret } from "nopeek";
import { createRedactor } from "nopeek/redact";
import { type PrintedForm, printedForms } from "../support/printed-forms.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../support/values.ts";

const values = { token: randomToken(), password: awkwardPassword(), pem: privateKeyPem() };
const secrets = Object.entries(values).map(([name, value]) => new Secret(value, { name }));
const redactor = createRedactor({ secrets });

const before = "loss=0.41 |";
const after = "| step 7\n";

/** Writes the pieces as they are, with a pause of 300 ms between them where asked. */
async function through(
  stream: Transform,
  pieces: readonly Uint8Array[],
  pauseMs = 0,
): Promise<string> {
  const output = buffer(stream);
  for (const [index, piece] of pieces.entries()) {
    if (index > 0 && pauseMs > 0) await vi.advanceTimersByTimeAsync(pauseMs);
    stream.write(piece);
  }
  stream.end();
  return (await output).toString("utf8");
}

/** What stands between `before` and `after`, with masks taken out. */
function leaked(output: string): string {
  expect(output.startsWith(before)).toBe(true);
  expect(output.endsWith(after)).toBe(true);
  expect(output).toContain("[REDACTED:");
  return output.slice(before.length, -after.length).replaceAll(/\[REDACTED:\w+\]/g, "");
}

const pieceWays: Record<string, (bytes: Buffer) => Buffer[]> = {
  whole: (bytes) => [bytes],
  "byte by byte": (bytes) => Array.from(bytes, (byte) => Buffer.from([byte])),
};

/** Splits at every offset; long values at some, each offset of their first and last 200 bytes. */
function offsets(bytes: Buffer): number[] {
  const all = Array.from({ length: bytes.length - 1 }, (_, i) => i + 1);
  return all.filter((i) => i < 200 || i > bytes.length - 200 || i % 37 === 0);
}

const table: string[] = [];

describe.each(printedForms)("$title ($value)", (form: PrintedForm) => {
  const printed = form.print(values[form.value]);
  const bytes = Buffer.from(before + printed + after);

  it.each(Object.keys(pieceWays))("leaks nothing: %s", async (way) => {
    const output = await through(redactor.stream(), pieceWays[way]?.(bytes) ?? []);
    expect(leaked(output)).toBe("");
  });

  it("leaks nothing at any split", async () => {
    for (const offset of offsets(bytes)) {
      const pieces = [bytes.subarray(0, offset), bytes.subarray(offset)];
      expect(leaked(await through(redactor.stream(), pieces))).toBe("");
    }
  });

  it("shows at most four bytes, a quarter at most, when 300 ms pass between the halves", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      for (const offset of offsets(bytes)) {
        const pieces = [bytes.subarray(0, offset), bytes.subarray(offset)];
        const shown = leaked(await through(redactor.stream(), pieces, 300));
        expect(printed.startsWith(shown)).toBe(true);
        // Terminal codes and line breaks between the bytes of a value are no part of it.
        const ofValue = shown.replace(/\x1b(\[[\d;]*m?)?|\\?\n */g, "");
        expect(ofValue.length).toBeLessThanOrEqual(Math.min(4, printed.length / 4));
        const strict = await through(redactor.stream({ hold: "strict" }), pieces, 300);
        expect(leaked(strict)).toBe("");
      }
    } finally {
      vi.useRealTimers();
    }
    table.push(`| ${form.title} | 0 | 0 | 0 | at most 4 bytes shown |`);
  });

  it("is found whole in text", () => {
    expect(leaked(redactor.redact(before + printed + after))).toBe("");
  });

  it("control: is there without redaction", async () => {
    const output = await through(new PassThrough(), [bytes]);
    expect(output).toContain(printed);
  });
});

const readme = new URL("../../README.md", import.meta.url);
const tableOf = (rows: readonly string[]) =>
  ["| printed as | whole | byte by byte | every split | 300 ms pause between halves |", "|---|---|---|---|---|", ...rows].join("\n");

afterAll(() => {
  const text = readFileSync(readme, "utf8");
  const section = /(<!-- leak matrix -->\n)[\s\S]*?(\n<!-- \/leak matrix -->)/;
  const current = text.replace(section, (_, start, end) => start + tableOf(table) + end);
  if (process.env["UPDATE_README"] === "1") writeFileSync(readme, current);
  else expect(text, "run UPDATE_README=1 npx vitest run leak-matrix").toBe(current);
});
