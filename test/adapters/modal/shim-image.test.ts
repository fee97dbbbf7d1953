/** Images that the shim cannot run in. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { noShimExitCode } from "../../../adapters/modal/shim/index.ts";
import { scratch } from "../../support/scratch.ts";
import { randomToken } from "../../support/values.ts";
import { path, runInShim } from "./shim-harness.ts";

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
    ["one that does nothing", "/bin/true"],
    ["one that is no Python", "/bin/echo"],
    ["a link to nowhere", "/nopeek/no/python"],
  ])("ends with 78 before the command starts: %s", async (_, python) => {
    const run = await runInShim({ command, env: { PATH: programs(python), TOKEN: randomToken() } });
    expect([run.code, run.stdout.toString()]).toEqual([noShimExitCode, ""]);
    expect(run.stderr.toString()).toMatch(/^nopeek: the image has no Python 3\.8 or later/);
    expect(run.records).toEqual([]);
  });

  it.each(["", ".", "bin"])(
    "takes none from the folder of the job's files, by %o",
    async (entry) => {
      const cwd = scratch();
      mkdirSync(join(cwd, "bin"));
      for (const folder of [cwd, join(cwd, "bin")]) {
        const program = `#!/bin/sh\ntouch ${cwd}/ran\necho True\n`;
        for (const name of ["python3", "python"]) {
          writeFileSync(join(folder, name), program, { mode: 0o755 });
        }
      }
      const env = { TOKEN: randomToken() };
      const own = await runInShim({ command, env: { ...env, PATH: `${entry}:${path}` }, cwd });
      expect(own.code).toBe(9);
      expect(own.records.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["start", "end"]));
      const none = await runInShim({
        command,
        env: { ...env, PATH: `${entry}:${programs()}` },
        cwd,
      });
      expect(none.code).toBe(noShimExitCode);
      expect(existsSync(join(cwd, "ran"))).toBe(false);
    },
  );

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

  it.each(["run", "refuse"] as const)("changes no variable of the job (%s)", async (fallback) => {
    const names = ["n", "d", "p", "l", "i"];
    const env = Object.fromEntries(names.map((name) => [name, `as ${name} was`]));
    const run = await runInShim({
      command: [shell, "-c", 'echo "$n,$d,$p,$l,$i"'],
      env: { PATH: fallback === "run" ? programs() : path, ...env },
      keep: names,
      declared: [],
      fallback,
    });
    expect(run.stdout.toString()).toBe(`${Object.values(env).join(",")}\n`);
  });
});
