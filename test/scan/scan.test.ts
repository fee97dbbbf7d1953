import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Secret } from "nopeek";
import { scan } from "nopeek/scan";
import { expect, it } from "vitest";
import { printedForms } from "../support/printed-forms.ts";
import { randomOf } from "../support/random.ts";
import { codeOfLater, countDescriptors, isSlow, scratch } from "../support/scratch.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../support/values.ts";

const noise = (lines: number) =>
  Array.from({ length: lines }, (_, line) => `step ${line} loss=0.${line} ok\n`).join("");

/** As many of these as there are: text, one gzip member, and several. */
const packings: Readonly<Record<string, (text: Buffer) => Buffer>> = {
  plain: (text) => text,
  gzip: (text) => gzipSync(text),
  members: (text) => {
    const cut = Math.floor(text.length / 2);
    return Buffer.concat([gzipSync(text.subarray(0, cut)), gzipSync(text.subarray(cut))]);
  },
};

it.each(Object.keys(packings))("finds every form at its line: %s", async (packing) => {
  const folder = scratch();
  const expected: string[] = [];
  const secrets: Secret[] = [];
  const values = { token: randomToken("hf_"), password: awkwardPassword(), pem: privateKeyPem() };
  for (const [name, value] of Object.entries(values)) secrets.push(new Secret(value, { name }));
  for (const [index, { value, print }] of printedForms.entries()) {
    const printed = Buffer.from(print(values[value]));
    const before = noise(index * 7);
    const text = Buffer.concat([
      Buffer.from(`${before}>> `),
      printed,
      Buffer.from(`\n${noise(3)}`),
    ]);
    const name = join(folder, `${String(index).padStart(3, "0")}.log`);
    writeFileSync(name, packings[packing]?.(text) ?? text);
    expected.push(`${name}:${index * 7 + 1}`);
  }
  expect(expected.length).toBeGreaterThan(30);
  const result = await scan([folder], { secrets, rules: "none" });
  const lines = new Set(result.findings.map(({ file, line }) => `${file}:${line}`));
  expect(expected.filter((place) => !lines.has(place))).toEqual([]);
  expect(result.skipped).toEqual([]);
  const text = JSON.stringify(result);
  for (const secret of secrets) expect(text).not.toContain(secret.reveal());
});

it("counts lines and columns over the edges of chunks, in text and in gzip", async () => {
  const folder = scratch();
  const token = randomToken();
  const secret = new Secret(token, { name: "TOKEN" });
  const chunk = 512 * 1024;
  const expected: string[] = [];
  let text = "";
  // Around every edge of the first chunks, so that some are cut by it.
  for (let edge = 1; edge <= (isSlow ? 12 : 4); edge++) {
    const at = edge * chunk - 20 + edge * 3;
    text += noise(Math.floor((at - text.length) / 25));
    const column = 1 + (edge % 3);
    text += `${"x".repeat(column - 1)}${token} after\n`;
    expected.push(`${text.split("\n").length - 1}:${column}`);
  }
  writeFileSync(join(folder, "a"), text);
  writeFileSync(join(folder, "b"), gzipSync(text));
  const { findings, bytes, files } = await scan([folder], { secrets: [secret], rules: "none" });
  expect(findings.map(({ line, column }) => `${line}:${column}`)).toEqual([
    ...expected,
    ...expected,
  ]);
  expect(findings.map(({ part }) => part)).toEqual([
    ...expected.map(() => "text"),
    ...expected.map(() => "gzip"),
  ]);
  expect([bytes, files]).toEqual([text.length * 2, 2]);
});

it("looks behind what is packed, and at what only begins like it", async () => {
  const folder = scratch();
  const token = randomToken();
  const secret = new Secret(token, { name: "TOKEN" });
  const packed = gzipSync(`first ${token}\n`);
  writeFileSync(join(folder, "behind.gz"), packed);
  appendFileSync(join(folder, "behind.gz"), `text behind\n${token}\n`);
  writeFileSync(
    join(folder, "begins.gz"),
    Buffer.concat([packed.subarray(0, 10), Buffer.from(`\n\n${token}`)]),
  );
  const long = gzipSync(Buffer.concat([Buffer.from(`${token}\n`), Buffer.from(noise(4000))]));
  writeFileSync(join(folder, "cut.gz"), long.subarray(0, long.length - 30));
  const { findings, skipped } = await scan([folder], { secrets: [secret], rules: "none" });
  const short = findings.map(
    ({ file, line, part }) => `${file.slice(folder.length + 1)} ${part} ${line}`,
  );
  expect(short).toEqual([
    "begins.gz rest 3",
    "behind.gz gzip 1",
    "behind.gz rest 2",
    "cut.gz gzip 1",
  ]);
  expect(skipped.map(({ file, why }) => `${file.slice(folder.length + 1)} ${why}`)).toEqual([
    "begins.gz cut",
    "cut.gz cut",
  ]);
});

it("finds what stands before the place where packed bytes are damaged", async () => {
  const folder = scratch();
  const token = randomToken();
  const { below, text } = randomOf(1);
  const lines = Array.from({ length: 200_000 }, () => `${text("0123456789", 17)}\n`);
  // In the first part that is unpacked, and in later ones.
  for (const line of [10, 50_000, 100_000]) lines[line] = `${token}\n`;
  const packed = gzipSync(lines.join(""));
  const at = Math.floor(packed.length * 0.7);
  for (let i = at; i < at + 4096; i++) packed[i] = below(256);
  writeFileSync(join(folder, "damaged.gz"), packed);
  const secrets = [new Secret(token, { name: "TOKEN" })];
  const before = countDescriptors();
  const { findings, skipped } = await scan([folder], { secrets, rules: "none" });
  expect(findings.map(({ line, part }) => `${part} ${line}`)).toEqual([
    "gzip 11",
    "gzip 50001",
    "gzip 100001",
  ]);
  expect(skipped).toEqual([{ file: join(folder, "damaged.gz"), why: "cut" }]);
  // Damage that unpacks as well.
  const shorter = gzipSync("nothing here\n");
  shorter.writeUInt32LE(1, shorter.length - 4);
  writeFileSync(join(folder, "damaged.gz"), shorter);
  expect((await scan([folder], { secrets })).skipped).toEqual(skipped);
  expect(countDescriptors()).toBe(before);
});

it("follows no link, waits for no pipe, and tells what it did not look at", async () => {
  const [outside, folder] = [scratch(), scratch()];
  const secret = new Secret(randomToken(), { name: "TOKEN" });
  writeFileSync(join(outside, "file"), secret.reveal());
  mkdirSync(join(folder, "sub"));
  writeFileSync(join(folder, "sub/plain"), secret.reveal());
  symlinkSync(outside, join(folder, "folder-link"));
  symlinkSync(join(outside, "file"), join(folder, "file-link"));
  symlinkSync(folder, join(folder, "sub/loop"));
  spawnSync("mkfifo", [join(folder, "pipe")]);
  writeFileSync(join(folder, "zipped"), Buffer.from([0x50, 0x4b, 3, 4, 0, 0]));
  const before = countDescriptors();
  const result = await scan([folder], { secrets: [secret], rules: "none" });
  expect(result.findings.map(({ file }) => file)).toEqual([join(folder, "sub/plain")]);
  const skipped = result.skipped.map(({ file, why }) => `${file.slice(folder.length + 1)} ${why}`);
  expect(skipped).toEqual([
    "file-link link",
    "folder-link link",
    "pipe special",
    "sub/loop link",
    "zipped packed",
  ]);
  expect(countDescriptors()).toBe(before);
  // What is named itself is meant, also through a link.
  const named = await scan([join(folder, "file-link")], { secrets: [secret], rules: "none" });
  expect(named.findings).toHaveLength(1);
  expect(await codeOfLater(() => scan([join(folder, "none")]))).toBe("FILE_NOT_FOUND");
});

it.runIf(process.getuid?.() !== 0)("tells of files that it may not read", async () => {
  const folder = scratch();
  writeFileSync(join(folder, "closed"), "x");
  chmodSync(join(folder, "closed"), 0);
  expect((await scan([folder])).skipped).toEqual([
    { file: join(folder, "closed"), why: "unreadable" },
  ]);
});

it("masks names of files, escapes what a terminal obeys, and reports a name as a place", async () => {
  const folder = scratch();
  const secret = new Secret(randomToken(), { name: "TOKEN" });
  const encoded = Buffer.from(secret.reveal()).toString("hex");
  writeFileSync(join(folder, `a\u001b[31m\u202e${secret.reveal()}.log`), "nothing");
  writeFileSync(join(folder, `b\n${encoded}`), secret.reveal());
  const { findings, filesWithFindings } = await scan([folder], {
    secrets: [secret],
    rules: "none",
  });
  expect(findings.map(({ part, line, form }) => [part, line, form])).toEqual([
    ["name", 0, "raw"],
    ["name", 0, "hex"],
    ["text", 1, "raw"],
  ]);
  expect(filesWithFindings).toBe(2);
  const names = findings.map(({ file }) => file).join("\n");
  expect(names).toContain("a\\u{1b}[31m\\u{202e}[REDACTED:TOKEN].log");
  expect(names).toContain("b\\u{a}[REDACTED:TOKEN]");
  for (const form of [secret.reveal(), encoded])
    expect(JSON.stringify(findings)).not.toContain(form);
});

it("keeps to its limits", async () => {
  const folder = scratch();
  const token = randomToken();
  const secrets = [new Secret(token, { name: "TOKEN" })];
  writeFileSync(join(folder, "many"), `${token}\n`.repeat(500));
  // A bomb: 64 MiB of nothing in 64 KiB, and a value behind the limit.
  writeFileSync(
    join(folder, "bomb.gz"),
    gzipSync(Buffer.concat([Buffer.alloc(64 << 20), Buffer.from(token)])),
  );
  const limits = { maxFindings: 10, maxFileBytes: 1 << 20 };
  const result = await scan([folder], { secrets, rules: "none", ...limits });
  expect([result.findings.length, result.total]).toEqual([10, 500]);
  expect(result.skipped).toEqual([{ file: join(folder, "bomb.gz"), why: "limit" }]);
  const whole = await scan([folder], { secrets, rules: "none" });
  expect([whole.total, whole.skipped]).toEqual([501, []]);
  const signal = AbortSignal.abort();
  expect(await codeOfLater(() => scan([folder], { secrets, signal }))).toBe("SECRET_ABORTED");
});

it("finds formats, and fingerprints them with the key that it is given", async () => {
  const folder = scratch();
  const token = ["gh", "p_", randomToken("", 36)].join("");
  writeFileSync(join(folder, "log"), `one\ntwo ${token}\n`);
  const fingerprint = (value: Uint8Array) => `audit:${Buffer.from(value).length}`;
  const { findings } = await scan([folder], { fingerprint });
  expect(findings).toMatchObject([{ line: 2, column: 5, fingerprint: `audit:${token.length}` }]);
  expect(findings[0]?.rule).toContain("github");
});

it("is not held up by members that hold nothing", async () => {
  const folder = scratch();
  const secrets = [new Secret(randomToken(), { name: "TOKEN" })];
  const [empty, last] = [gzipSync(""), gzipSync(`${secrets[0]?.reveal()}\n`)];
  const file = join(folder, "many.gz");
  const members = (count: number, member: Buffer) =>
    writeFileSync(file, Buffer.concat([...Array.from({ length: count }, () => member), last]));
  members(100_000, empty);
  const { findings, skipped } = await scan([file], { secrets, rules: "none" });
  expect([findings, skipped]).toEqual([[], [{ file, why: "limit" }]]);
  // Control: fewer are nothing to stop for, and those that hold something are not counted.
  for (const [count, member] of [
    [4000, empty],
    [5000, gzipSync("x\n")],
  ] as const) {
    members(count, member);
    const whole = await scan([file], { secrets, rules: "none" });
    expect([whole.total, whole.skipped]).toEqual([1, []]);
  }
  // Nothing comes out of them, but the signal is heard.
  members(3000, empty);
  const ending = new AbortController();
  setTimeout(() => ending.abort(), 50);
  const { signal } = ending;
  expect(await codeOfLater(() => scan([file], { secrets, signal }))).toBe("SECRET_ABORTED");
  // The same in one member, of empty blocks that are stored.
  const blocks = Buffer.alloc(5 * (1 << 23));
  for (let at = 3; at < blocks.length; at += 5) blocks.writeUInt16LE(0xffff, at);
  writeFileSync(file, Buffer.concat([empty.subarray(0, 10), blocks, empty.subarray(10)]));
  const late = new AbortController();
  setTimeout(() => late.abort(), 50);
  const began = performance.now();
  const work = () => scan([file], { secrets, rules: "none", signal: late.signal });
  expect(await codeOfLater(work)).toBe("SECRET_ABORTED");
  expect(performance.now() - began).toBeLessThan(5000);
}, 30_000);

it("tells of what is packed twice, and packed again behind something else", async () => {
  const folder = scratch();
  const token = randomToken();
  const [inner, text] = [gzipSync(`${token}\n`), gzipSync("text\n")];
  const zip = Buffer.from([0x50, 0x4b, 3, 4, 0, 0]);
  const contents: Readonly<Record<string, readonly Buffer[]>> = {
    "a-twice": [gzipSync(inner)],
    "b-second": [text, gzipSync(inner)],
    "c-zip": [gzipSync(zip)],
    "d-behind": [text, Buffer.from("garbage"), inner],
    "e-edge": [text, Buffer.alloc(512 * 1024 - 2), inner],
    "f-control": [text, inner, Buffer.from("garbage \x1f\x8b")],
  };
  for (const [name, parts] of Object.entries(contents)) {
    writeFileSync(join(folder, name), Buffer.concat(parts));
  }
  const secrets = [new Secret(token, { name: "TOKEN" })];
  const { skipped, findings } = await scan([folder], { secrets, rules: "none" });
  expect(skipped.map(({ file, why }) => `${file.slice(folder.length + 1)} ${why}`)).toEqual(
    ["a-twice", "b-second", "c-zip", "d-behind", "e-edge"].map((name) => `${name} packed`),
  );
  expect(findings.map(({ file }) => file)).toEqual([join(folder, "f-control")]);
});

it("refuses limits that would look at nothing, and reads no more files at once than it can", async () => {
  const folder = scratch();
  const token = randomToken();
  const secrets = [new Secret(token, { name: "TOKEN" })];
  writeFileSync(join(folder, "a"), token);
  for (const name of ["concurrency", "maxFileBytes", "maxFindings"] as const) {
    for (const wrong of [Number.NaN, -1, 0.5, "4"]) {
      const work = scan([folder], { secrets, [name]: wrong });
      await expect(work).rejects.toThrow(new RegExp(`^"${name}" takes a whole number from [01]$`));
    }
    for (const right of [1, 1e9, Number.POSITIVE_INFINITY]) {
      const limits = { maxFileBytes: 100, [name]: right };
      const { files } = await scan([folder], { secrets, rules: "none", ...limits });
      expect(files).toBe(1);
    }
  }
});

it("keeps what a filter or a listener throws for", async () => {
  const folder = scratch();
  const token = randomToken();
  const secrets = [new Secret(token, { name: "TOKEN" })];
  writeFileSync(join(folder, token), `${token}\n${token}\n`);
  const warned = new Promise<Error>((settle) => void process.once("warning", settle));
  const fail = () => {
    throw new Error(token);
  };
  for (const given of [{ filter: fail }, { onFinding: fail }]) {
    const { findings, total } = await scan([folder], { secrets, rules: "none", ...given });
    expect([findings.length, total]).toEqual([3, 3]);
  }
  expect((await warned).message).toBe(
    "nopeek: a filter or listener of findings threw an error, which was ignored",
  );
  // Control: a filter that answers is heard.
  const none = await scan([folder], { secrets, rules: "none", filter: () => false });
  expect([none.findings, none.total]).toEqual([[], 0]);
});
