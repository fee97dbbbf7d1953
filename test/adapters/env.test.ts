import { chmodSync } from "node:fs";
import { join } from "node:path";
import { createSecrets, SecretError } from "nopeek";
import { env } from "nopeek/adapters/env";
import { expect, it } from "vitest";
import { emptyFolder } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken();
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
