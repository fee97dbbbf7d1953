import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createSecrets, defineSecrets, Secret } from "nopeek";
import { createRedactor } from "nopeek/redact";
import { memory } from "nopeek/testing";
import { describe, expect, it } from "vitest";
import { inPieces } from "../support/pieces.ts";
import { randomToken } from "../support/values.ts";

const redactorOf = (value: string | Uint8Array) =>
  createRedactor({ secrets: [new Secret(value, { name: "S" })], rules: "none" });

describe("a value that would mask every text", () => {
  it("is refused if it is empty", () => {
    expect(() => new Secret("", { name: "S" })).toThrow("S is empty");
  });

  it.each([" ", "   \n ", "a", "abc"])("is not masked, with a warning: %j", async (value) => {
    const warned = once(process, "warning");
    const text = ` a abc    \n ${value}`;
    expect(redactorOf(value).redact(text)).toBe(text);
    const [warning] = (await warned) as [Error];
    expect(warning.message).toContain("S is blank or has fewer than 4 bytes, so it is not masked");
  });

  it.each(["true", "test", "8080", "us-east-1"])("is masked if one insists: %s", (value) => {
    expect(redactorOf(value).redact(`<${value}>`)).toBe("<[REDACTED:S]>");
  });

  it.each(["true", "test", "abc", " "])("is refused where it is declared: %j", async (value) => {
    const from = createSecrets({ providers: [memory({ "env://A": value })] });
    const loading = from.load(defineSecrets({ A: "env://A" }));
    await expect(loading).rejects.toMatchObject({ code: "SECRET_WEAK" });
  });
});

describe("a large value", () => {
  it("of 64 KiB is masked in every chunking", async () => {
    const value = randomToken("", 65_536);
    const redactor = redactorOf(value);
    for (const cuts of [[], [1], [40_000], [65_000, 65_001]]) {
      const output = await inPieces(redactor, Buffer.from(`a ${value} b`), cuts);
      expect(output.toString()).toBe("a [REDACTED:S] b");
    }
    expect(redactor.redact(Buffer.from(value).toString("base64"))).toBe("[REDACTED:S]");
  });

  it("above 1 MiB is refused", () => {
    expect(() => new Secret("x".repeat(1_048_577), { name: "S" })).toThrow("at most 1048576");
  });
});

describe("a value of bytes", () => {
  it("is masked, with all 256 byte values", async () => {
    const value = Buffer.from([...Array(256).keys(), ...randomBytes(300)]);
    const redactor = redactorOf(value);
    const input = Buffer.concat([Buffer.of(0, 1, 2), value, Buffer.of(255)]);
    const expected = Buffer.concat([
      Buffer.of(0, 1, 2),
      Buffer.from("[REDACTED:S]"),
      Buffer.of(255),
    ]);
    for (const cuts of [[], [3], [100], "bytes"] as const) {
      expect((await inPieces(redactor, input, cuts)).equals(expected)).toBe(true);
    }
    expect(redactor.redact(value.toString("hex"))).toBe("[REDACTED:S]");
  });

  it("does not turn other bytes into a match", async () => {
    const value = Buffer.from([...Array(256).keys()]);
    const input = Buffer.concat([value.subarray(1), value.subarray(0, 255)]);
    expect((await inPieces(redactorOf(value), input, [])).equals(input)).toBe(true);
  });
});

describe("values that are added while a stream is under way", () => {
  it("are masked from then on, whatever their number and length", async () => {
    const redactor = createRedactor({ secrets: [], rules: "none" });
    const stream = redactor.stream();
    const values = Array.from({ length: 60 }, (_, i) => randomToken("", 4 + (i % 30)));
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => void parts.push(part));
    for (const value of values) {
      redactor.add(new Secret(value, { name: "S" }));
      stream.write(`<${value}>\n`);
    }
    for (const value of values) stream.write(`(${value})\n`);
    stream.end();
    await once(stream, "end");
    const expected = `${"<[REDACTED:S]>\n".repeat(60)}${"([REDACTED:S])\n".repeat(60)}`;
    expect(Buffer.concat(parts).toString()).toBe(expected);
  });

  it("keep the name under which they came first", () => {
    const value = randomToken();
    const redactor = createRedactor({ secrets: [new Secret(value, { name: "FIRST" })] });
    expect(redactor.redact(value)).toBe("[REDACTED:FIRST]");
    redactor.add(new Secret(value, { name: "SECOND" }));
    expect(redactor.redact(value)).toBe("[REDACTED:FIRST]");
  });
});
