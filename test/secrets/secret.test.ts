import assert from "node:assert/strict";
import { format, inspect } from "node:util";
import { onSecret, Secret, SecretError } from "nopeek";
import { describe, expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const secret = new Secret(value, { name: "TOKEN" });
const codeOf = (run: () => unknown) => {
  try {
    run();
    return "nothing thrown";
  } catch (error) {
    return error instanceof SecretError ? error.code : error;
  }
};

describe("a secret refuses to be printed", () => {
  const ways: Record<string, () => unknown> = {
    "String()": () => String(secret),
    "a template literal": () => `${secret}`,
    "JSON.stringify": () => JSON.stringify({ secret }),
    "util.inspect": () => inspect(secret),
    "util.inspect of all there is": () =>
      inspect({ a: [secret] }, { showHidden: true, depth: null, getters: true }),
    "util.inspect without custom printing": () =>
      inspect(secret, { customInspect: false, showHidden: true }),
    "format %s %o %O %j": () => format("%s %o %O %j", secret, secret, secret, secret),
    "keys and values": () => JSON.stringify([Object.entries(secret), Reflect.ownKeys(secret)]),
    "a spread": () => JSON.stringify({ ...secret }),
    structuredClone: () => inspect(structuredClone(secret)),
    "an array joined": () => [secret].join(),
    "an error's message": () => new Error(String(secret)).stack,
    "Symbol.toStringTag": () => Object.prototype.toString.call(secret),
  };
  it.each(Object.keys(ways))("%s", (way) => {
    expect(String(ways[way]?.())).not.toContain(value);
  });

  it("gives the mask", () => {
    expect([`${secret}`, JSON.stringify(secret), inspect(secret)]).toEqual([
      "[REDACTED:TOKEN]",
      '"[REDACTED:TOKEN]"',
      "[REDACTED:TOKEN]",
    ]);
    expect(String(new Secret(value))).toBe("[REDACTED]");
  });

  it("throws where JavaScript would make a plain value of it", () => {
    const anything = secret as unknown as string;
    expect(codeOf(() => ["a"].reduce((text, part) => text + part, anything))).toBe(
      "SECRET_NOT_PRINTABLE",
    );
    expect(codeOf(() => anything < "x")).toBe("SECRET_NOT_PRINTABLE");
    // biome-ignore lint/suspicious/noDoubleEquals: what is tested is just this comparison
    expect(codeOf(() => anything == "x")).toBe("SECRET_NOT_PRINTABLE");
    expect(codeOf(() => Number(anything))).toBe("SECRET_NOT_PRINTABLE");
  });

  it("control: reveal is the one way out", () => {
    expect(secret.reveal()).toBe(value);
  });
});

it("is equal to a secret of the same value and to no other", () => {
  assert.deepStrictEqual(new Secret(value), secret);
  assert.notDeepStrictEqual(new Secret(`${value}x`), secret);
  expect(secret.fingerprint).toMatch(/^process:[0-9a-f]{32}$/);
});

it("holds bytes, and text only as UTF-8", () => {
  const bytes = Uint8Array.from([0, 0xff, 0xfe, 1]);
  const binary = new Secret(bytes);
  bytes[0] = 9;
  expect([...binary.revealBytes()]).toEqual([0, 0xff, 0xfe, 1]);
  expect(codeOf(() => binary.reveal())).toBe("SECRET_NOT_TEXT");
  expect(new Secret(Buffer.from("\ufeffpässwörd €")).reveal()).toBe("\ufeffpässwörd €");
});

it("refuses what is no value or no name", () => {
  expect(codeOf(() => new Secret(""))).toBe("SECRET_EMPTY");
  expect(codeOf(() => new Secret(7 as unknown as string))).toBe("SECRET_NOT_TEXT");
  expect(codeOf(() => new Secret("x", { name: "a]b" }))).toBe("DECLARATION_INVALID");
});

it("forgets its value when it is disposed", () => {
  const short = new Secret(randomToken());
  short[Symbol.dispose]();
  expect(codeOf(() => short.reveal())).toBe("SECRET_DISPOSED");
  expect(String(short)).toBe("[REDACTED]");
});

it("tells listeners of what exists and of what comes", () => {
  const before = new Secret(randomToken());
  const gone = new Secret(randomToken());
  gone[Symbol.dispose]();
  const seen: Secret[] = [];
  const watch = onSecret((each) => void seen.push(each));
  expect(seen).toContain(before);
  expect(seen).not.toContain(gone);
  const next = new Secret(randomToken());
  expect(seen.at(-1)).toBe(next);
  watch[Symbol.dispose]();
  new Secret(randomToken());
  expect(seen.at(-1)).toBe(next);
});
