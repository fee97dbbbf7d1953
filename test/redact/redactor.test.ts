import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Secret } from "nopeek";
import { createRedactor, type Finding } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const secret = new Secret(value, { name: "TOKEN" });

describe("text", () => {
  const redactor = createRedactor({ secrets: [secret] });

  it("comes back as the same string when it is clean", () => {
    const text = `nothing here: ${"€".repeat(10)}`;
    expect(redactor.redact(text)).toBe(text);
    expect(redactor.find(text)).toEqual([]);
    redactor.assertClean(text);
    expect(redactor.find(`x${value}`)).toMatchObject([{ name: "TOKEN", form: "raw", offset: 1 }]);
    expect(() => redactor.assertClean(`x${value}`)).toThrow("the text holds TOKEN (raw)");
  });

  it("keeps every other character, whatever it is", () => {
    const around = "é€😀\ud800x\udc00\0\uffff";
    expect(redactor.redact(around + value + around)).toBe(`${around}[REDACTED:TOKEN]${around}`);
  });

  it("masks overlapping values once and neighbours twice", () => {
    const two = createRedactor({
      secrets: [
        new Secret("abcdefgh12345678", { name: "A" }),
        new Secret("12345678ijklmnop99", { name: "B" }),
      ],
    });
    expect(two.redact("x abcdefgh12345678ijklmnop99 y")).toBe("x [REDACTED:B] y");
    expect(redactor.redact(value + value)).toBe("[REDACTED:TOKEN][REDACTED:TOKEN]");
  });

  it("takes values literally", () => {
    const odd = ["a+b*c(d)[e]{f}", "$&$1$`$'$$x$<y>", "__proto__constructor", "\\d+\\w+.*^$|?!!"];
    const literal = createRedactor({ secrets: odd.map((text) => new Secret(text)) });
    for (const text of odd) expect(literal.redact(`<${text}>`)).toBe("<[REDACTED]>");
  });

  it("does not look at its own masks", () => {
    const tricky = createRedactor({ secrets: [secret, new Secret("[REDACTED:TOKEN]xx")] });
    expect(tricky.redact(`${value}xx`)).toBe("[REDACTED:TOKEN]xx");
  });
});

it("tells what it found, and no value", () => {
  const findings: Finding[] = [];
  const redactor = createRedactor({
    secrets: [secret],
    onFinding: (finding) => void findings.push(finding),
  });
  redactor.redact(`a ${value} ${Buffer.from(value).toString("hex")}`);
  const common = {
    name: "TOKEN",
    rule: undefined,
    strength: "strong",
    confidence: "exact",
    isMasked: true,
    fingerprint: secret.fingerprint,
  };
  expect(findings).toEqual([
    { ...common, form: "raw", offset: 2 },
    { ...common, form: "hex", offset: 3 + value.length },
  ]);
});

it("tells of a form as soon as it is read, once, before its mask is decided", () => {
  const sights: string[] = [];
  const masks: string[] = [];
  // The value may still become the longer one.
  const longer = new Secret(`${value}-and-more`, { name: "LONGER" });
  const redactor = createRedactor({ secrets: [secret, longer] });
  const stream = redactor.stream({
    hold: "strict",
    onSight: ({ form, name }) => void sights.push(`${name} ${form}`),
    onFinding: ({ form }) => void masks.push(form),
  });
  for (const c of Buffer.from(value).subarray(0, -1)) stream.write(Buffer.from([c]));
  expect(sights).toEqual([]);
  stream.write(value.slice(-1));
  expect([sights, masks]).toEqual([["TOKEN raw"], []]);
  stream.write(`, ${value}, ${Buffer.from(value).toString("hex")}.`);
  expect([sights, masks]).toEqual([
    ["TOKEN raw", "TOKEN hex"],
    ["raw", "raw", "hex"],
  ]);
  stream.destroy();
});

it("follows every secret of the process when it is given none", () => {
  const early = new Secret(randomToken());
  using redactor = createRedactor();
  const late = new Secret(randomToken());
  expect(redactor.redact(`${early.reveal()} ${late.reveal()}`)).toBe("[REDACTED] [REDACTED]");
});

it("goes on masking a secret that was disposed", () => {
  const text = randomToken();
  const short = new Secret(text);
  const redactor = createRedactor({ secrets: [short] });
  short[Symbol.dispose]();
  expect(redactor.redact(text)).toBe("[REDACTED]");
});

describe("stream", () => {
  it("masks a secret that is added while its first half is held", async () => {
    const redactor = createRedactor({ secrets: [secret] });
    const stream = redactor.stream();
    const added = new Secret(`${value.slice(0, 10)}-and-another-end`, { name: "ADDED" });
    stream.write(`x ${value.slice(0, 10)}`);
    redactor.add(added);
    stream.end("-and-another-end y");
    expect(await new Response(stream as never).text()).toBe("x [REDACTED:ADDED] y");
  });

  it("releases at a pause what is no match, and holds what may be one", async () => {
    const stream = createRedactor({ secrets: [secret] }).stream();
    stream.setEncoding("utf8");
    stream.write(`50% ${value.slice(0, 3)}`);
    await sleep(60);
    expect(stream.read()).toBe(`50% ${value.slice(0, 3)}`);
    stream.write(`${value.slice(3, 20)}`);
    await sleep(60);
    expect(String(stream.read() ?? "")).toBe(value.slice(3, 4));
    stream.end(value.slice(20));
    await once(stream, "readable");
    expect(stream.read()).toBe("[REDACTED:TOKEN]");
  });

  it("prints a partial match at the end, once and in order", async () => {
    const stream = createRedactor({ secrets: [secret] }).stream();
    stream.end(`a ${value.slice(0, -1)}`);
    expect(await new Response(stream as never).text()).toBe(`a ${value.slice(0, -1)}`);
  });

  it("respects backpressure", async () => {
    const stream = createRedactor({ secrets: [secret] }).stream();
    let accepted = 0;
    while (stream.write(Buffer.alloc(65_536))) accepted++;
    expect(accepted).toBeLessThan(4);
  });

  it("is linear for text made of partial matches", () => {
    const nearly = new Secret(`${"a".repeat(60)}b`);
    const redactor = createRedactor({ secrets: [nearly] });
    const time = (size: number) => {
      const text = "a".repeat(size);
      const begun = performance.now();
      redactor.find(text);
      return performance.now() - begun;
    };
    time(1 << 20);
    expect(time(8 << 20) / time(1 << 20)).toBeLessThan(24);
  });

  it("is linear for base64 whose edges belong to each match", () => {
    const redactor = createRedactor({ secrets: [secret], rules: "none" });
    const line = `${Buffer.from(`u${value}x`).toString("base64")}\n`;
    const time = (size: number) => {
      const text = line.repeat(size / line.length);
      const begun = performance.now();
      const masked = redactor.redact(text);
      const ms = performance.now() - begun;
      // Of 32 characters those go too that hold some of its bits beside others.
      expect(masked.slice(0, 30)).toMatch(/^.{1,2}\[REDACTED:TOKEN\].{0,4}\n/);
      return ms;
    };
    time(1 << 17);
    expect(time(1 << 21) / time(1 << 18)).toBeLessThan(24);
  });

  it("lets no output turn redaction off", async () => {
    const stream = createRedactor({ secrets: [secret] }).stream();
    const attempts = [
      "\x1b]nopeek;off\x07",
      "::stop-commands::x\n",
      "👁 ",
      "\x1b[8m",
      "[REDACTED:TOKEN]\n",
    ];
    stream.end(attempts.map((text) => text + value).join(""));
    expect(await new Response(stream as never).text()).not.toContain(value);
  });
});
