/** Images that the shim cannot run in. */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { noShimExitCode } from "../../../adapters/modal/shim/index.ts";
import { scratch } from "../../support/scratch.ts";
import { randomToken } from "../../support/values.ts";
import { runInShim } from "./shim-harness.ts";

describe("an image without Python", () => {
  const shell = "/bin/sh";
  /** A folder of programs: none, or a `python3` that is too old. */
  const programs = (python?: string) => {
    const folder = mkdtempSync(join(scratch(), "bin-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    if (python !== undefined) symlinkSync(python, join(folder, "python3"));
    return folder;
  };
  const command = [shell, "-c", 'echo "started $TOKEN"; export -p; exit 9'];

  it.each([
    ["none at all", undefined],
    ["one that does not run", "/bin/false"],
    ["a link to nowhere", "/nopeek/no/python"],
  ])("ends with 78 before the command starts: %s", async (_, python) => {
    const run = await runInShim({ command, env: { PATH: programs(python), TOKEN: randomToken() } });
    expect([run.code, run.stdout.toString()]).toEqual([noShimExitCode, ""]);
    expect(run.stderr.toString()).toMatch(/^nopeek: the image has no Python 3\.8 or later/);
    expect(run.records).toEqual([]);
  });

  it("goes on without where that is asked, with the same environment", async () => {
    const token = randomToken();
    const env = {
      PATH: programs(),
      TOKEN: token,
      PLAIN: "a",
      SIBLING: `x\nPATH=1\n-n=2\nexport SIBLING2='`,
      MODAL_TOKEN_SECRET: "x",
      MODAL_REGION: "r",
      "bad-name": "x",
    };
    const run = await runInShim({
      command: [
        shell,
        "-c",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of the shell.
        'echo "started $TOKEN"; set -- $(export -p); for i; do case $i in *=*) echo "${i%%=*}";; esac; done; exit 9',
      ],
      declared: ["TOKEN"],
      keep: ["PLAIN"],
      env,
      fallback: "run",
    });
    expect(run.code).toBe(9);
    const [first, ...names] = run.stdout.toString().trim().split("\n");
    // The limit: nobody masks in this container.
    expect(first).toBe(`started ${token}`);
    const own = /^(?:PWD|OLDPWD|SHLVL|_)$/;
    expect(names.filter((name) => !own.test(name)).sort()).toEqual([
      "MODAL_REGION",
      "PATH",
      "PLAIN",
      "TOKEN",
    ]);
    expect(run.records).toEqual([]);
  });

  it("does not go on where files would be missing", async () => {
    const env = { PATH: programs(), TOKEN: randomToken() };
    const files = [{ name: "TOKEN", encoding: "text" }] as const;
    const run = await runInShim({ command, env, files, fallback: "run" });
    expect(run.code).toBe(78);
  });
});
