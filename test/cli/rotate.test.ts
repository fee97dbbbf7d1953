/** `nopeek rotate` as a child process, against stores on loopback and programs that stand for a target. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startAws } from "nopeek/testing";
import { describe, expect, it } from "vitest";
import { emptyFolder, finish, nopeek, start } from "../support/command.ts";
import { startSearchedModal } from "../support/modal.ts";
import { programs } from "../support/rotation.ts";
import { isSlow } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

const hourMs = 3_600_000;
const quiet = {
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  no_proxy: "127.0.0.1",
};
const nameOf = (value: string) => createHash("sha256").update(value).digest("hex").slice(0, 40);

/** A project with one rotation, whose target accepts the first value. */
function project(value: string, rotation: object = {}, target: object = {}) {
  const folder = emptyFolder();
  mkdirSync(join(folder, "accepted"));
  writeFileSync(join(folder, "accepted", nameOf(value)), "");
  const config = {
    rotations: {
      queue: {
        secret: "aws-sm://ml/queue#token",
        target: { type: "command", ...programs(folder), ...target },
        overlapMs: hourMs,
        ...rotation,
      },
    },
  };
  writeFileSync(join(folder, "nopeek.config.json"), JSON.stringify(config), { mode: 0o600 });
  const accepted = () => readdirSync(join(folder, "accepted"));
  return { folder, accepted, accepts: (text: string) => accepted().includes(nameOf(text)) };
}

async function overAws(rotation: object = {}, target: object = {}) {
  const server = await startAws();
  const first = randomToken();
  server.seed("ml/queue", JSON.stringify({ token: first, region: "eu" }));
  const made = project(first, rotation, target);
  const env = { ...quiet, ...server.env };
  const run = (...args: string[]) => nopeek(["rotate", ...args], { cwd: made.folder, env });
  const { SecretsManagerClient, GetSecretValueCommand } = await import(
    "@aws-sdk/client-secrets-manager"
  );
  const client = new SecretsManagerClient(server.clientOptions);
  const read = async (VersionStage = "AWSCURRENT"): Promise<{ token: string; region: string }> =>
    JSON.parse(
      (await client.send(new GetSecretValueCommand({ SecretId: "ml/queue", VersionStage })))
        .SecretString ?? "",
    );
  return { ...made, server, first, env, run, read };
}

describe("nopeek rotate", () => {
  it("plans, rotates, does nothing when run again, and revokes after the overlap", async () => {
    const { server, first, run, read, accepts, accepted, folder } = await overAws();
    await using _ = server;
    const plan = await run("queue");
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout).toMatch(/^queue: due; nothing was changed/);
    expect(plan.stdout).toContain("store a pending version beside");
    expect((await read()).token).toBe(first);
    expect(server.calls).not.toContain("PutSecretValue");

    const rotated = await run("queue", "--yes");
    expect(rotated).toMatchObject({ code: 0, stderr: "" });
    expect(rotated.stdout).toMatch(/^queue: rotated, version \S+ is current\n/);
    const second = await read();
    expect(second.token === first).toBe(false);
    expect(second.region).toBe("eu");
    expect([accepts(second.token), accepts(first)]).toEqual([true, true]);

    const file = join(folder, "nopeek.config.json");
    const config = JSON.parse(readFileSync(file, "utf8"));
    Object.assign(config.rotations.queue, { minAgeMs: 24 * hourMs, overlapMs: 1 });
    writeFileSync(file, JSON.stringify(config));
    const again = await run("queue", "--yes");
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(again.stdout).toContain("revoke");
    expect([accepts(second.token), accepts(first)]).toEqual([true, false]);
    const idle = await run("queue", "--yes", "--json");
    expect(JSON.parse(idle.stdout)).toMatchObject({ outcome: "fresh", why: "young", steps: [] });
    expect(await read()).toEqual(second);
    expect(accepted()).toHaveLength(1);

    // Neither output nor what the programs saw of arguments and environment holds a value.
    const seen = readFileSync(join(folder, "seen"), "utf8");
    const all =
      [plan, rotated, again, idle].map(({ stdout, stderr }) => stdout + stderr).join("") + seen;
    expect(seen).toContain("PATH=");
    for (const value of [first, second.token]) expect(all.includes(value)).toBe(false);
  }, 60_000);

  it("two at once: one wins, the other says so, and both exit 0", async () => {
    for (let round = 0; round < (isSlow ? 100 : 10); round += 1) {
      const { server, folder, env, read, accepts } = await overAws();
      await using _ = server;
      const children = [1, 2].map(() =>
        start(["rotate", "queue", "--yes", "--json"], { cwd: folder, env }),
      );
      const ended = await Promise.all(children.map(finish));
      expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual([
        [0, ""],
        [0, ""],
      ]);
      const outcomes = ended.map(({ stdout }) => JSON.parse(stdout).outcome).sort();
      const labels = Object.values(server.labels("ml/queue"));
      expect(labels.flat().filter((label) => /^AWS(?:CURRENT|PREVIOUS)$/.test(label))).toHaveLength(
        2,
      );
      expect(labels.flat()).not.toContain("AWSPENDING");
      // Both may have had a hand in it; only one version was made current, and it works.
      expect(outcomes).toContain("rotated");
      expect(["ended", "fresh", "rotated", "superseded"]).toContain(outcomes[0]);
      expect(accepts((await read()).token)).toBe(true);
      expect(accepts((await read("AWSPREVIOUS")).token)).toBe(true);
    }
  }, 300_000);

  it("--leaked revokes at once, and lists the launches that go on with the old value", async () => {
    const { server, first, run, read, accepts, env, folder } = await overAws();
    await using _ = server;
    writeFileSync(join(folder, ".env"), `QUEUE_TOKEN=${first}\n`, { mode: 0o600 });
    const job = start(
      [
        "run",
        "--env-file",
        ".env",
        "--",
        process.execPath,
        "-e",
        "console.log('up'); setTimeout(() => {}, 60000)",
      ],
      { cwd: folder, env },
    );
    await new Promise((ready) => job.stdout.once("data", ready));
    const ended = await run("queue", "--leaked", "--yes");
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toMatch(/uses the old one: running launch [\w-]+ \(process \d+\)/);
    expect([accepts((await read()).token), accepts(first)]).toEqual([true, false]);
    job.kill("SIGTERM");
  }, 60_000);

  it("updates the copies before it revokes, and says which one failed (18)", async () => {
    const modal = await startSearchedModal();
    const { server, first, read, accepts, folder, env } = await overAws({
      publish: ["modal://training#QUEUE_TOKEN", "dotenv://jobs.env#QUEUE_TOKEN"],
    });
    await using _ = server;
    await using __ = modal;
    modal.seedSecret("training", { OTHER: "kept" });
    writeFileSync(join(folder, "jobs.env"), `# jobs\nQUEUE_TOKEN=${first}\nOTHER=1\n`, {
      mode: 0o640,
    });
    const all = { ...env, ...modal.env() };
    const rotate = () =>
      nopeek(["rotate", "queue", "--leaked", "--yes"], { cwd: folder, env: all });
    // The file is missing: a copy that cannot be updated.
    const { renameSync } = await import("node:fs");
    renameSync(join(folder, "jobs.env"), join(folder, "away.env"));
    const failed = await rotate();
    expect(failed.code).toBe(18);
    expect(failed.stderr).toMatch(
      /the new credential is current and works, but a copy was not updated, so the old one is not revoked; run it again when this is repaired: .*jobs\.env/,
    );
    expect(accepts(first)).toBe(true);
    renameSync(join(folder, "away.env"), join(folder, "jobs.env"));
    const repaired = await rotate();
    expect(repaired).toMatchObject({ code: 0, stderr: "" });
    const { token } = await read();
    expect([accepts(token), accepts(first)]).toEqual([true, false]);
    expect(modal.secret("training")).toEqual({ OTHER: "kept", QUEUE_TOKEN: token });
    const file = readFileSync(join(folder, "jobs.env"), "utf8");
    expect(file.replace(/^# nopeek: .*\n/m, "")).toBe(`# jobs\nQUEUE_TOKEN=${token}\nOTHER=1\n`);
    expect(statSync(join(folder, "jobs.env")).mode & 0o777).toBe(0o640);
  }, 60_000);

  it("rolls back when the target does not accept the new value (17)", async () => {
    const { server, first, run, read, accepts, folder } = await overAws({}, { set: ["true"] });
    await using _ = server;
    const ended = await run("queue", "--yes");
    expect(ended.code).toBe(17);
    expect(ended.stderr).toMatch(
      /does not work and was taken back; version \S+ is current as before/,
    );
    expect((await read()).token).toBe(first);
    expect(accepts(first)).toBe(true);
    expect(Object.values(server.labels("ml/queue")).flat()).toEqual(["AWSCURRENT"]);
    expect(existsSync(join(folder, "seen"))).toBe(true);
  }, 30_000);

  it("rolls back when set says that it failed, however lax the test is (17)", async () => {
    const { server, first, run, read } = await overAws({}, { set: ["false"], works: ["true"] });
    await using _ = server;
    const ended = await run("queue", "--yes");
    expect(ended.code).toBe(17);
    expect(ended.stderr).toContain("false failed with exit code 1");
    expect((await read()).token).toBe(first);
    expect(Object.values(server.labels("ml/queue")).flat()).toEqual(["AWSCURRENT"]);
  }, 30_000);

  it("refuses when the current credential does not work, and --repair goes on (77)", async () => {
    const { server, run, accepts, read, accepted, folder } = await overAws();
    await using _ = server;
    const { rmSync } = await import("node:fs");
    for (const name of accepted()) rmSync(join(folder, "accepted", name));
    const refused = await run("queue", "--yes");
    expect(refused.code).toBe(77);
    expect(refused.stderr).toContain(
      "does not work on the command, so this may be the wrong target",
    );
    expect(server.calls).not.toContain("PutSecretValue");
    expect(await run("queue", "--yes", "--repair")).toMatchObject({ code: 0 });
    expect(accepts((await read()).token)).toBe(true);
  }, 30_000);

  it.each<readonly [string[], number, RegExp]>([
    [["rotate"], 64, /takes the name of one rotation/],
    [["rotate", "queue", "--plan", "--yes"], 64, /give one of them/],
    [["rotate", "queue", "--overlap", "5m"], 64, /--overlap goes with --leaked/],
    [["rotate", "queue", "--value-stdin"], 64, /--value-stdin goes with a target of type pasted/],
    [["rotate", "other"], 78, /has no such rotation; it has: queue/],
  ])("%j exits %i", async (args, code, message) => {
    const { folder } = project(randomToken());
    const ended = await nopeek(args, { cwd: folder });
    expect([ended.code, ended.stdout]).toEqual([code, ""]);
    expect(ended.stderr).toMatch(message);
  });

  it("says where a rotation of the configuration is wrong", async () => {
    const { folder } = project(randomToken(), { target: { type: "none" } });
    const ended = await nopeek(["rotate", "queue"], { cwd: folder });
    expect(ended.code).toBe(78);
    expect(ended.stderr).toMatch(/rotations\.queue\.target\S*: `type` is random, command, pasted/);
  });

  it("of a store without versions says what happened, and refuses --version (64)", async () => {
    const target = { type: "random" };
    const { folder } = project(randomToken(), {
      secret: "dotenv://.env#KEY",
      target,
      overlapMs: 0,
    });
    writeFileSync(join(folder, ".env"), `KEY=${randomToken()}\n`, { mode: 0o600 });
    const run = (...more: string[]) => nopeek(["rotate", "queue", ...more], { cwd: folder });
    const refused = await run("--version", "1", "--yes");
    expect([refused.code, refused.stdout]).toEqual([64, ""]);
    expect(refused.stderr).toContain("is in a store without versions");
    const done = await run("--yes");
    expect(done.stdout).toMatch(/^queue: rotated, and the new credential is in the store\n/);
  });
});

describe("a pasted token", () => {
  it("is taken from standard input, tested, stored, and the old one is to be revoked by hand", async () => {
    const { server, first, folder, env, read, accepts } = await overAws();
    await using _ = server;
    const config = JSON.parse(readFileSync(join(folder, "nopeek.config.json"), "utf8"));
    const { works } = config.rotations.queue.target;
    config.rotations.queue.target = {
      type: "pasted",
      works,
      revokeAt: "https://hub.example/tokens",
    };
    writeFileSync(join(folder, "nopeek.config.json"), JSON.stringify(config), { mode: 0o600 });
    const rotate = (input: string, ...more: string[]) =>
      nopeek(["rotate", "queue", "--value-stdin", "--yes", ...more], { cwd: folder, env, input });
    const next = randomToken();
    const wrong = await rotate(`${next}\n`);
    expect([wrong.code, (await read()).token]).toEqual([17, first]);
    writeFileSync(join(folder, "accepted", nameOf(next)), "");
    const done = await rotate(`${next}\n`);
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(done.stdout).toContain("to do: revoke the old token at https://hub.example/tokens");
    expect([(await read()).token, accepts(first)]).toEqual([next, true]);
    expect((done.stdout + wrong.stderr).includes(next)).toBe(false);
    const same = await rotate(next, "--leaked");
    expect(same.code).toBe(77);
    expect(same.stderr).toContain("this is the token that is stored already");
    // The leaked one is replaced at once; that it still works is for a person to end, and said so.
    const third = randomToken();
    writeFileSync(join(folder, "accepted", nameOf(third)), "");
    const leaked = await rotate(third, "--leaked");
    expect(leaked.code).toBe(18);
    expect(leaked.stderr).toContain("which leaked, still works; revoke the old token at");
    expect((await read()).token).toBe(third);
    const none = await nopeek(["rotate", "queue", "--leaked", "--yes"], { cwd: folder, env });
    expect(none.code).not.toBe(0);
  }, 60_000);
});
