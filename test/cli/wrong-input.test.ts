import { chmodSync } from "node:fs";
import { SecretError } from "nopeek";
import { launch } from "nopeek/launch";
import { describe, expect, it } from "vitest";
import { emptyFolder, job, nopeek } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

const secret = randomToken("hf_");

/** Each row: what is wrong, the arguments, files, exit code, and what the message says. */
const table: [string, string[], Record<string, string | Buffer>, number, string[]][] = [
  ["no command", ["run"], {}, 64, ["no command", "nopeek run -- python train.py"]],
  ["nothing after --", ["run", "--"], {}, 64, ["no command follows --"]],
  ["a command without --", ["run", "python", "train.py"], {}, 64, ["write the command after --"]],
  ["an unknown verb", ["runn"], {}, 64, ["unknown verb; use one of: run, check, "]],
  ["an unknown option", ["run", "--secrt", "X", ...job("")], {}, 64, ["--secrt is unknown"]],
  [
    "a command without --",
    ["run", "python", "-u", "train.py"],
    {},
    64,
    ["see --help, and write the command after --"],
  ],
  ["a value as an option", ["run", `-${secret}`, ...job("")], {}, 64, ["an option is unknown"]],
  [
    "an option twice",
    ["run", "--log", "a", "--log", "b", ...job("")],
    {},
    64,
    ["--log stands twice"],
  ],
  [
    "an option without its value",
    ["run", "--secret", "--", "true"],
    {},
    64,
    ["--secret needs a value"],
  ],
  [
    "a wrong duration",
    ["run", "--timeout", "soon", ...job("")],
    {},
    64,
    ["--timeout takes a duration"],
  ],
  [
    "an unknown scheme",
    ["run", "--secret", "A=vault://x", ...job("")],
    {},
    78,
    ["A: no provider for vault://", "env:// dotenv://"],
  ],
  [
    "a literal value",
    ["run", "--secret", `A=${secret}`, ...job("")],
    {},
    64,
    ["--secret A: a value on the command line", "NAME=env://NAME"],
  ],
  [
    "a name twice",
    ["run", "--secret", "A", "--secret", "A=env://B", ...job("")],
    {},
    64,
    ["--secret A stands twice"],
  ],
  [
    "a name that is no variable",
    ["run", "--secret", "1A-B", ...job("")],
    {},
    78,
    ['"1A-B" cannot be an environment variable'],
  ],
  [
    "one of nopeek's own names",
    ["run", "--secret", "NOPEEK_RUN_ID=env://A", ...job("")],
    {},
    78,
    ["NOPEEK_ are nopeek's own"],
  ],
  [
    "options after the field",
    ["run", "--secret", "A=env://B#f?x=y", ...job("")],
    {},
    78,
    ["options come before the field"],
  ],
  [
    "credentials in a reference",
    ["run", "--secret", "A=env://me:pw@host", ...job("")],
    {},
    78,
    ["user:password@"],
  ],
  [
    "missing secrets, all at once",
    ["run", "--secret", "A", "--secret", "B", ...job("")],
    {},
    78,
    ["2 secrets failed", "A: env://A does not exist", "B: env://B does not exist"],
  ],
  [
    "an empty key in a dotenv file",
    ["run", "--env-file", "e", ...job("")],
    { e: "A=\n" },
    78,
    ["A: env://A and dotenv://e#A do not exist or are empty"],
  ],
  [
    "a missing dotenv file",
    ["run", "--env-file", "no/such.env", ...job("")],
    {},
    78,
    ["no/such.env does not exist"],
  ],
  ["a folder as a dotenv file", ["run", "--env-file", ".", ...job("")], {}, 78, [". is a folder"]],
  [
    "a binary dotenv file",
    ["run", "--env-file", "e", ...job("")],
    { e: Buffer.from([0xff, 0xfe, 0x41, 0]) },
    78,
    ["e is not a UTF-8 text file"],
  ],
  [
    "a dotenv key that is no variable",
    ["run", "--env-file", "e", ...job("")],
    { e: `A.B=${secret}\n` },
    78,
    ['"A.B" cannot be'],
  ],
  [
    "a mask instead of a value",
    ["run", "--env-file", "e", ...job("")],
    { e: "A=[REDACTED:HF_TOKEN]\n" },
    78,
    ["A: A holds a mask"],
  ],
  [
    "a weak value",
    ["run", "--secret", "SHELL=env://SHELL", ...job("")],
    {},
    78,
    ["SHELL: the value is no secret to mask (path)"],
  ],
  [
    "a value in the command",
    ["run", "--secret", "OK", "--", "echo", `x${secret}`],
    {},
    77,
    ["argument 1 of the command holds the value of OK (raw)"],
  ],
  [
    "an encoded value in the command",
    ["run", "--secret", "OK", "--", "echo", Buffer.from(secret).toString("base64")],
    {},
    77,
    ["argument 1"],
  ],
  [
    "a value in --env",
    ["run", "--secret", "OK", "--env", `X=${secret}`, ...job("")],
    {},
    77,
    ["nopeek's own command line holds the value of OK (raw)"],
  ],
  [
    "a configuration that is no JSON",
    ["run", ...job("")],
    { "nopeek.config.json": `{ "${secret}` },
    78,
    ["is not valid JSON"],
  ],
  [
    "unknown keys in a configuration",
    ["run", ...job("")],
    { "nopeek.config.json": `{"secret":{},"launches":{"t":{"comand":["x"],"${secret}":1}}}` },
    78,
    ["the configuration: unknown secret", "launches.t: unknown comand, (a key)"],
  ],
  [
    "wrong types in a configuration",
    ["run", ...job("")],
    { "nopeek.config.json": `{"launches":{"t":{"command":"python train.py"}}}` },
    78,
    ["launches.t.command: expected array"],
  ],
  [
    "a configuration that throws",
    ["run", ...job("")],
    { "nopeek.config.ts": `throw new TypeError("${secret}")` },
    78,
    ["threw TypeError"],
  ],
  [
    "an unknown launch",
    ["run", "trian"],
    { "nopeek.config.json": `{"launches":{"train":{"command":["x"]}}}` },
    78,
    ["no such launch", "train"],
  ],
  ["a launch without a configuration", ["run", "train"], {}, 64, ["no nopeek.config.ts"]],
  [
    "an undeclared secret in a launch",
    ["run", "t"],
    { "nopeek.config.json": `{"launches":{"t":{"secrets":["X"],"command":["x"]}}}` },
    78,
    ["a launch names X, which is not declared"],
  ],
  [
    "a configuration that does not exist",
    ["run", "--config", "x.json", ...job("")],
    {},
    78,
    ["x.json does not exist"],
  ],
  [
    "another environment",
    ["run", "--environment", "training", ...job("")],
    { "nopeek.config.json": `{"secrets":{"A":{"from":"env://OK","environment":"production"}}}` },
    77,
    ["belongs to the environment production"],
  ],
  [
    "code where it must not run",
    ["redact"],
    { "nopeek.config.ts": "process.exit(99)" },
    78,
    ["does not execute"],
  ],
  [
    "a log in a missing folder",
    ["run", "--log", "no/log", ...job("")],
    {},
    64,
    ["--log no/log cannot be written"],
  ],
];

it.each(table)("%s", async (_, args, files, code, messages) => {
  const run = await nopeek(args, {
    cwd: emptyFolder(files),
    env: { OK: secret, SHELL: "/bin/sh" },
  });
  expect(run.code).toBe(code);
  for (const message of messages) expect(run.stderr).toContain(message);
  expect(run.stdout).toBe("");
  expect(run.stderr + run.stdout).not.toContain(secret);
  expect(run.stderr).not.toContain("    at ");
  expect(run.stderr.split("\n").every((line) => /^(nopeek: | {2}|$)/.test(line))).toBe(true);
});

it("a schema that the value does not match", async () => {
  const config = `import { z } from "${import.meta.resolve("zod")}"; export default { secrets: { A: { from: "env://OK", schema: z.string().startsWith("sk-") }, B: { from: "env://OK", schema: z.string().refine((v) => { throw new Error(v); }) } } }`;
  const run = await nopeek(["run", ...job("")], {
    cwd: emptyFolder({ "nopeek.config.ts": config }),
    env: { OK: secret },
  });
  expect(run.code).toBe(78);
  expect(run.stderr).toContain(
    "A: the value does not match its schema (invalid_format starts_with)",
  );
  expect(run.stderr).toContain(
    "B: the value does not match its schema (the schema threw an error)",
  );
  expect(run.stderr).not.toContain(secret);
});

it("an unreadable file", async ({ skip }) => {
  if (process.getuid?.() === 0) skip("root can read every file");
  const cwd = emptyFolder({ e: "A=b\n" });
  chmodSync(`${cwd}/e`, 0o000);
  const run = await nopeek(["run", "--env-file", "e", ...job("")], { cwd });
  expect(run).toMatchObject({
    code: 77,
    stderr: expect.stringContaining("e cannot be read by this user"),
  });
});

it("a file that others can read is a warning that names the remedy", async () => {
  const cwd = emptyFolder({ ".env": `A=${secret}\n` });
  chmodSync(`${cwd}/.env`, 0o644);
  const run = await nopeek(["run", ...job("")], { cwd });
  expect(run).toMatchObject({
    code: 0,
    stderr: "nopeek: .env can be read by every user of this machine; run: chmod 600 .env\n",
  });
});

it("says in one line that nothing is declared", async () => {
  const run = await nopeek(["run", ...job("console.log(1)")]);
  expect(run).toMatchObject({ code: 0, stdout: "1\n" });
  expect(run.stderr).toBe(
    "nopeek: no secrets are declared; use --secret NAME, --env-file FILE or a configuration (nopeek init)\n",
  );
});

describe("a string instead of a list", () => {
  it("is refused at run time and by the types", async () => {
    // @ts-expect-error a command is a list
    const wrong = launch({ command: "rm -rf x" });
    await expect(wrong).rejects.toMatchObject({ code: "COMMAND_INVALID" });
    await expect(wrong).rejects.toThrow(SecretError);
  });

  it("control: a list reaches the program literally", async () => {
    const run = await nopeek(["run", "--", "echo", "$(whoami)", "; rm -rf x", "`id`"]);
    expect(run.stdout).toBe("$(whoami) ; rm -rf x `id`\n");
  });
});
