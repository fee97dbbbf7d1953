import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bin, emptyFolder, job, nopeek } from "../support/command.ts";
import { fromTemplate } from "../support/templates.ts";
import { randomToken } from "../support/values.ts";

const token = randomToken("hf_");

const acme = {
  id: "acme-token",
  title: "Acme access token",
  keywords: ["acme_"],
  shapes: [[{ chars: "a-z", min: 20, max: 20 }]],
  good: ["acme_{a-z*20}"],
  bad: ["acme_{a-z*19}"],
};

describe("check", () => {
  const files = { ".env": `HF_TOKEN=${token}\nPORT=8080\nMISSING=\n` };

  it("tells where each secret is from, and what to do about the others", async () => {
    const run = await nopeek(["check"], { cwd: emptyFolder(files) });
    expect(run).toMatchObject({ code: 1, stderr: "" });
    expect(run.stdout).toBe(
      [
        "ok      HF_TOKEN  from .env",
        "failed  MISSING   env://MISSING and dotenv://.env#MISSING do not exist or are empty; set one (SECRET_NOT_FOUND)",
        "plain   PORT  (passed on, not masked)",
        "1 of 2 failed\n",
      ].join("\n"),
    );
  });

  it("reports as JSON", async () => {
    const run = await nopeek(["check", "--json", "--secret", "HF_TOKEN", "--secret", "B"], {
      env: { HF_TOKEN: token },
    });
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stdout)).toEqual({
      schemaVersion: 1,
      secrets: [
        {
          name: "HF_TOKEN",
          status: "ok",
          from: ["env://HF_TOKEN"],
          provider: "env",
          origin: "the environment",
        },
        {
          name: "B",
          status: "failed",
          from: ["env://B"],
          code: "SECRET_NOT_FOUND",
          message: "env://B does not exist or is empty; set it",
        },
      ],
      plain: [],
    });
  });

  it("exits 0 when all resolve, 2 when it could not look", async () => {
    const env = { HF_TOKEN: token };
    expect((await nopeek(["check", "--secret", "HF_TOKEN"], { env })).code).toBe(0);
    expect((await nopeek(["check", "--env-file", "none"])).code).toBe(2);
    expect((await nopeek(["check", "--", "x"])).code).toBe(64);
  });

  it("tells of an optional secret that is absent", async () => {
    const cwd = emptyFolder({
      "nopeek.config.json": JSON.stringify({ secrets: { A: { from: "env://A", optional: true } } }),
    });
    expect(await nopeek(["check"], { cwd })).toMatchObject({
      code: 0,
      stdout: "absent  A  optional, not in env://A\n1 resolved\n",
    });
  });
});

describe("redact", () => {
  it("masks what is declared, in bytes of any kind", async () => {
    const input = Buffer.concat([
      Buffer.from([0xff, 0]),
      Buffer.from(`${token} ${Buffer.from(token).toString("base64")}\n`),
      Buffer.from([0xc3]),
    ]);
    const run = await nopeek(["redact", "--secret", "HF_TOKEN"], {
      env: { HF_TOKEN: token },
      input,
    });
    const masked = Buffer.concat([
      Buffer.from([0xff, 0]),
      Buffer.from("[REDACTED:HF_TOKEN] [REDACTED:HF_TOKEN]\n"),
      Buffer.from([0xc3]),
    ]);
    expect([run.code, run.bytes.equals(masked), run.stderr]).toEqual([0, true, ""]);
  });

  it("uses ./.env, and says so when nothing is declared", async () => {
    const cwd = emptyFolder({ ".env": `A=${token}\n` });
    expect((await nopeek(["redact"], { cwd, input: token })).stdout).toBe("[REDACTED:A]");
    const nothing = await nopeek(["redact"], { input: token });
    expect(nothing).toMatchObject({ code: 0, stdout: token });
    expect(nothing.stderr).toContain("only what looks like a credential is masked");
    const none = await nopeek(["redact", "--rules", "none"], { input: token });
    expect(none.stderr).toContain("nothing is masked");
  });

  it("takes rules from a file, beside the known ones or alone", async () => {
    const broken = { ...acme, good: ["acme_{a-z*3}"] };
    const cwd = emptyFolder({
      "acme.json": JSON.stringify({ name: "acme", rules: [acme] }),
      "broken.json": JSON.stringify({ name: "acme", rules: [broken] }),
    });
    const input = `acme_${"ab".repeat(10)} ${fromTemplate("ghp_{A-Za-z0-9*36}")}`;
    const [, github] = input.split(" ");
    const both = await nopeek(["redact", "--rules", "acme.json"], { cwd, input });
    expect(both.stdout).toBe("[REDACTED:acme-token] [REDACTED:github-token]");
    const alone = ["redact", "--rules", "none", "--rules", "acme.json"];
    expect((await nopeek(alone, { cwd, input })).stdout).toBe(`[REDACTED:acme-token] ${github}`);
    for (const [file, message] of [
      ["broken.json", "good example 1 is not found"],
      ["missing.json", "cannot be read (ENOENT)"],
    ] as const) {
      const run = await nopeek(["redact", "--rules", file], { cwd, input });
      expect(run).toMatchObject({ stdout: "" });
      expect(run.code).not.toBe(0);
      expect(run.stderr).toContain(message);
    }
  });

  it("takes the rules of a launch from its configuration", async () => {
    const program = "console.log('acme_' + 'ab'.repeat(10), 'AKIA' + 'QWERTYUIOPASDFGH')";
    const command = [process.execPath, "-e", program];
    const cwd = emptyFolder({
      "acme.json": JSON.stringify({ name: "acme", rules: [acme] }),
      "nopeek.config.json": JSON.stringify({
        launches: { train: { command, rules: ["acme.json"] } },
      }),
    });
    const run = await nopeek(["run", "train"], { cwd });
    expect(run.stdout).toBe("[REDACTED:acme-token] [REDACTED:aws-access-key-id]\n");
  });

  it("writes nothing if a secret is missing", async () => {
    const run = await nopeek(["redact", "--secret", "A"], { input: "text" });
    expect(run).toMatchObject({ code: 78, stdout: "" });
  });

  it("needs no configuration that is code when it is told what to mask", async () => {
    const cwd = emptyFolder({ "nopeek.config.ts": "process.exit(99)", e: `A=${token}\n` });
    expect(await nopeek(["redact", "--env-file", "e"], { cwd, input: token })).toMatchObject({
      code: 0,
      stdout: "[REDACTED:A]",
    });
  });
});

describe("init", () => {
  it("writes a configuration of names only, and a line in .gitignore", async () => {
    const cwd = emptyFolder({
      ".env": `HF_TOKEN=${token}\nPORT=8080\n`,
      ".gitignore": "node_modules",
    });
    const run = await nopeek(["init"], { cwd });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const config = readFileSync(join(cwd, "nopeek.config.ts"), "utf8");
    expect(config).toContain('"HF_TOKEN": "dotenv://.env#HF_TOKEN"');
    expect(config).not.toContain("PORT");
    expect(config + run.stdout).not.toContain(token);
    expect(readFileSync(join(cwd, ".gitignore"), "utf8")).toBe(
      "node_modules\n.env\n.env.nopeek-lock*\n.nopeek-*.tmp\n",
    );
    expect((await nopeek(["check"], { cwd })).code).toBe(0);
  });

  it("changes nothing that exists", async () => {
    const cwd = emptyFolder({ "nopeek.config.json": "{}", ".gitignore": ".env\n" });
    const run = await nopeek(["init"], { cwd });
    expect(run).toMatchObject({ code: 64, stdout: "" });
    expect(existsSync(join(cwd, "nopeek.config.ts"))).toBe(false);
    expect(readFileSync(join(cwd, "nopeek.config.json"), "utf8")).toBe("{}");
  });

  it("keeps the plain keys of .env for the job", async () => {
    const print = "console.log(process.env.EPOCHS, process.env.HF_TOKEN)";
    const cwd = emptyFolder({ ".env": `HF_TOKEN=${token}\nEPOCHS=40\n` });
    await nopeek(["init"], { cwd });
    const run = await nopeek(["run", "train", ...job(print)], { cwd });
    expect(run).toMatchObject({ code: 0, stdout: "40 [REDACTED:HF_TOKEN]\n" });
  });

  it("says which keys it leaves out, and writes what check accepts", async () => {
    const cwd = emptyFolder({ ".env": `HF_TOKEN=${token}\nHF-TOKEN=${token}\nEPOCHS=40\n` });
    const run = await nopeek(["init", "--json"], { cwd });
    expect(run.stdout).toContain('left out: "HF-TOKEN" cannot be an environment variable');
    expect(run.stdout).toContain("not passed to the job: EPOCHS;");
    expect((await nopeek(["check"], { cwd })).code).toBe(0);
    expect((await nopeek(["run", "train", ...job("")], { cwd })).code).toBe(0);
    const plain = emptyFolder({ ".env": "EPOCHS=40\nEMPTY=\n" });
    expect((await nopeek(["init"], { cwd: plain })).stdout).toContain("job: EPOCHS, EMPTY;");
    expect((await nopeek(["run", "train", ...job("")], { cwd: plain })).code).toBe(0);
  });

  it("writes both files or none", async ({ skip }) => {
    const failing = async (cwd: string) => {
      const before = readdirSync(cwd);
      const run = await nopeek(["init"], { cwd });
      expect([run.code, run.stdout]).toEqual([64, ""]);
      expect(run.stderr).not.toContain("unexpected");
      expect(readdirSync(cwd)).toEqual(before);
      return run.stderr;
    };
    const folder = emptyFolder();
    mkdirSync(join(folder, ".gitignore"));
    expect(await failing(folder)).toContain(".gitignore cannot be written (EISDIR)");
    const dangling = emptyFolder();
    symlinkSync("nowhere", join(dangling, "nopeek.config.ts"));
    expect(await failing(dangling)).toContain("nopeek.config.ts exists already");
    const gone = spawnSync(
      "sh",
      ["-c", 'rmdir "$PWD" && exec "$@"', "sh", process.execPath, "--", bin, "init"],
      { cwd: emptyFolder(), encoding: "utf8" },
    );
    expect(gone.stderr).toContain(".gitignore cannot be written (ENOENT)");
    if (process.getuid?.() === 0) skip("root can write every file");
    const closed = emptyFolder({ ".gitignore": "x\n" });
    chmodSync(closed, 0o555);
    expect(await failing(closed)).toContain("nopeek.config.ts cannot be written (EACCES)");
    expect(readFileSync(join(closed, ".gitignore"), "utf8")).toBe("x\n");
    chmodSync(closed, 0o755);
    chmodSync(join(closed, ".gitignore"), 0o444);
    expect(await failing(closed)).toContain(".gitignore cannot be written (EACCES)");
    // Control: what can be written is.
    chmodSync(join(closed, ".gitignore"), 0o644);
    expect((await nopeek(["init"], { cwd: closed })).code).toBe(0);
  });
});

describe("help", () => {
  it.each([[], ["--help"], ["help"], ["-h"]])("is shown for %j", async (...args) => {
    const run = await nopeek(args);
    expect(run.code).toBe(0);
    for (const verb of ["run", "check", "redact", "init"])
      expect(run.stdout).toContain(`  ${verb} `);
  });

  it.each(["run", "exec", "check", "redact", "init"])("teaches %s", async (verb) => {
    const run = await nopeek([verb, "--help"]);
    expect(run.code).toBe(0);
    for (const part of ["usage: nopeek", "options:", "examples:"])
      expect(run.stdout).toContain(part);
  });

  it.each([[["run", "-h"]], [["help", "run"]]])("teaches run for %j", async (args) => {
    expect(await nopeek(args)).toEqual(await nopeek(["run", "--help"]));
  });

  it("tells the version", async () => {
    expect((await nopeek(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
