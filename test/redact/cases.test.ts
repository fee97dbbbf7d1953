import { spawn } from "node:child_process";
import { once } from "node:events";
import { Secret } from "nopeek";
import { createRedactor, type Redactor } from "nopeek/redact";
import { describe, expect, it, vi } from "vitest";
import { inPieces } from "../support/pieces.ts";
import { fromTemplate } from "../support/templates.ts";
import { privateKeyPem, randomToken } from "../support/values.ts";

/**
 * Ways in which redactors of streams leaked, each with what ours must write. Most are of published
 * tools: what they printed is in the title's place.
 */
interface Case {
  readonly title: string;
  readonly secrets: readonly string[];
  readonly input: string | Buffer;
  readonly output: string | Buffer;
}

const S = `hunter2-${randomToken("", 12)}`;
const R = "[REDACTED]";
const pem = privateKeyPem();
const [, bodyLine = ""] = pem.split("\n");
const pemLines = pem.trim().split("\n");
const account = JSON.stringify({ private_key: pem, private_key_id: randomToken("", 40), n: 12 });
const base64 = (text: string) => Buffer.from(text).toString("base64");
const long = randomToken("", 10_200);

const cases: readonly Case[] = [
  { title: "1 a value in a line", secrets: [S], input: `a ${S} b`, output: `a ${R} b` },
  {
    title: "2 a value that ends as it begins, at the end",
    secrets: ["abcdeXYZabc"],
    input: "k=abcdeXYZabc",
    output: `k=${R}`,
  },
  {
    title: "3 a value whose last byte begins another",
    secrets: ["tokenAAAA1", "1zzzzzzzz"],
    input: "k=tokenAAAA1",
    output: `k=${R}`,
  },
  {
    title: "4 a value that begins again in itself",
    secrets: ["aabaabaac"],
    input: "xaabaabaabaac",
    output: `xaab${R}`,
  },
  {
    title: "4 a false start before a value",
    secrets: ["abacXYZ9"],
    input: "zababacXYZ9",
    output: `zab${R}`,
  },
  {
    title: "6 the beginning of a value at the end",
    secrets: [S],
    input: `x ${S.slice(0, -1)}`,
    output: `x ${S.slice(0, -1)}`,
  },
  {
    title: "7 characters of several bytes",
    secrets: ["pässwörd-€uro"],
    input: "é pässwörd-€uro ü",
    output: `é ${R} ü`,
  },
  {
    title: "8 bytes that are no text",
    secrets: [S],
    input: Buffer.concat([Buffer.of(0xff, 0, 0xc3), Buffer.from(S), Buffer.of(0x80, 0, 0xff)]),
    output: Buffer.concat([Buffer.of(0xff, 0, 0xc3), Buffer.from(R), Buffer.of(0x80, 0, 0xff)]),
  },
  {
    title: "14 overlapping values",
    secrets: ["abcdefgh", "efghijkl"],
    input: "x abcdefghijkl y",
    output: `x ${R} y`,
  },
  {
    title: "15 a value that overlaps itself",
    secrets: ["abaabaaba"],
    input: "-abaabaabaaba-",
    output: `-${R}-`,
  },
  {
    title: "16 a value in another",
    secrets: ["dolor-sit", "ipsum-dolor-sit-amet"],
    input: "(ipsum-dolor-sit-amet)",
    output: `(${R})`,
  },
  {
    title: "16 a value in another, the other order",
    secrets: ["ipsum-dolor-sit-amet", "dolor-sit"],
    input: "(ipsum-dolor-sit-amet)",
    output: `(${R})`,
  },
  {
    title: "17 a value behind one that fails",
    secrets: ["foobarbazQUUX", "barbaz1x"],
    input: "foobarbaz1x",
    output: `foo${R}`,
  },
  {
    title: "18 a value that is the beginning of another",
    secrets: ["token-abc123", "token-abc123-extended"],
    input: "k=token-abc123-exten",
    output: `k=${R}-exten`,
  },
  { title: "19 neighbours", secrets: [S], input: `${S}${S}`, output: `${R}${R}` },
  {
    title: "20 text that would match with a mask in it",
    secrets: ["middle7x", "[REDACTED]tail"],
    input: "xmiddle7xtail",
    output: `x${R}tail`,
  },
  { title: "21 a value of 10 KB", secrets: [long], input: `a${long}b`, output: `a${R}b` },
  { title: "22 a key with CRLF", secrets: [pem], input: pem.replaceAll("\n", "\r\n"), output: R },
  {
    title: "22 a key with blanks for its line breaks",
    secrets: [pem],
    input: pem.trim().replaceAll("\n", " "),
    output: R,
  },
  {
    title: "22 a key with escaped line breaks",
    secrets: [pem],
    input: JSON.stringify(pem),
    output: `"${R}"`,
  },
  { title: "22 a key on one line", secrets: [pem], input: pem.replaceAll("\n", ""), output: R },
  {
    title: "23 one line of a key",
    secrets: [pem],
    input: `grep: ${bodyLine}`,
    output: `grep: ${R}`,
  },
  {
    title: "24 a prefix before every line",
    secrets: [pem],
    input: pemLines
      .slice(1, -1)
      .map((line) => `INFO ${line}\n`)
      .join(""),
    output: pemLines
      .slice(1, -1)
      .map(() => `INFO ${R}\n`)
      .join(""),
  },
  {
    title: "25 lines as util.inspect prints them",
    secrets: [pem],
    input: pemLines
      .slice(1, -1)
      .map((line) => `'${line}\\n' +\n  `)
      .join(""),
    output: pemLines
      .slice(1, -1)
      .map(() => `'${R}\\n' +\n  `)
      .join(""),
  },
  {
    title: "26 a line break that was left out",
    secrets: [`${S}\n`],
    input: `<${S}>`,
    output: `<${R}>`,
  },
  { title: "26 a line break that was added", secrets: [S], input: `${S}\n`, output: `${R}\n` },
  {
    title: "27 a document: braces stay",
    secrets: [account],
    input: '{"a":{"b":1},"n":12}',
    output: '{"a":{"b":1},"n":12}',
  },
  {
    title: "28 a terminal that breaks lines",
    secrets: [S],
    input: `x ${S.slice(0, 7)}\n   ${S.slice(7)} y`,
    output: `x ${R} y`,
  },
  {
    title: "28 a backslash before the break",
    secrets: [S],
    input: `x ${S.slice(0, 7)}\\\n${S.slice(7)} y`,
    output: `x ${R} y`,
  },
  {
    title: "29 a colour inside",
    secrets: [S],
    input: `${S.slice(0, 9)}\x1b[01;31m${S.slice(9)}`,
    output: R,
  },
  {
    title: "28 a value that ends with a backslash, broken, at the end",
    secrets: [`${S}\\`],
    input: `x ${S.slice(0, 9)}\r${S.slice(9)}\\`,
    output: `x ${R}`,
  },
  { title: "30 base64", secrets: [S], input: base64(S), output: R },
  {
    title: "30 base64 of a line",
    secrets: [S],
    input: base64(`${S}\n`),
    output: expectBase64(0, "\n"),
  },
  {
    title: "30 base64 behind one byte",
    secrets: [S],
    input: base64(`x${S}`),
    output: expectBase64(1, ""),
  },
  {
    title: "30 base64 behind two bytes",
    secrets: [S],
    input: base64(`xy${S}`),
    output: expectBase64(2, ""),
  },
  {
    title: "32 base64 in lines",
    secrets: [long],
    input: `${base64(long)
      .match(/.{1,76}/g)
      ?.join("\r\n")}\n`,
    output: `${R}\n`,
  },
  { title: "33 hex", secrets: [S], input: Buffer.from(S).toString("hex").toUpperCase(), output: R },
  {
    title: "33 hex with colons",
    secrets: [S],
    input: Buffer.from(S)
      .toString("hex")
      .replace(/..(?!$)/g, "$&:"),
    output: R,
  },
  {
    title: "33 a buffer in JSON",
    secrets: [S],
    input: JSON.stringify(Buffer.from(S)),
    output: `{"type":"Buffer","data":[${R}]}`,
  },
  {
    title: "33 bytes in JSON",
    secrets: [S],
    input: JSON.stringify(Uint8Array.from(Buffer.from(S))),
    output: `{${R}}`,
  },
  {
    title: "34 encoded twice",
    secrets: ["p@ss/w#rd-%1"],
    input: encodeURIComponent(encodeURIComponent("p@ss/w#rd-%1")),
    output: R,
  },
  {
    title: "35 JSON in JSON",
    secrets: ['a"b\\c-d€f/gh'],
    input: JSON.stringify(JSON.stringify('a"b\\c-d€f/gh')),
    output: `"\\"${R}\\""`,
  },
  {
    title: "36 a shell word",
    secrets: ["it's-a-pass"],
    input: "'it'\\''s-a-pass'",
    output: `'${R}'`,
  },
  {
    title: "37 special characters",
    secrets: ["a.*b(c)[d]$&$1"],
    input: "a.*b(c)[d]$&$1 axxb",
    output: `${R} axxb`,
  },
  {
    title: "37 names of JavaScript",
    secrets: ["__proto__", "constructor"],
    input: "__proto__ constructor",
    output: `${R} ${R}`,
  },
  {
    title: "38 a password in a URL",
    secrets: ["postgres://u:p%40ss%2Fw@h"],
    input: "the password is p@ss/w or p%40ss%2Fw",
    output: `the password is p@ss/w or ${R}`,
  },
  {
    title: "39 a value in quotes",
    secrets: [S],
    input: `"${S}" ' ${S} '`,
    output: `"${R}" ' ${R} '`,
  },
  { title: "40 UTF-16", secrets: [S], input: Buffer.from(S, "utf16le"), output: `${R}\0` },
  { title: "43 an attempt to unmask", secrets: [S], input: `👁 ${S} 👁`, output: `👁 ${R} 👁` },
  {
    title: "46 a token at the end",
    secrets: [],
    input: fromTemplate("x ghp_{A-Za-z0-9*36}"),
    output: "x [REDACTED:github-token]",
  },
];

/** The characters of base64 that hold no bit of S, around the mask. */
function expectBase64(before: number, after: string): string {
  const text = base64("x".repeat(before) + S + after);
  const first = Math.floor((before * 8) / 6);
  const end = Math.ceil(((before + S.length) * 8) / 6);
  return text.slice(0, first) + R + text.slice(end).replace(/^=+/, "");
}

const redactorOf = (secrets: readonly string[]) =>
  createRedactor({ secrets: secrets.map((value) => new Secret(value)) });

describe.each(cases)("$title", ({ secrets, input, output }) => {
  const redactor = redactorOf(secrets);
  const bytes = Buffer.from(input as string);
  const expected = Buffer.from(output as string).toString("latin1");
  const through = async (cuts: readonly number[] | "bytes") =>
    (await inPieces(redactor, bytes, cuts)).toString("latin1");

  it("whole", async () => expect(await through([])).toBe(expected));
  it("byte by byte", async () => expect(await through("bytes")).toBe(expected));
  it("at every split", async () => {
    const step = bytes.length > 1500 ? 131 : 1;
    for (let at = 1; at < bytes.length; at += step) expect(await through([at])).toBe(expected);
  });
  it("with a pause", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const step = Math.max(1, Math.floor(bytes.length / 40));
      for (let at = 1; at < bytes.length; at += step) {
        const written = await withPause(redactor, bytes, at);
        // At most four bytes come early; then the mask stands behind them.
        expect(written.length - expected.length).toBeLessThanOrEqual(4);
        for (const secret of secrets) {
          if (!expected.includes(secret)) expect(written).not.toContain(secret);
        }
      }
    } finally {
      vi.useRealTimers();
    }
  });
});

async function withPause(redactor: Redactor, bytes: Buffer, at: number): Promise<string> {
  const stream = redactor.stream();
  const parts: Buffer[] = [];
  stream.on("data", (part: Buffer) => void parts.push(part));
  stream.write(bytes.subarray(0, at));
  await vi.advanceTimersByTimeAsync(300);
  stream.end(bytes.subarray(at));
  await once(stream, "end");
  return Buffer.concat(parts).toString("latin1");
}

it("leaves out the edge of base64 that another value ends in", () => {
  const inner = randomToken("", 16);
  // 21 characters are the value's alone; of the next one, two bits.
  const base64 = Buffer.from(`${inner}xyz`).toString("base64").slice(0, 22);
  const outer = `k-${base64.slice(0, 21)}`;
  const text = `a k-${base64} b`;
  expect(redactorOf([outer]).redact(text)).toBe(`a ${R}${base64.slice(21)} b`);
  expect(redactorOf([inner, outer]).redact(text)).toBe(`a ${R} b`);
});

it("10 looks again at what is held when a value is added", async () => {
  const redactor = redactorOf([`${S}-one`]);
  const stream = redactor.stream();
  stream.write(`x ${S.slice(0, 9)}`);
  redactor.add(new Secret(S));
  stream.end(`${S.slice(9)} y`);
  expect(await new Response(stream as never).text()).toBe(`x ${R} y`);
});

it("11 writes nothing raw when it is destroyed in the middle of a value", async () => {
  const stream = redactorOf([S]).stream({ hold: "strict" });
  stream.write(`x ${S.slice(0, 12)}`);
  expect(String(stream.read())).toBe("x ");
  stream.destroy();
  await once(stream, "close");
  expect(stream.read()).toBeNull();
});

it("12 a tail that is cut after redaction holds no part of the value", () => {
  const redacted = redactorOf([S]).redact(`a ${S} b`);
  for (let length = 1; length <= redacted.length; length++) {
    expect(`a ${R} b`.endsWith(redacted.slice(-length))).toBe(true);
  }
});

describe("limits", () => {
  it("9: a value that is split over two streams is not seen", async () => {
    const redactor = redactorOf([S]);
    const [one, two] = [S.slice(0, 8), S.slice(8)];
    const outputs = await Promise.all(
      [one, two].map((part) => inPieces(redactor, Buffer.from(part), [])),
    );
    expect(outputs.join("")).toBe(S);
    // Control: in one stream it is.
    expect((await inPieces(redactor, Buffer.from(S), [8])).toString()).toBe(R);
  });

  it("13: a value that is split over two JSON records is not seen, but is in the decoded text", () => {
    const redactor = redactorOf([S]);
    const records = [S.slice(0, 8), S.slice(8)].map((t) => JSON.stringify({ t }));
    expect(redactor.redact(records.join("\n"))).toBe(records.join("\n"));
    const decoded = records.map((record) => (JSON.parse(record) as { t: string }).t).join("");
    expect(redactor.redact(decoded)).toBe(R);
  });

  it("53: what a process writes beside its streams is seen by a pipe around it only", async () => {
    const program = `require("node:fs").writeSync(1, process.env.V); process._rawDebug(process.env.V)`;
    const child = spawn(process.execPath, ["-e", program], { env: { V: S }, stdio: "pipe" });
    const redactor = redactorOf([S]);
    const raw = [child.stdout, child.stderr].map((stream) => {
      let text = "";
      stream.on("data", (part: Buffer) => {
        text += part;
      });
      return () => text;
    });
    const clean = [child.stdout, child.stderr].map((stream) =>
      new Response(stream.pipe(redactor.stream()) as never).text(),
    );
    expect((await Promise.all(clean)).join("").trim().replace("\n", "")).toBe(`${R}${R}`);
    expect(raw.map((text) => text().trim())).toEqual([S, S]);
  });

  it("57: a report of the process holds its environment", () => {
    process.env["NOPEEK_TEST_REPORT"] = S;
    try {
      const report = JSON.stringify(process.report?.getReport());
      expect(report).toContain(S);
      expect(redactorOf([S]).redact(report)).not.toContain(S);
    } finally {
      delete process.env["NOPEEK_TEST_REPORT"];
    }
  });
});
