import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Secret } from "nopeek";
import { currentActor } from "nopeek/audit";
import { expect, it } from "vitest";
import { newId, openLog } from "../support/audit.ts";
import { bin, emptyFolder, finish, firstLine, job, nopeek, start } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

/** A project folder, with a log beside it and the usual place of anchors. */
function setUp(files: Record<string, string> = {}) {
  const folder = emptyFolder();
  const cwd = join(folder, "project");
  mkdirSync(cwd, { mode: 0o700 });
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(cwd, name), content, { mode: 0o600 });
  }
  const env = {
    NOPEEK_AUDIT_KEY: randomBytes(32).toString("hex"),
    XDG_STATE_HOME: join(folder, "state"),
    HF_TOKEN: randomToken("hf_"),
  };
  return { folder, cwd, env, dir: join(folder, "log") };
}

const leak = job("console.log(process.env.HF_TOKEN, Object.keys(process.env).join())");

it("records a run; verify and query tell of it", async () => {
  const { cwd, env, dir, folder } = setUp();
  const run = await nopeek(["run", "--audit", "../log", "--secret", "HF_TOKEN", ...leak], {
    cwd,
    env,
  });
  expect(run.code).toBe(0);
  expect(run.stdout).toContain("[REDACTED:HF_TOKEN]");
  expect(run.stdout).not.toContain("NOPEEK_AUDIT_KEY");
  const verify = await nopeek(["audit", "verify", dir], { cwd, env });
  expect(verify).toMatchObject({ code: 0, stderr: "" });
  expect(verify.stdout).toMatch(/^intact: \d+ records in 1 files, last anchored 20/);
  const query = await nopeek(["audit", "query", dir, "--json"], { cwd, env });
  const { ok, records } = JSON.parse(query.stdout);
  expect([query.code, ok]).toEqual([0, true]);
  expect(records.map(({ type }: { type: string }) => type)).toEqual([
    "log.opened",
    "run.started",
    "secret.injected",
    // The characters of the command that mean something to a shell; the value when it was sighted.
    "monitor.finding",
    "monitor.finding",
    "finding.made",
    "run.ended",
    "log.closed",
  ]);
  const [, { correlationId }] = records;
  const some = ["--type", "secret.injected", "--secret", "HF_TOKEN", "--run", correlationId];
  const since = ["--since", "2020-01-01", "--until", "2999-01-01T00:00Z"];
  const rows = await nopeek(["audit", "query", dir, ...some, ...since], { cwd, env });
  expect(rows.stdout).toMatch(
    /^20\S+Z secret\.injected correlationId=\S+ name=HF_TOKEN reference=env:\/\/HF_TOKEN provider=env fingerprint=audit:\w+ as=env\n$/,
  );
  const later = await nopeek(["audit", "query", dir, "--since", "2999-01-01"], { cwd, env });
  expect(later).toMatchObject({ code: 0, stdout: "" });
  // The usual place of the anchors, and no value in any file.
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  expect(files.some((name) => /^state\/nopeek\/anchors\/\w{16}\/anchors\.jsonl$/.test(name))).toBe(
    true,
  );
  for (const name of files.filter((file) => file.endsWith(".jsonl"))) {
    const text = readFileSync(join(folder, name), "utf8");
    for (const value of [env.HF_TOKEN, env.NOPEEK_AUDIT_KEY]) expect(text).not.toContain(value);
  }
});

it("names the file that a value came from, so that it can be found again", async () => {
  const { cwd, env, dir } = setUp({ ".env": `WANDB_API_KEY=${randomToken()}\nHF_TOKEN=other\n` });
  expect((await nopeek(["run", "--audit", dir, ...job("")], { cwd, env })).code).toBe(0);
  const query = await nopeek(["audit", "query", dir, "--type", "secret.injected"], { cwd, env });
  expect(query.stdout).toContain("name=WANDB_API_KEY reference=dotenv://.env#WANDB_API_KEY");
  // The environment comes before the file.
  expect(query.stdout).toContain("name=HF_TOKEN reference=env://HF_TOKEN");
});

it("says that a file of secrets is not used beside a configuration without any", async () => {
  const files = { ".env": `TOKEN=${randomToken()}\n`, "nopeek.config.json": "{}" };
  const { cwd, env } = setUp(files);
  const run = await nopeek(["run", ...job("console.log(process.env.TOKEN)")], { cwd, env });
  expect(run).toMatchObject({ code: 0, stdout: "undefined\n" });
  expect(run.stderr).toContain("./.env is not used, since there is a configuration");
  const named = await nopeek(["run", "--env-file", ".env", ...job("")], { cwd, env });
  expect(named.stderr).not.toContain("not used");
});

it("the job knows its run by the id in the log", async () => {
  const { cwd, env, dir } = setUp();
  const run = await nopeek(
    ["run", "--audit", dir, ...job("console.log(process.env.NOPEEK_RUN_ID)")],
    { cwd, env },
  );
  const query = await nopeek(["audit", "query", dir, "--run", run.stdout.trim(), "--json"], {
    cwd,
    env,
  });
  const types = JSON.parse(query.stdout).records.map(({ type }: { type: string }) => type);
  expect(types).toEqual(["run.notice", "run.started", "monitor.finding", "run.ended"]);
});

it("shows the note of a person on one line, without control characters", async () => {
  const { cwd, env, dir, folder } = setUp();
  const key = new Secret(env.NOPEEK_AUDIT_KEY);
  const place = { dir, anchors: join(folder, "second") };
  const log = await openLog({ ...place, key });
  const note = "\x1b[2J\r\nroot\u2028x\u202e\x9b31m\u0007 end";
  const ids = { correlationId: newId(), incidentId: newId() };
  await log.append({ type: "incident.closed", ...ids, actor: currentActor(), note });
  await log.close();
  const args = ["audit", "query", dir, "--audit-anchors", place.anchors];
  const query = await nopeek(args, { cwd, env });
  expect(query.code).toBe(0);
  expect(query.stdout.trim().split(/[\n\r\u2028]/)).toHaveLength(3);
  expect(query.stdout).toMatch(/^[ -~\n]*$/);
  expect(query.stdout).toContain('note="\\u001b[2J\\r\\nroot\\u2028x\\u202e\\u009b31m\\u0007 end"');
});

it("says file, line and kind of what was changed", async () => {
  const { cwd, env, dir } = setUp();
  await nopeek(["run", "--audit", dir, "--secret", "HF_TOKEN", ...leak], { cwd, env });
  const [name = ""] = readdirSync(dir);
  const path = join(dir, name);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace('"as":"env"', '"as":"ENV"'));
  // It was recorded together with the start of the run, which nothing vouches for either now.
  expect(text.split("\n").findIndex((line) => line.includes('"as":"env"'))).toBe(2);
  const verify = await nopeek(["audit", "verify", dir], { cwd, env });
  expect(verify.code).toBe(1);
  expect(verify.stdout).toContain(`damaged  ${name}, line 2: `);
  expect(verify.stdout).toContain("(changed)");
  expect(verify.stdout).toContain("NOT INTACT: 1 records");
  const json = await nopeek(["audit", "verify", dir, "--json"], { cwd, env });
  expect(JSON.parse(json.stdout)).toMatchObject({
    schemaVersion: 1,
    ok: false,
    damages: [{ file: name, line: 2, kind: "changed" }],
  });
  const query = await nopeek(["audit", "query", dir], { cwd, env });
  expect([query.code, query.stdout.trim().split("\n").length]).toEqual([1, 1]);
  expect(query.stderr).toContain("line 2");
  writeFileSync(path, text);
  expect((await nopeek(["audit", "verify", dir], { cwd, env })).code).toBe(0);
});

it("cannot look without the log, its anchors or its key", async () => {
  const { cwd, env, dir } = setUp();
  await nopeek(["run", "--audit", dir, ...job("")], { cwd, env });
  const other = { ...env, NOPEEK_AUDIT_KEY: randomBytes(32).toString("hex") };
  for (const [args, given, said] of [
    [["verify", `${dir}x`], env, "there is no audit log"],
    [["verify", dir, "--audit-anchors", cwd], env, undefined],
    [["verify", dir], { ...env, NOPEEK_AUDIT_KEY: "" }, "there is no key"],
    [["verify", dir], { ...env, NOPEEK_AUDIT_KEY: "short" }, "32 random bytes"],
    [["verify", dir], other, "the key is another one"],
    [["query", dir], other, "the key is another one"],
  ] as const) {
    const run = await nopeek(["audit", ...args], { cwd, env: given });
    expect([args, run.code]).toEqual([args, said === undefined ? 1 : 2]);
    if (said !== undefined) expect(run.stderr).toContain(said);
  }
  for (const args of [
    [],
    ["look", dir],
    ["verify"],
    ["verify", dir, "x"],
    ["query", dir, "--type", "x"],
    ["query", dir, "--since", "soon"],
    ["verify", dir, "--run", "x"],
  ]) {
    expect([args, (await nopeek(["audit", ...args], { cwd, env })).code]).toEqual([args, 64]);
  }
  const literal = await nopeek(["audit", "verify", dir, "--audit-key", env.NOPEEK_AUDIT_KEY], {
    cwd,
    env,
  });
  expect(literal.code).toBe(64);
  expect(literal.stderr).not.toContain(env.NOPEEK_AUDIT_KEY);
});

it("runs nothing when the log cannot be begun, with 15 or what is wrong", async () => {
  const { cwd, env, dir, folder } = setUp();
  writeFileSync(join(folder, "file"), "");
  const ran = join(folder, "ran");
  const touch = ["--", "touch", ran];
  for (const [args, given, code] of [
    [["--audit", "/proc/none/log"], env, 15],
    [["--audit", join(folder, "file/log")], env, 15],
    [["--audit", "log"], env, 77],
    [["--audit", dir, "--audit-anchors", "anchors"], env, 77],
    [["--audit", dir, "--log", join(dir, "out.log")], env, 64],
    [["--audit", dir], { ...env, NOPEEK_AUDIT_KEY: "" }, 78],
    [["--audit", dir, "--secret", "X=env://NOPEEK_AUDIT_KEY"], env, 77],
    [["--audit-anchors", dir], env, 64],
    [["--on-audit-failure", "halt"], env, 64],
    [["--audit", dir, "--on-audit-failure", "x"], env, 64],
  ] as const) {
    const run = await nopeek(["run", ...args, ...touch], { cwd, env: given });
    expect([args, run.code, run.stderr]).toEqual([args, code, expect.stringContaining("nopeek: ")]);
    expect(run.stderr).not.toContain(env.NOPEEK_AUDIT_KEY);
    expect(readdirSync(folder)).not.toContain("ran");
  }
  // Control.
  expect((await nopeek(["run", "--audit", dir, ...touch], { cwd, env })).code).toBe(0);
  expect(readdirSync(folder)).toContain("ran");
});

it("runs nothing with the key of another log, and leaves the log intact", async () => {
  const { cwd, env, dir, folder } = setUp();
  const touch = ["run", "--audit", dir, "--", "touch", join(folder, "ran")];
  expect((await nopeek(["run", "--audit", dir, ...job("")], { cwd, env })).code).toBe(0);
  const other = { ...env, NOPEEK_AUDIT_KEY: randomBytes(32).toString("hex") };
  const run = await nopeek(touch, { cwd, env: other });
  expect([run.code, run.stderr]).toEqual([78, expect.stringContaining("another key")]);
  expect([readdirSync(folder).includes("ran"), readdirSync(dir).length]).toEqual([false, 1]);
  expect((await nopeek(["audit", "verify", dir], { cwd, env })).code).toBe(0);
  // Control.
  expect((await nopeek(touch, { cwd, env })).code).toBe(0);
  expect(readdirSync(folder)).toContain("ran");
});

it("takes the log from the configuration, whose hash stands in the first record", async () => {
  const { cwd, env, dir, folder } = setUp({
    "nopeek.config.json": JSON.stringify({
      secrets: { HF_TOKEN: "env://HF_TOKEN" },
      audit: { dir: "../log", anchors: "../second", key: "env://MY_KEY" },
    }),
    ".env": "PORT=8080\n",
  });
  const { NOPEEK_AUDIT_KEY: MY_KEY, ...rest } = env;
  const given = { cwd, env: { ...rest, MY_KEY } };
  expect((await nopeek(["run", "--env-file", ".env", ...leak], given)).code).toBe(0);
  const query = await nopeek(["audit", "query", "--json"], given);
  const { records } = JSON.parse(query.stdout);
  const sha256 = createHash("sha256")
    .update(readFileSync(join(cwd, "nopeek.config.json")))
    .digest("hex");
  expect(records.find(({ seq }: { seq: number }) => seq === 0)).toMatchObject({ config: sha256 });
  // What happened before the key was known comes next.
  expect(records.find(({ seq }: { seq: number }) => seq === 1)).toMatchObject({
    type: "run.notice",
    code: "plain-values",
    count: 1,
  });
  expect(readdirSync(folder).sort()).toEqual(["log", "project", "second"]);
  expect((await nopeek(["audit", "verify"], given)).code).toBe(0);
  expect((await nopeek(["audit", "verify", dir], given)).code).toBe(2);
});

it("tells of a configuration that was changed while the job ran", async () => {
  const { cwd, env, dir } = setUp({
    "nopeek.config.json": JSON.stringify({ audit: { dir: "../log" } }),
  });
  const change = job(`require("fs").appendFileSync("nopeek.config.json", " ")`);
  const run = await nopeek(["run", ...change], { cwd, env });
  expect(run.code).toBe(0);
  expect(run.stderr).toContain("was changed while the job ran");
  const query = await nopeek(["audit", "query", dir, "--type", "run.notice"], { cwd, env });
  expect(query.stdout).toContain("code=config-changed");
});

const strace = spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "true"]).status === 0;
const skipped = strace ? "" : " (skipped: strace is not installed or may not trace)";

it.skipIf(!strace).each([
  ["continue", "done\n"],
  ["halt", ""],
] as const)(`a disk that fails while the job runs gives 15: %s${skipped}`, (how, printed) => {
  const { cwd, env, dir } = setUp();
  const inject = "inject=fdatasync:error=ENOSPC:when=6+";
  const program =
    "console.log(process.env.HF_TOKEN, 1); setTimeout(() => console.log('done'), 1500)";
  const args = ["run", "--audit", dir, "--on-audit-failure", how, "--secret", "HF_TOKEN"];
  const run = spawnSync(
    "strace",
    [
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "trace=fdatasync",
      "-e",
      inject,
      process.execPath,
      "--",
      bin,
      ...args,
      "--events",
      "events",
      ...job(program),
    ],
    {
      cwd,
      env: { PATH: process.env["PATH"] ?? "", ...env, UV_THREADPOOL_SIZE: "1" },
      encoding: "utf8",
    },
  );
  expect([run.status, run.stdout]).toEqual([15, `[REDACTED:HF_TOKEN] 1\n${printed}`]);
  expect(run.stderr).toContain("the audit log cannot be written: writing failed (ENOSPC)");
  expect(run.stderr).toContain("not all of this run is recorded");
  const events = readFileSync(join(cwd, "events"), "utf8").trim().split("\n");
  expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({
    endedBy: how === "halt" ? "audit" : "exit",
    exitCode: 15,
  });
});

it("SIGKILL loses nothing that was told", async () => {
  const { cwd, env, dir } = setUp();
  const killed = start(
    [
      "run",
      "--audit",
      dir,
      "--secret",
      "HF_TOKEN",
      ...job("console.log('up'); setTimeout(() => {}, 20000)"),
    ],
    { cwd, env },
  );
  await firstLine(killed);
  killed.kill("SIGKILL");
  await finish(killed);
  const query = await nopeek(["audit", "query", dir, "--json"], { cwd, env });
  const types = JSON.parse(query.stdout).records.map(({ type }: { type: string }) => type);
  const started = ["log.opened", "run.started", "secret.injected"];
  expect([query.code, types]).toEqual([0, [...started, "monitor.finding"]]);
  const verify = await nopeek(["audit", "verify", dir], { cwd, env });
  expect(verify.code).toBe(0);
  expect(verify.stdout).toContain("its writer has not closed it");
});
