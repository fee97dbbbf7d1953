import { spawnSync } from "node:child_process";
import { inspect } from "node:util";
import { Secret } from "nopeek";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { privateKeyPem, randomToken } from "../support/values.ts";

const characters = [..."abcXYZ0189 -_.~!'()*;/?:@&=+$,#%\"<>[]{}|\\^`", "ä", "é", "€", "日"];
const randomText = () =>
  Array.from({ length: 20 }, () => characters[Math.floor(Math.random() * characters.length)])
    .join("")
    .trim();

/** What real encoders make of a value; the value is cut out of what they print around it. */
const encoders: Record<string, (value: string) => string> = {
  encodeURIComponent,
  encodeURI,
  escape: (v) => escape(v),
  URLSearchParams: (v) => new URLSearchParams({ t: v }).toString().slice(2),
  "url.password": (v) => Object.assign(new URL("https://u@h"), { password: v }).password,
  "url.search": (v) =>
    Object.assign(new URL("https://h"), { search: `t=${v.replaceAll("#", "")}` }).search.slice(3),
  "base64 in a query": (v) => encodeURIComponent(Buffer.from(v).toString("base64")),
  JSON: (v) => JSON.stringify(v).slice(1, -1),
  "JSON, three levels": (v) => JSON.stringify(JSON.stringify(JSON.stringify(v))).slice(7, -7),
  inspect: (v) => inspect(v).slice(1, -1),
};

describe.each(Object.keys(encoders))("%s", (name) => {
  it("leaks nothing of 150 random values", () => {
    const encode = encoders[name] as (value: string) => string;
    const leaks = Array.from({ length: 150 }, randomText).filter((value) => {
      // url.search drops what follows "#", which is another value then.
      if (name === "url.search" && value.includes("#")) return false;
      const printed = `<${encode(value)}>`;
      return createRedactor({ secrets: [new Secret(value)] }).redact(printed) !== "<[REDACTED]>";
    });
    expect(leaks).toEqual([]);
  });
});

it("leaks nothing of what Python prints", ({ skip }) => {
  const program =
    "import sys,json\nfor v in json.load(sys.stdin):\n  from urllib.parse import quote,quote_plus\n  import shlex,html\n  print(json.dumps([repr(v),ascii(v),repr(v.encode()),quote(v),quote_plus(v),json.dumps(v),json.dumps(repr(v)),repr(json.dumps(v)),shlex.quote(v),html.escape(v)]))";
  const values = Array.from({ length: 100 }, randomText);
  const run = spawnSync("python3", ["-c", program], {
    input: JSON.stringify(values),
    encoding: "utf8",
  });
  if (run.status !== 0) skip("no Python here");
  const lines = run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as string[]);
  const leaks = values.flatMap((value, index) => {
    const redactor = createRedactor({ secrets: [new Secret(value)] });
    return (lines[index] ?? []).filter((printed) => {
      // Quotes around it, and the prefix of bytes, are not the value's.
      return !/^[b\\'"]*\[REDACTED\][\\'"]*$/.test(redactor.redact(printed));
    });
  });
  expect(leaks).toEqual([]);
});

const redacted = (value: string, printed: string) =>
  createRedactor({ secrets: [new Secret(value, { name: "S" })] }).redact(printed);

it("finds a value that was stripped before it was encoded", () => {
  const token = randomToken();
  expect(redacted(`${token}\n`, Buffer.from(token).toString("hex"))).toBe("[REDACTED:S]");
  expect(redacted(` ${token} `, Buffer.from(token).toString("base64"))).toBe("[REDACTED:S]");
  const pem = privateKeyPem();
  const account = JSON.stringify({ private_key: pem });
  for (const value of [pem, account]) {
    expect(redacted(value, Buffer.from(pem.trim()).toString("base64"))).toBe("[REDACTED:S]");
    expect(redacted(value, JSON.stringify(pem.trim()))).toBe('"[REDACTED:S]"');
  }
  const again = Buffer.from(JSON.stringify(JSON.parse(account), null, 1)).toString("base64");
  expect(redacted(account, again).length).toBeLessThan(60);
});

it("finds a value behind every kind of terminal sequence", () => {
  const token = randomToken();
  const half = token.length / 2;
  for (const gap of [
    "\x1b(B",
    "\x1b[m",
    "\x1b]8;;x\x07",
    "\x1bP1$q\x1b\\",
    "\x1b^x\x1b\\",
    "\x1bM",
    "\x1b#8",
  ]) {
    expect(redacted(token, token.slice(0, half) + gap + token.slice(half))).toBe("[REDACTED:S]");
  }
  expect(redacted("q7Zx92mKpe", "q7Zx9\x1b[31m2mKpe")).toBe("[REDACTED:S]");
});

it("finds a passphrase that is wrapped at a blank", () => {
  const value = "correct horse battery staple nine";
  expect(redacted(value, "pass is correct horse\nbattery staple nine")).toBe(
    "pass is [REDACTED:S]",
  );
});

it("finds the parts of connection strings", () => {
  expect(redacted("https://glpat-abcDEF123456@host/x", "glpat-abcDEF123456")).toBe("[REDACTED:S]");
  expect(redacted("Server=db;Password=s3cr3t-pw-9;Timeout=5", "s3cr3t-pw-9")).toBe("[REDACTED:S]");
});

it("forgets a partial match behind a gap that is too long, and its memory", async () => {
  const token = randomToken();
  const stream = createRedactor({ secrets: [new Secret(token)] }).stream();
  let most = 0;
  stream.on("data", () => undefined);
  stream.write(`x ${token.slice(0, 12)}`);
  for (let i = 0; i < 200; i++) {
    stream.write("\n".repeat(4096));
    most = Math.max(most, stream.readableLength);
  }
  stream.end();
  expect(most).toBeLessThan(1 << 17);
});
