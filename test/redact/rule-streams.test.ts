import { setTimeout as sleep } from "node:timers/promises";
import { Secret } from "nopeek";
import { createRedactor, type Finding } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { inPieces } from "../support/pieces.ts";
import { fromTemplate } from "../support/templates.ts";
import { privateKeyPem, randomToken } from "../support/values.ts";

const redactor = createRedactor({ secrets: [] });
const through = async (text: string, cuts: readonly number[] | "bytes") =>
  (await inPieces(redactor, Buffer.from(text), cuts)).toString();

const header = Buffer.from('{"alg":"HS256"}').toString("base64url");
const jwt = (bytes: number) => fromTemplate(`${header}.eyJ{A-Za-z0-9_*${bytes}}.{A-Za-z0-9_*43}`);

const formats: Record<string, [text: string, expected: string]> = {
  "a token at the end": [fromTemplate("x ghp_{A-Za-z0-9*36}"), "x [REDACTED:github-token]"],
  "a token in a line": [fromTemplate("k=as-{A-Za-z0-9*22}\n"), "k=[REDACTED:modal-token]\n"],
  "two tokens": [
    fromTemplate("ghp_{A-Za-z0-9*36} hf_{A-Za-z*34},"),
    "[REDACTED:github-token] [REDACTED:huggingface-token],",
  ],
  "a private key": [`a ${privateKeyPem()}b`, "a [REDACTED:private-key]\nb"],
  "a private key without an end": [
    `-----BEGIN PRIVATE KEY-----\n${randomToken("", 300)}\n(next)`,
    "[REDACTED:private-key](next)",
  ],
  "a key that is cut off": [
    `-----BEGIN PRIVATE KEY-----\n${randomToken("", 300)}`,
    "[REDACTED:private-key]",
  ],
  "a large private key": [
    `-----BEGIN PRIVATE KEY-----\n${randomToken("", 6000)}\n-----END PRIVATE KEY----- a`,
    "[REDACTED:private-key] a",
  ],
  "a JWT of 6 KB": [`t=${jwt(6000)} b`, "t=[REDACTED:jwt] b"],
  "a JWT of 6 KB at the end": [`t=${jwt(6000)}`, "t=[REDACTED:jwt]"],
  "a URL": ["postgres://u:pw-of-u-1@h/x\n", "postgres://u:[REDACTED:url-password]@h/x\n"],
  "an assignment": [
    fromTemplate('api_key = "{A-Z*8}{a-z*8}{0-9*8}"\n'),
    'api_key = "[REDACTED:key-assignment]"\n',
  ],
  "text that begins like formats": [
    "sk- ghp_ eyJ -----BEGIN :// tokens ghp_a",
    "sk- ghp_ eyJ -----BEGIN :// tokens ghp_a",
  ],
};

describe.each(Object.entries(formats))("%s", (_, [text, expected]) => {
  it("is masked whole and byte by byte", async () => {
    expect(await through(text, [])).toBe(expected);
    expect(await through(text, "bytes")).toBe(expected);
    expect(redactor.redact(text)).toBe(expected);
  });

  it("is masked at any split", async () => {
    const step = text.length > 1000 ? 97 : 1;
    for (let at = 1; at < text.length; at += step) expect(await through(text, [at])).toBe(expected);
  });

  it("is masked in chunks of 17 bytes", async () => {
    const cuts = Array.from({ length: Math.ceil(text.length / 17) }, (_, i) => i * 17);
    expect(await through(text, cuts)).toBe(expected);
  });
});

it("masks without end only so far: output goes on behind a key without an end", async () => {
  const tail = "plain words\n".repeat(3000);
  const output = await through(`-----BEGIN PRIVATE KEY-----\n${tail}`, [5, 100, 9000]);
  expect(output.startsWith("[REDACTED:private-key]")).toBe(true);
  expect(output.length).toBeGreaterThan(tail.length - 17_000);
  expect(tail.endsWith(output.slice(-10_000))).toBe(true);
});

it("holds back no more than is undecided, and 4 KiB of that", async () => {
  const stream = redactor.stream({ hold: "strict" });
  const shown = () => String(stream.read() ?? "");
  stream.write("token: ");
  expect(shown()).toBe("token: ");
  stream.write('password = "');
  expect(shown()).toBe('password = "');
  stream.write('" loss=0.1 gh');
  expect(shown()).toBe('" loss=0.1 ');
  stream.write("ost\n");
  expect(shown()).toBe("ghost\n");
  stream.write(`${jwt(5000).slice(0, 4000)}`);
  expect(shown()).toBe("");
  stream.write(randomToken("", 200));
  expect(shown()).toBe("[REDACTED:jwt]");
  stream.destroy();
});

it("shows at a pause what is no secret", async () => {
  const stream = redactor.stream();
  stream.write("Serving on http://localhost:8080");
  await sleep(60);
  expect(String(stream.read() ?? "")).toBe("Serving on http://localhost:8080");
  const token = fromTemplate("hf_{A-Za-z*34}");
  stream.write(` ${token.slice(0, 20)}`);
  await sleep(60);
  expect(String(stream.read() ?? "")).toBe(` ${token.slice(0, 3)}`);
  stream.end(token.slice(20));
  await sleep(5);
  expect(String(stream.read() ?? "")).toBe("[REDACTED:huggingface-token]");
});

it("shows the mask of a value at a pause, whatever else the line may become", async () => {
  // No form of it begins with its last character: the pause would wait for one.
  const value = fromTemplate("q{A-Za-z*11}{0-9*11}0");
  const findings: Finding[] = [];
  const both = createRedactor({
    secrets: [new Secret(value, { name: "GH" })],
    onFinding: (finding) => void findings.push(finding),
  });
  const shownBy = (rest: string) => {
    const chunks = both.chunks();
    const shown = [chunks.write(Buffer.from(`password=${value}`)), chunks.pause(), chunks.pause()];
    const atPause = Buffer.concat(shown).toString();
    return [atPause, Buffer.concat([chunks.write(Buffer.from(rest)), chunks.end()]).toString()];
  };
  expect(shownBy("\n")).toEqual(["password=[REDACTED:GH]", "\n"]);
  expect(findings.map(({ name }) => name)).toEqual(["GH"]);
  // What the mask was only the begin of: the rest has a mask of its own.
  expect(shownBy("More9\n")).toEqual([
    "password=[REDACTED:GH]",
    "[REDACTED:password-assignment]\n",
  ]);
});

it("names a known value, not the format around it", async () => {
  const value = fromTemplate("ghp_{A-Za-z0-9*36}");
  const findings: Finding[] = [];
  const both = createRedactor({
    secrets: [new Secret(value, { name: "GH" })],
    onFinding: (finding) => void findings.push(finding),
  });
  expect(both.redact(`Authorization: Bearer ${value}`)).toBe("Authorization: Bearer [REDACTED:GH]");
  const other = fromTemplate("ghp_{A-Za-z0-9*36}");
  expect(both.redact(`x ${other}`)).toBe("x [REDACTED:github-token]");
  expect(findings.map(({ name, rule, confidence }) => [name, rule, confidence])).toEqual([
    ["GH", undefined, "exact"],
    [undefined, "github-token", "heuristic"],
  ]);
  expect(JSON.stringify(findings)).not.toContain(other);
});

it("looks for no format if told so", () => {
  const none = createRedactor({ secrets: [], rules: "none" });
  const text = fromTemplate("ghp_{A-Za-z0-9*36}");
  expect(none.redact(text)).toBe(text);
});

it("masks what is left of a credential whose mark stands inside it", async () => {
  const head = fromTemplate("{A-Za-z0-9*3}");
  const tail = fromTemplate("8Q~{A-Za-z0-9*34}");
  const masked = "[REDACTED:azure-client-secret]";
  expect(await through(`s ${head}${tail}\n`, [])).toBe(`s ${masked}\n`);
  expect(redactor.redact(`s ${head}${tail}`)).toBe(`s ${masked}`);
  // The limit that SECURITY.md names: what was written before the mark came.
  expect(await through(`s ${head}${tail}\n`, [2 + head.length])).toBe(`s ${head}${masked}\n`);
});
