/** `nopeek incident` and `nopeek rotate --leaked INCIDENT` as child processes, against a store on loopback. */
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Secret } from "nopeek";
import { anchorsFolderName } from "nopeek/audit";
import { startAws } from "nopeek/testing";
import { expect, it } from "vitest";
import { openLog } from "../support/audit.ts";
import { emptyFolder, job, nopeek } from "../support/command.ts";
import { idOf, printOf } from "../support/histories.ts";
import { programs } from "../support/rotation.ts";
import { randomToken } from "../support/values.ts";

const hour = 3_600_000;

/** A project with a rotation, a log beside it, and a store that has the value. */
async function setUp() {
  const server = await startAws();
  const folder = emptyFolder();
  const cwd = join(folder, "project");
  mkdirSync(cwd, { mode: 0o700 });
  mkdirSync(join(cwd, "accepted"));
  const token = randomToken("hf_");
  writeFileSync(
    join(cwd, "accepted", createHash("sha256").update(token).digest("hex").slice(0, 40)),
    "",
  );
  server.seed("ml/hf", JSON.stringify({ token, region: "eu" }));
  const config = {
    secrets: { HF_TOKEN: "aws-sm://ml/hf#token" },
    audit: { dir: "../log" },
    incidents: { contacts: { "on call": "+1 555 0100" }, timeZone: "Europe/Berlin" },
    rotations: {
      hf: {
        secret: "aws-sm://ml/hf#token",
        target: { type: "command", ...programs(cwd) },
        overlapMs: hour,
      },
      other: {
        secret: "aws-sm://ml/other#token",
        target: { type: "command", ...programs(cwd) },
        overlapMs: hour,
      },
    },
  };
  writeFileSync(join(cwd, "nopeek.config.json"), JSON.stringify(config), { mode: 0o600 });
  const env = {
    ...server.env,
    ...{
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      no_proxy: "127.0.0.1",
    },
    NOPEEK_AUDIT_KEY: randomBytes(32).toString("hex"),
    XDG_STATE_HOME: join(folder, "state"),
  };
  const run = (...args: string[]) => nopeek(args, { cwd, env });
  return { server, folder, cwd, token, env, run, dir: join(folder, "log") };
}

it("a rotation of a store without versions contains and recovers its incident", async () => {
  const folder = emptyFolder();
  const cwd = join(folder, "project");
  mkdirSync(join(cwd, "logs"), { recursive: true, mode: 0o700 });
  const source = (name: string) => `dotenv://.env#${name}`;
  const rotation = (name: string) => ({
    ...{ secret: source(name), target: { type: "random" }, overlapMs: 0 },
  });
  const config = { rotations: { key: rotation("SESSION_KEY"), other: rotation("OTHER_KEY") } };
  const values = `SESSION_KEY=${randomToken()}\nOTHER_KEY=${randomToken()}\n`;
  writeFileSync(join(cwd, ".env"), values, { mode: 0o600 });
  writeFileSync(join(cwd, "nopeek.config.json"), JSON.stringify(config), { mode: 0o600 });
  const env = {
    NOPEEK_AUDIT_KEY: randomBytes(32).toString("hex"),
    XDG_STATE_HOME: join(folder, "state"),
  };
  const run = (...args: string[]) => nopeek(args, { cwd, env });
  const log = ["--audit", "../log"];
  const print = job("console.log(process.env.SESSION_KEY); setInterval(() => {}, 1000)");
  const secret = `SESSION_KEY=${source("SESSION_KEY")}`;
  expect(await run("run", "--on-leak", "halt", ...log, "--secret", secret, ...print)).toMatchObject(
    { code: 10 },
  );
  const [id = ""] = (await run("incident", "list", ...log)).stdout.split(" ");
  expect((await run("incident", "review", id, ...log, "--severity", "high")).code).toBe(0);
  // Control: another key of the same file is not what leaked.
  expect((await run("rotate", "other", "--yes", ...log)).code).toBe(0);
  const before = await run("incident", "show", id, ...log, "--json");
  expect(before.stdout).not.toContain('rotatedAt":"');
  const rotated = await run("rotate", "key", "--leaked", id, "--scope", "logs", ...log, "--yes");
  expect(rotated.code).toBe(0);
  expect(rotated.stderr).not.toContain("was not rotated");
  expect(rotated.stderr).not.toContain("is open");
  expect((await run("incident", "list", ...log)).stdout).toContain(" recovery ");
});

it("leads from a leak to a closed incident, and tells of no value on the way", async () => {
  const { server, cwd, token, run, folder } = await setUp();
  await using _ = server;
  const print = job("console.log(process.env.HF_TOKEN); setInterval(() => {}, 1000)");
  expect(
    await run("run", "--on-leak", "halt", "--secret", "HF_TOKEN=aws-sm://ml/hf#token", ...print),
  ).toMatchObject({ code: 10 });
  const texts: string[] = [];
  const told = async (...args: string[]) => {
    const ended = await run("incident", ...args);
    texts.push(ended.stdout, ended.stderr);
    return ended;
  };
  const list = await told("list");
  expect(list).toMatchObject({ code: 0, stderr: "" });
  const [id = ""] = list.stdout.split(" ");
  expect(list.stdout).toMatch(
    /^[0-9a-f-]{36} {2}20\S+Z {2}\S+ +containment|detection +HF_TOKEN\n$/,
  );
  expect((await told("due")).code).toBe(0);

  // Out of turn.
  for (const early of [
    ["close", id, "--note", "x"],
    ["recover", id],
  ]) {
    const refused = await told(...early);
    expect(refused).toMatchObject({ code: 77, stdout: "" });
    expect(refused.stderr).toContain("it was not assessed (review), its scope was not searched");
  }
  const holding = await told("review", id, "--note", `it was "${token}".`);
  expect(holding.code).toBe(77);
  expect(
    await told("review", id.slice(0, 8), "--severity", "high", "--note", "in a traceback"),
  ).toMatchObject({ code: 0, stderr: "" });

  mkdirSync(join(cwd, "logs"));
  writeFileSync(join(cwd, "logs/a.log"), `one\ntwo ${token}\n`);
  writeFileSync(
    join(cwd, "logs/b.log.gz"),
    gzipSync(`{"auth":"${Buffer.from(`user:${token}`).toString("base64")}"}\n`),
  );
  writeFileSync(join(cwd, `logs/${token}`), "");
  const wrong = await run("rotate", "other", "--leaked", id, "--yes");
  expect(wrong.code).toBe(77);
  expect(wrong.stderr).toContain("it is HF_TOKEN");
  const plan = await run("rotate", "hf", "--leaked", id);
  expect(plan.stderr).toContain(`nopeek incident scope ${id} PATH`);
  const rotated = await run("rotate", "hf", "--leaked", id, "--scope", "logs", "--yes");
  texts.push(rotated.stdout, rotated.stderr);
  expect(rotated).toMatchObject({ code: 0 });
  expect(rotated.stderr).toMatch(/logs\/a\.log:2:5: HF_TOKEN \(raw\) audit:/);
  expect(rotated.stderr).toMatch(/logs\/b\.log\.gz:1:\d+: HF_TOKEN \(base64, gzip\) audit:/);
  expect(rotated.stderr).toMatch(/logs\/\[REDACTED:HF_TOKEN\]:0:0: HF_TOKEN \(raw, name\)/);
  expect(rotated.stderr).toContain("found 3 times in 3 of 3 files; 1 runs had it");

  // The value is gone from its store as the current one; its version is not.
  const again = await told("scope", id, "logs", "--json");
  expect([again.code, JSON.parse(again.stdout)]).toMatchObject([
    1,
    { values: [{ how: "read" }], files: { total: 3 } },
  ]);
  const closed = await told("close", id, "--note", "the client prints no headers now");
  expect(closed).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(await told("close", id, "--note", "twice")).toMatchObject({ code: 77 });
  expect((await told("list")).stdout).toBe("");
  expect((await told("list", "--all")).stdout).toContain(id);
  const shown = await told("show", id);
  expect(shown.stdout).toMatch(/phase {5}lessons[\s\S]*recovered/);
  const report = await told("report", id);
  expect(report).toMatchObject({ code: 0, stderr: "" });
  expect(report.stdout).toContain("found 3 times in 3 files");
  expect(report.stdout).toContain("| `on call` | `+1 555 0100` |");
  const json = JSON.parse((await told("report", id, "--json")).stdout);
  expect(json.incident).toMatchObject({
    phase: "lessons",
    severity: "high",
    contained: true,
    ignoredSteps: 0,
  });
  expect(json.credentials).toMatchObject([
    { name: "HF_TOKEN", runs: 1, revokedAt: expect.any(String) },
  ]);
  const steps = json.timeline.map(({ what }: { what: string }) => what);
  for (const what of [
    "job halted",
    "rotation started",
    "new version current",
    "old version revoked",
    "recovered",
  ]) {
    expect(steps).toContain(what);
  }
  // One id over all of it, in a log that is whole.
  expect(await run("audit", "verify")).toMatchObject({ code: 0 });
  const query = JSON.parse((await run("audit", "query", "--run", id, "--json")).stdout);
  expect(query.records.map(({ type }: { type: string }) => type)).toEqual(
    expect.arrayContaining([
      "run.started",
      "monitor.halted",
      "rotation.revoked",
      "incident.closed",
    ]),
  );
  for (const name of readdirSync(join(folder, "log")))
    texts.push(readFileSync(join(folder, "log", name), "utf8"));
  for (const form of [
    token,
    Buffer.from(token).toString("base64"),
    Buffer.from(token).toString("hex"),
  ]) {
    expect(texts.join("\n")).not.toContain(form);
  }
});

it("due exits with 16 from the second on in which a review is late", async () => {
  const { server, run, dir, folder, env } = await setUp();
  await using _ = server;
  const key = new Secret(env.NOPEEK_AUDIT_KEY);
  const anchors = join(folder, "state/nopeek/anchors", anchorsFolderName(dir));
  const written = async (agoMs: number, name: string) => {
    const log = await openLog({ dir, anchors, key, now: () => Date.now() - agoMs });
    const about = {
      correlationId: idOf(name),
      fingerprint: printOf(name),
      name: "A",
      confidence: "exact",
    };
    await log.append({
      type: "monitor.finding",
      ...about,
      severity: "high",
      action: "alert",
      stream: "stdout",
    } as never);
    await log.close();
    return idOf(name);
  };
  const fresh = await written(24 * hour - 60_000, "fresh");
  const due = await run("incident", "due");
  expect([due.code, due.stdout]).toEqual([
    0,
    expect.stringMatching(new RegExp(`^due .*${fresh} {2}review`)),
  ]);
  const old = await written(24 * hour + 1000, "old");
  const late = await run("incident", "due");
  expect([late.code, late.stdout]).toEqual([
    16,
    expect.stringMatching(new RegExp(`^OVERDUE .*${old} {2}review`)),
  ]);
  expect(await run("incident", "review", old, fresh)).toMatchObject({ code: 0, stderr: "" });
  expect((await run("incident", "due")).code).toBe(0);
  // A false alarm needs no rotation.
  expect((await run("incident", "close", old, "--note", "no leak")).code).toBe(77);
  expect((await run("incident", "review", old, "--harmless")).code).toBe(0);
  expect((await run("incident", "close", old, "--note", "an example value")).code).toBe(0);
});

it("takes what a person reports, and a value that its store has no more", async () => {
  const { server, cwd, token, run, env } = await setUp();
  await using _ = server;
  expect((await run("run", ...job("0"))).code).toBe(0);
  const opened = await run("incident", "open", "--secret", "HF_TOKEN", "--severity", "critical");
  const id = opened.stdout.trim();
  expect([opened.code, id]).toEqual([0, expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  writeFileSync(join(cwd, "out.log"), `\n\n${token}\n`);
  server.markDeleted("ml/hf");
  const missing = await run("incident", "scope", id, "out.log");
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain("HF_TOKEN was not searched");
  const other = await nopeek(["incident", "scope", id, "out.log", "--value-stdin"], {
    cwd,
    env,
    input: "not-the-one-that-leaked",
  });
  expect(other.code).toBe(2);
  const given = await nopeek(["incident", "scope", id, "out.log", "--value-stdin"], {
    cwd,
    env,
    input: `${token}\n`,
  });
  expect([given.code, given.stdout]).toEqual([
    1,
    expect.stringContaining("out.log:3:1: HF_TOKEN (raw)"),
  ]);
  expect(
    await run("incident", "contain", id, "--how", "elsewhere", "--note", "revoked by hand"),
  ).toMatchObject({ code: 0 });
  expect((await run("incident", "show", id)).stdout).toContain("by person");
});

it("is clear about what is wrong", async () => {
  const { server, run, dir, cwd, env, folder } = await setUp();
  await using _ = server;
  expect((await run("run", ...job("0"))).code).toBe(0);
  const cases: [string[], number, string][] = [
    [["incident"], 64, "one of: list"],
    [["incident", "show"], 64, "takes an ID"],
    [["incident", "show", "00000000"], 64, "no such incident"],
    [["incident", "show", "no-id"], 64, "no such incident"],
    [["incident", "list", "--note", "x"], 64, "--note is not for incident list"],
    [["incident", "open", "--secret", "NONE"], 64, "no run in the log"],
    [["incident", "list", "--audit", "nowhere"], 78, "there is no audit log"],
    [["rotate", "hf", "--leaked", "00000000"], 64, "no such incident"],
    [["rotate", "hf", "00000000", "--yes"], 64, "takes the name of one rotation"],
  ];
  for (const [args, code, text] of cases) {
    const ended = await run(...args);
    expect([args, ended.code, ended.stdout]).toEqual([args, code, ""]);
    expect(ended.stderr).toContain(text);
  }
  const { NOPEEK_AUDIT_KEY: _key, ...rest } = env;
  const keyless = await nopeek(["incident", "list"], { cwd, env: rest });
  expect([keyless.code, keyless.stderr]).toEqual([78, expect.stringContaining("there is no key")]);
  const wrong = { ...env, NOPEEK_AUDIT_KEY: randomBytes(32).toString("hex") };
  const other = await nopeek(["incident", "list"], { cwd, env: wrong });
  expect([other.code, other.stderr]).toEqual([78, expect.stringContaining("key")]);
  const [name = ""] = readdirSync(dir);
  const text = readFileSync(join(dir, name), "utf8");
  writeFileSync(join(dir, name), text.replace('"exitCode":0', '"exitCode":1'));
  const tampered = await run("incident", "list");
  expect([tampered.code, tampered.stderr]).toEqual([2, expect.stringContaining("was changed")]);
  // Code that lies in the folder is not executed beside the key, unless it is named.
  const evil = emptyFolder({
    "nopeek.config.ts": 'process.stdout.write("executed"); export default {};',
  });
  const lying = await nopeek(["incident", "list"], { cwd: evil, env });
  expect([lying.code, lying.stdout]).toEqual([78, ""]);
  expect(folder).not.toBe(evil);
});
