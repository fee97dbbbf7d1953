import { spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  watch,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecrets, parseReference, SecretError } from "nopeek";
import { env } from "nopeek/adapters/env";
import { expect, it, vi } from "vitest";
import { emptyFolder } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken();
const context = { signal: new AbortController().signal };
const quiet = { onWarning: () => undefined };
const read = async (reference: string, options: Parameters<typeof env>[0] = quiet) =>
  (await createSecrets({ providers: [env({ ...quiet, ...options })] }).find(reference))?.reveal();
const codeOf = (work: Promise<unknown>) =>
  work.then(String, (error: unknown) => (error instanceof SecretError ? error.code : error));

it("reads the environment; what is empty does not exist", async () => {
  const vars = { A: value, EMPTY: "" };
  expect(await read("env://A", { vars })).toBe(value);
  expect(await read("env://EMPTY", { vars })).toBeUndefined();
  expect(await read("env://NONE", { vars })).toBeUndefined();
  expect(await read("env://constructor", { vars })).toBeUndefined();
});

it("reads process.env at the time of the call", async () => {
  const secrets = createSecrets({ providers: [env()] });
  process.env["NOPEEK_TEST_LATE"] = value;
  expect((await secrets.get("env://NOPEEK_TEST_LATE")).reveal()).toBe(value);
  delete process.env["NOPEEK_TEST_LATE"];
});

it("prefers the environment to files and a later file to an earlier one", async () => {
  const folder = emptyFolder({ a: "X=from-a\nY=from-a\nZ=from-a\n", b: "X=from-b\nY=\n" });
  const options = { vars: { Z: value }, files: [join(folder, "a"), join(folder, "b")] };
  expect(await read("env://X", options)).toBe("from-b");
  expect(await read("env://Y", options)).toBe("from-a");
  expect(await read("env://Z", options)).toBe(value);
});

it("leaves values as they are written", async () => {
  const folder = emptyFolder({
    ".env": `\ufeffA=pa$$w0rd$HOME\${HOME}\nB='single # $X'\nexport C="a\\nb"\nD=x # comment\nE=\`back "tick"\`\nF="multi\nline"\n`,
  });
  const file = join(folder, ".env");
  const got = await Promise.all([..."ABCDEF"].map((key) => read(`dotenv://${file}#${key}`)));
  expect(got).toEqual([
    ["pa$$w0rd$HOME$", "{HOME}"].join(""),
    "single # $X",
    "a\nb",
    "x",
    'back "tick"',
    "multi\nline",
  ]);
});

it("tells apart what is missing, refused and malformed", async () => {
  const folder = emptyFolder({
    e: `A=${value}\n`,
    bin: Buffer.from([65, 61, 0, 10]),
    latin1: Buffer.from("A=\xe4\n", "latin1"),
  });
  expect(await codeOf(read(`dotenv://${folder}/e#B`))).toBe("undefined");
  expect(await codeOf(read(`dotenv://${folder}/e`))).toBe("REFERENCE_INVALID");
  expect(await codeOf(read("env://A?x=y"))).toBe("REFERENCE_INVALID");
  expect(await codeOf(read(`dotenv://${folder}/none#A`))).toBe("FILE_NOT_FOUND");
  expect(await codeOf(read(`dotenv://${folder}#A`))).toBe("SECRET_MALFORMED");
  expect(await codeOf(read(`dotenv://${folder}/bin#A`))).toBe("SECRET_MALFORMED");
  expect(await codeOf(read(`dotenv://${folder}/latin1#A`))).toBe("SECRET_MALFORMED");
});

it("reads a relative file from where it was declared", async () => {
  const folder = emptyFolder({ ".env": `A=${value}\n` });
  const secrets = createSecrets({ providers: [env(quiet)] });
  const declared = new Map([["A", { from: "dotenv://.env#A", base: folder }]]);
  const [resolution] = await secrets.resolve(declared);
  expect(resolution?.secret?.reveal()).toBe(value);
});

it("warns once of a file that everybody can read", async () => {
  const folder = emptyFolder({ ".env": `A=${value}\nB=${value}\n` });
  const file = join(folder, ".env");
  const warnings: string[] = [];
  const provider = () =>
    env({ files: [file], onWarning: (message) => void warnings.push(message) });
  const secrets = createSecrets({ providers: [provider()] });
  await Promise.all([secrets.get("env://A"), secrets.get("env://B")]);
  expect(warnings).toEqual([]);
  chmodSync(file, 0o644);
  const open = createSecrets({ providers: [provider()] });
  await Promise.all([open.get("env://A"), open.get("env://B")]);
  expect(warnings).toEqual([
    `${file} can be read by every user of this machine; run: chmod 600 ${file}`,
  ]);
});

/** Base64 as base64(1) prints it, in lines of so many characters. */
const wrapped = (bytes: number, width = 76) =>
  [
    ...randomBytes(bytes)
      .toString("base64")
      .matchAll(new RegExp(`.{1,${width}}`, "g")),
  ].join("\n");
const messageOf = (work: Promise<unknown>) =>
  work.then(String, (error: unknown) => (error as Error).message);
const list = async (text: string, warnings: string[] = []) => {
  const file = join(emptyFolder({ e: text }), "e");
  const provider = env({ onWarning: (message) => void warnings.push(message) });
  const message = await messageOf(provider.readFile(file).then((values) => [...values.keys()]));
  return message.replaceAll(file, "e");
};

it("refuses a value with line breaks in no quotes, and shows none of its lines", async () => {
  // With one = and two, and with none; of two lines and of many; in other widths.
  for (const text of [58, 59, 60, 61, 100, 700, 701].flatMap((bytes) =>
    [76, 64, 48].map((width) => wrapped(bytes, width)),
  )) {
    const refused =
      "e: the value of KEY goes on after its first line; put all of it in double quotes";
    expect(await list(`A=1\nexport KEY=${text}\nB=2\n`)).toBe(refused);
    expect(await list(`KEY=${text}`.replaceAll("\n", "\r\n"))).toBe(refused);
    // Control: in quotes it is one value.
    expect(await list(`A=1\nKEY="${text}"\nB=2\n`)).toBe("A,KEY,B");
  }
  expect(await list('KEY={\n  "private_key": "x"\n}\n')).toContain("e: the value of KEY goes on");
  const word = randomToken("", 44);
  expect(await list(`# none above\n${word}==\n`)).toBe(
    "e: line 2: a value goes on after its first line; put all of it in double quotes",
  );
  const provider = env({
    files: [join(emptyFolder({ e: `KEY=${wrapped(90)}\n` }), "e")],
    ...quiet,
  });
  const secrets = createSecrets({ providers: [provider] });
  expect(await codeOf(secrets.get("env://KEY"))).toBe("SECRET_MALFORMED");
});

it("takes no ordinary key for the end of a value", async () => {
  const hex = randomBytes(32).toString("hex");
  const key = randomBytes(30).toString("base64");
  for (const [text, keys] of [
    [`SHA=${hex}\nDBG=\nDEBUGXY=\n`, "SHA,DBG,DEBUGXY"],
    [`AWS_SECRET_ACCESS_KEY=${key}\nDBG=\nHOSTURL=\n`, "AWS_SECRET_ACCESS_KEY,DBG,HOSTURL"],
    [`set -a\nA=1\nexport A\nB = 2 # two\n\nC: 3\nset +a\n`, "A,B,C"],
    [`A='x\ny'\n  B="q"\nE=\nF=\n  "next"\n# end\n`, "A,B,E,F"],
  ] as const) {
    const warnings: string[] = [];
    expect(await list(text, warnings)).toBe(keys);
    expect(warnings).toEqual([]);
  }
});

it("tells of lines that are left out, by their numbers", async () => {
  const warnings: string[] = [];
  expect(await list(`A=1\nset F_TOKEN=${value}\n\nA B=${value}\n=${value}\n`, warnings)).toBe("A");
  expect(warnings.join().replace(/\/\S*\/e\b/, "e")).toBe(
    "e: lines 2, 4, 5 are left out, being no NAME=value",
  );
});

it("shows no name that can be none of a variable", async () => {
  for (const name of [`9${value}`, `${randomToken("", 60)}_${randomToken("", 80)}`]) {
    const message = await list(`A=1\n${name}=x\n`);
    expect(message).toMatch(/^e: the name in line 2 cannot be an environment variable/);
    // The other keys can be read.
    const file = join(emptyFolder({ e: `A=${value}\n${name}=x\n` }), "e");
    expect(await read(`dotenv://${file}#A`)).toBe(value);
  }
});

it("reads of a device without an end no more than its limit, and a pipe to its end", async () => {
  expect(await messageOf(read("dotenv:///dev/zero#A"))).toContain("is larger than 1 MiB");
  const folder = emptyFolder({
    big: `A=${"x".repeat(1 << 20)}`,
    most: `A=${"x".repeat((1 << 20) - 2)}`,
  });
  expect(await codeOf(read(`dotenv://${folder}/big#A`))).toBe("SECRET_MALFORMED");
  expect(await read(`dotenv://${folder}/most#A`)).toHaveLength((1 << 20) - 2);
  const pipe = join(folder, "pipe");
  spawnSync("mkfifo", [pipe]);
  const text = `A=${"y".repeat(200_000)}\nB=${value}\n`;
  const [found] = await Promise.all([read(`dotenv://${pipe}#B`), writeFile(pipe, text)]);
  expect(found).toBe(value);
});

it("removes copies that a killed writer left when it writes the file again", async () => {
  const copy = () => `.nopeek-${randomUUID()}.tmp`;
  const [dead, live, linked, folder] = [copy(), copy(), copy(), copy()];
  const other = ".nopeek-notes.tmp";
  const cwd = emptyFolder({ e: `A=${value}\n`, [dead]: value, [live]: value, [other]: "mine" });
  symlinkSync("e", join(cwd, linked));
  mkdirSync(join(cwd, folder));
  const old = new Date(Date.now() - 120_000);
  for (const name of [dead, linked, folder, other]) lutimesSync(join(cwd, name), old, old);
  const next = randomToken();
  const reference = parseReference(`dotenv://${cwd}/e#A`);
  await env(quiet).write?.(reference, { mode: "replace", value: next }, context);
  expect(readdirSync(cwd).sort()).toEqual(["e", live, linked, folder, other].sort());
  expect(await read(`dotenv://${cwd}/e#A`)).toBe(next);
});

it("knows the name of a copy that a killed writer leaves", async () => {
  const cwd = emptyFolder({ e: `A=${value}\n` });
  // The next name that appears beside the file is that of the copy.
  const names = new Set<string>();
  const watcher = watch(cwd, (_, name) => void names.add(name ?? ""));
  const write = () =>
    env(quiet).write?.(
      parseReference(`dotenv://${cwd}/e#A`),
      { mode: "replace", value: randomToken() },
      context,
    );
  await write();
  await vi.waitFor(() => expect([...names].some((name) => name.endsWith(".tmp"))).toBe(true));
  watcher.close();
  const [name = ""] = [...names].filter((each) => each.endsWith(".tmp"));
  writeFileSync(join(cwd, name), value);
  utimesSync(join(cwd, name), 1, 1);
  await write();
  expect(readdirSync(cwd)).toEqual(["e"]);
});
