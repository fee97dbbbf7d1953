/** The program's files in the sandbox: those that are meant, and none that hold credentials. */
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "nopeek";
import { describe, expect, it } from "vitest";
import { pathPattern } from "../../../../adapters/modal/runtime/globs.ts";
import { emptyFolder } from "../../../support/command.ts";
import { plant, scratch } from "../../../support/scratch.ts";
import { randomToken } from "../../../support/values.ts";
import { useModalServer } from "../harness.ts";
import { backends, run, runtime, shell } from "./support.ts";

const used = useModalServer();
const newest = () => used.server.sandboxes().at(-1)?.rootDir ?? "";
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

describe.each(backends)("%s", (_, extra) => {
  it("uploads the code before the command starts, and runs in it", async () => {
    const dir = emptyFolder({
      "main.sh": "cat data/words.txt; ./tool; printf '%s\\n' \"$HF_TOKEN\"; exit 6\n",
      tool: "#!/bin/sh\necho tool runs\n",
      "bytes.bin": Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    });
    plant(dir, ["data/words.txt", "pkg/deep/er/module.py"]);
    chmodSync(join(dir, "tool"), 0o755);
    const result = await run({
      on: runtime(extra),
      command: ["sh", "main.sh"],
      code: { dir },
      secrets: { HF_TOKEN: new Secret(randomToken()) },
    });
    expect(result).toMatchObject({
      exitCode: 6,
      out: "data/words.txttool runs\n[REDACTED:HF_TOKEN]\n",
      err: "",
      notices: [],
    });
    expect(filesIn(join(newest(), "work"))).toEqual(
      ["bytes.bin", "data/words.txt", "main.sh", "pkg/deep/er/module.py", "tool"].sort(),
    );
    expect(readFileSync(join(newest(), "work/bytes.bin"))).toEqual(
      readFileSync(join(dir, "bytes.bin")),
    );
  });

  it("starts nothing if the upload fails", async () => {
    used.server.fault("TaskExecStart", { status: "PERMISSION_DENIED" });
    const dir = plant(scratch(), ["main.sh"]);
    const before = used.server.sandboxes().length;
    const failed = run({ on: runtime(extra), command: shell("echo ran > ran"), code: { dir } });
    await expect(failed).rejects.toMatchObject({ code: "LAUNCH_FAILED" });
    expect(used.server.sandboxes()).toHaveLength(before + 1);
    const [left] = used.server.sandboxes().slice(-1);
    expect(left?.exitCode).toBe(137);
    expect(existsSync(join(newest(), "work/ran"))).toBe(false);
  });
});

it("takes what include and exclude say", async () => {
  const dir = plant(scratch(), [
    ..."train.py src/a.py src/deep/b.py src/deep/b.txt data/big.csv notes.md tests/t.py".split(" "),
  ]);
  const code = { dir, to: "/app/x", include: ["**/*.py", "notes.md"], exclude: ["tests/"] };
  await run({ on: runtime(), command: ["true"], code });
  expect(filesIn(join(newest(), "app/x"))).toEqual(
    ["notes.md", "src/a.py", "src/deep/b.py", "train.py"].sort(),
  );
});

it.each([
  ["*.py", "a.py", true],
  ["*.py", "x/a.py", true],
  ["/*.py", "x/a.py", false],
  ["/*.py", "a.py", true],
  ["src/*.py", "src/a.py", true],
  ["src/*.py", "src/x/a.py", false],
  ["src/**/*.py", "src/x/y/a.py", true],
  ["src/**/*.py", "src/a.py", true],
  ["data", "data/x", true],
  ["data/", "x/data/y", true],
  ["data", "database", false],
  ["**", "any/thing", true],
  ["a?c", "abc", true],
  ["a?c", "a/c", false],
  ["a+b(c)", "a+b(c)", true],
])("the glob %s takes %s: %s", (glob, path, taken) => {
  expect(pathPattern(glob).test(path)).toBe(taken);
});

it("uploads no file that is made to hold credentials, whatever include says, and names them", async () => {
  const kept = ["main.sh", "environment.py", "keys.py", "monkey.txt", ".gitignore", "env.sh"];
  const refused = [
    ..." .env .env.production prod.env conf/.envrc id_rsa conf/id_ed25519 server.pem tls/a.KEY"
      .trim()
      .split(" "),
    ..."store.p12 .netrc .npmrc .pypirc .modal.toml credentials.json service-account-prod.json".split(
      " ",
    ),
    ..."secrets.yaml .ssh/config .aws/credentials .kube/config".split(" "),
  ];
  const silent = [".git/config", "node_modules/x/i.js", "__pycache__/m.pyc", ".venv/bin/python"];
  const dir = plant(scratch(), [...kept, ...refused, ...silent]);
  const result = await run({
    on: runtime(),
    command: ["true"],
    code: { dir, include: ["**", ".env", "id_rsa", ".git/**"] },
  });
  expect(filesIn(join(newest(), "work"))).toEqual([...kept].sort());
  expect(result.notices).toHaveLength(1);
  expect(result.notices[0]).toMatch(
    /^not uploaded, for they may hold credentials: .*and \d+ more$/,
  );
  const sent = JSON.stringify(used.server.calls.filter(({ method }) => method === "TaskExecStart"));
  expect(sent).toContain("main.sh");
  for (const name of [...refused, ...silent]) expect(sent).not.toContain(`/work/${name}`);
});

it("follows no link out of the folder, and tells of links", async () => {
  const outside = emptyFolder({ passwd: "outside" });
  const dir = plant(scratch(), ["main.sh", "linked => main.sh"]);
  symlinkSync(join(outside, "passwd"), join(dir, "escape"));
  symlinkSync(outside, join(dir, "tree"));
  const result = await run({ on: runtime(), command: ["true"], code: { dir } });
  expect(filesIn(join(newest(), "work"))).toEqual(["main.sh"]);
  expect(result.notices).toEqual([
    expect.stringMatching(
      /^not uploaded, for they are no files: (?=.*escape)(?=.*linked)(?=.*tree)/,
    ),
  ]);
});

it("refuses a file that holds a known value, in any form, and says where", async () => {
  const token = randomToken("hf_");
  const secret = new Secret(token, { name: "HF_TOKEN" });
  const forms = [token, Buffer.from(`x${token}`).toString("base64"), encodeURIComponent(token)];
  for (const text of forms) {
    const dir = emptyFolder({ "main.py": `# first\nkey = "${text}"\n`, "other.py": "pass\n" });
    const before = used.server.calls.length;
    const failed = run({
      on: runtime(),
      command: ["true"],
      code: { dir },
      secrets: { HF_TOKEN: secret },
    });
    await expect(failed).rejects.toMatchObject({
      code: "TEXT_HOLDS_SECRET",
      message: expect.stringMatching(/^main\.py, line 2, holds the value of HF_TOKEN/),
    });
    expect(used.server.calls).toHaveLength(before);
  }
  const dir = emptyFolder({ "main.py": token.slice(0, -1) });
  expect(await run({ on: runtime(), command: ["true"], code: { dir } })).toMatchObject({
    exitCode: 0,
  });
});

it.each([
  ["a folder that does not exist", { dir: "/nonexistent/code" }, "FILE_NOT_FOUND"],
  ["an empty folder", { dir: "." }, "DECLARATION_INVALID"],
  ["more than maxBytes", { dir: "full", maxBytes: 3 }, "DECLARATION_INVALID"],
  ["a place in the system", { dir: "full", to: "/etc" }, "DECLARATION_INVALID"],
  ["a place that is no path", { dir: "full", to: "work/../.." }, "DECLARATION_INVALID"],
  ["a place in a mount", { dir: "full", to: "/data/code" }, "DECLARATION_INVALID"],
  ["an unknown option", { dir: "full", exclud: ["x"] } as never, "DECLARATION_INVALID"],
])("refuses %s, and sends nothing", async (_, code: { dir: string }, expected) => {
  const base = plant(scratch(), ["full/main.py", "empty/"]);
  const before = used.server.calls.length;
  const failed = run({
    on: runtime(),
    command: ["true"],
    base: code.dir === "." ? join(base, "empty") : base,
    code,
    mounts: { "/data": { readOnly: true, volume: "sets" } },
  });
  await expect(failed).rejects.toMatchObject({ code: expected });
  expect(used.server.calls).toHaveLength(before);
});

it("works in the same folder locally", async () => {
  const dir = plant(scratch(), ["main.sh"]);
  expect(await run({ command: ["cat", "main.sh"], code: { dir } })).toMatchObject({
    out: "main.sh",
  });
});
