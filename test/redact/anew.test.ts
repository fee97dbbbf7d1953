import { Secret } from "nopeek";
import { createRedactor } from "nopeek/redact";
import { expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const redactor = createRedactor({ secrets: [new Secret(value, { name: "TOKEN" })], rules: "none" });

function writeAll(texts: readonly string[]): readonly string[] {
  const chunks = redactor.chunks();
  return texts.map((text) => {
    const written = Buffer.from(chunks.write(Buffer.from(text)));
    return Buffer.concat([written, chunks.end()]).toString();
  });
}

it("begins anew behind an end, whatever was open there", () => {
  const open = ["x\x1b]0;title", "x\x1b", "x\x1b[31", "x\\", "x\n   ", value.slice(0, 9), "x\r"];
  for (const first of open) {
    for (const next of [`v=${value.slice(0, 10)}\n${value.slice(10)} z`, `P${value} z`]) {
      const [, second = ""] = writeAll([first, next]);
      expect(second).toBe(writeAll([next])[0]);
      expect(second).toContain("[REDACTED:TOKEN]");
    }
  }
});

it("leaves what follows the end of base64 as it is", () => {
  const encoded = Buffer.from(`x${value}`).toString("base64").replace(/=+$/, "");
  for (const cut of [encoded.length, encoded.length - 1, encoded.length - 2]) {
    for (const next of "wxyz0189+/=AQg") {
      const [, second] = writeAll([encoded.slice(0, cut), `${next} hello`]);
      expect(second).toBe(`${next} hello`);
    }
  }
});

it("finds a value in text that one line break cuts at any place", () => {
  for (const separator of ["\n", "\r", "\r\n", "\x1b[0m"]) {
    for (let at = 1; at < value.length; at++) {
      const text = value.slice(0, at) + separator + value.slice(at);
      expect(redactor.redact(text)).toBe("[REDACTED:TOKEN]");
    }
  }
  for (const end of ["\n", "\r", "\r\n"])
    expect(redactor.redact(`clean${end}`)).toBe(`clean${end}`);
});
