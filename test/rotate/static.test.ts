/** Rotation of what is kept in stores of one value: dotenv files and named secrets of Modal. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecrets, Secret, type SecretError } from "nopeek";
import { env } from "nopeek/adapters/env";
import { modal } from "nopeek/adapters/modal";
import { type RotateOptions, type RotationTarget, randomValue, rotate } from "nopeek/rotate";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { lockFile } from "../../adapters/shared/file-lock.ts";
import { startSearchedModal } from "../support/modal.ts";
import { codeOfLater, scratch } from "../support/scratch.ts";
import { awkwardPassword, randomToken } from "../support/values.ts";

const dayMs = 86_400_000;

/** A target with one value. */
class OneValue {
  value: string;
  /** A change is answered, and not made. */
  isDeaf: boolean = false;

  constructor(value: string) {
    this.value = value;
  }

  target(changes: Partial<RotationTarget> = {}): RotationTarget {
    return {
      name: "queue",
      strategy: "static",
      propose: async () => ({ secret: new Secret(randomValue()) }),
      set: async ({ secret }) => {
        if (!this.isDeaf) this.value = secret.reveal();
      },
      works: async ({ secret }) => secret.reveal() === this.value,
      ...changes,
    };
  }
}

function dotenvWorld(
  text: (value: string) => string = (value) => `# mine\nA=1\nTOKEN=${value}\nB="2"\n`,
) {
  const folder = scratch();
  const file = join(folder, "jobs.env");
  const first = randomToken();
  writeFileSync(file, text(first), { mode: 0o640 });
  const queue = new OneValue(first);
  const secret = `dotenv://${file}#TOKEN`;
  const newFrom = () => createSecrets({ providers: [env({ onWarning: () => undefined })] });
  const run = (more: Partial<RotateOptions> = {}) =>
    rotate({ from: newFrom(), secret, target: queue.target(), overlapMs: 0, apply: true, ...more });
  const stored = async () => (await newFrom().get(secret)).reveal();
  return { folder, file, first, queue, secret, run, stored, newFrom };
}

const failing = async (work: Promise<unknown>): Promise<SecretError> =>
  work.then(
    () => expect.fail("nothing was thrown"),
    (error) => error,
  );

describe("a dotenv file", () => {
  it("is replaced as a whole: other lines, mode and links stay, and nothing is left beside it", async () => {
    const { folder, file, first, queue, run, stored } = dotenvWorld();
    const link = join(folder, "link.env");
    symlinkSync("jobs.env", link);
    const plan = await run({ apply: false, secret: `dotenv://${link}#TOKEN` });
    expect(plan).toMatchObject({ outcome: "planned", strategy: "static" });
    expect(plan.gap).toContain("from the moment it is set until the new one is written");
    expect(await stored()).toBe(first);
    expect(await run({ secret: `dotenv://${link}#TOKEN` })).toMatchObject({ outcome: "rotated" });
    expect(await stored()).toBe(queue.value);
    const text = readFileSync(file, "utf8");
    expect(text.replace(/^# nopeek: TOKEN written \S+\n/m, "")).toBe(
      `# mine\nA=1\nTOKEN=${queue.value}\nB="2"\n`,
    );
    expect(text.includes(first)).toBe(false);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).sort()).toEqual(["jobs.env", "link.env"]);
  });

  it("a second trigger is a no-op by age", async () => {
    const { run, queue } = dotenvWorld();
    expect(await run({ minAgeMs: dayMs })).toMatchObject({ outcome: "rotated" });
    const { value } = queue;
    expect(await run({ minAgeMs: dayMs })).toMatchObject({ outcome: "fresh", why: "young" });
    expect(queue.value).toBe(value);
    expect(await run()).toMatchObject({ outcome: "rotated" });
  });

  it("two users take turns in two keys, and the other one is revoked after the overlap", async () => {
    const { file, newFrom } = dotenvWorld((value) => `DB_USER=app_a\nDB_PASSWORD=${value}\n`);
    const accepted = new Map([
      ["app_a", (await newFrom().get(`dotenv://${file}#DB_PASSWORD`)).reveal()],
    ]);
    const target: RotationTarget = {
      name: "database",
      strategy: "alternating",
      fields: { id: "DB_USER", secret: "DB_PASSWORD" },
      propose: async (current) => ({
        id: current?.id === "app_a" ? "app_b" : "app_a",
        secret: new Secret(randomValue()),
      }),
      set: async ({ id = "", secret }) => void accepted.set(id, secret.reveal()),
      works: async ({ id = "", secret }) => accepted.get(id) === secret.reveal(),
      list: async () => [...accepted.keys()].map((id) => ({ id })),
      revoke: async ({ id = "" }) => void accepted.delete(id),
    };
    const run = (more: Partial<RotateOptions> = {}) =>
      rotate({
        from: newFrom(),
        secret: `dotenv://${file}`,
        target,
        overlapMs: dayMs,
        apply: true,
        ...more,
      });
    expect(await run()).toMatchObject({ outcome: "rotated", gap: undefined });
    expect([...accepted.keys()]).toEqual(["app_a", "app_b"]);
    expect(await run()).toMatchObject({ outcome: "fresh", why: "overlap" });
    expect(await run({ overlapMs: 0, minAgeMs: dayMs })).toMatchObject({ outcome: "ended" });
    expect([...accepted.keys()]).toEqual(["app_b"]);
    const text = readFileSync(file, "utf8");
    expect(text).toContain("DB_USER=app_b\n");
    expect(text).toContain(`DB_PASSWORD=${accepted.get("app_b")}\n`);
  });

  it("the test fails: the target and the file are as before (17)", async () => {
    const { queue, run, stored, first } = dotenvWorld();
    queue.isDeaf = true;
    const error = await failing(run());
    expect([error.code, queue.value, await stored()]).toEqual([
      "ROTATION_ROLLED_BACK",
      first,
      first,
    ]);
  });

  it("the file cannot be written: the old value is put back on the target (17)", async () => {
    const { queue, run, first, secret } = dotenvWorld();
    const provider = env({ onWarning: () => undefined });
    const unwritable = { ...provider, write: () => Promise.reject(new Error("disk")) };
    const error = await failing(run({ from: createSecrets({ providers: [unwritable] }), secret }));
    expect([error.code, queue.value]).toEqual(["ROTATION_ROLLED_BACK", first]);
    expect(error.message).toContain("could not be written; the stored one is as before");
  });

  it("interrupted between set and write: refused, and repair makes a new one", async () => {
    const { queue, run, stored } = dotenvWorld();
    queue.value = randomToken();
    const error = await failing(run());
    expect(error.code).toBe("ROTATION_REFUSED");
    expect(error.message).toContain("use repair");
    expect(await run({ repair: true })).toMatchObject({ outcome: "rotated" });
    expect(await stored()).toBe(queue.value);
  });

  it("of several at once one rotates, and the others see it", async () => {
    const { queue, run, stored } = dotenvWorld();
    const ended = await Promise.all(Array.from({ length: 5 }, () => run({ minAgeMs: dayMs })));
    const outcomes = ended.map(({ outcome }) => outcome).sort();
    expect(outcomes.filter((outcome) => outcome === "rotated")).toHaveLength(1);
    expect(new Set(outcomes)).not.toContain("ended");
    expect(await stored()).toBe(queue.value);
  });

  it("an issuer whose old key a later run could not tell is refused", async () => {
    const { run } = dotenvWorld();
    const target: RotationTarget = {
      ...new OneValue("x").target(),
      strategy: "issuer",
      list: async () => [],
    };
    expect((await failing(run({ target, overlapMs: dayMs }))).code).toBe("DECLARATION_INVALID");
  });
});

describe("writing keys of dotenv files", () => {
  it.each<readonly [string, string, string]>([
    ["quoted", "A='old'\nB=2\n", "A=VALUE\nB=2\n"],
    ["several lines", 'A="old\nmore"\nB=2', "A=VALUE\nB=2"],
    ["twice: no old value stays", "A=old\nB=2\nA=older\n", "A=VALUE\nB=2\n"],
    [
      "export, and a comment behind it",
      "export A=old # note\nB=2\n",
      "export A=VALUE # note\nB=2\n",
    ],
    ["CRLF", "A=old\r\nB=2\r\n", "A=VALUE\r\nB=2\r\n"],
    ["a name that is the end of another", "AA=1\nXA=2\nA=old\nB=2\n", "AA=1\nXA=2\nA=VALUE\nB=2\n"],
    ["no such key yet, and no line end", "B=2", "B=2\nA=VALUE\n"],
    ["a comment that looks like it", "# A=old\nA=old\nB=2\n", "# A=old\nA=VALUE\nB=2\n"],
  ])("%s", async (_, before, after) => {
    const file = join(scratch(), ".env");
    writeFileSync(file, before, { mode: 0o600 });
    const value = randomToken();
    const secrets = createSecrets({ providers: [env()] });
    await secrets.put(`dotenv://${file}#A`, new Secret(value));
    const text = readFileSync(file, "utf8").replace(/^# nopeek: .*\r?\n/m, "");
    expect(text.replace(value, "VALUE")).toBe(after);
    expect((await secrets.get(`dotenv://${file}#A`)).reveal()).toBe(value);
    expect((await secrets.get(`dotenv://${file}#B`)).reveal()).toBe("2");
  });

  it("any value comes back as it was, or is refused", async () => {
    const file = join(scratch(), ".env");
    const secrets = createSecrets({ providers: [env()] });
    const values = [
      awkwardPassword(),
      "$&$1$`",
      "a b",
      " lead",
      "line\nline",
      "it's",
      'say "x"',
      "#",
      "\\n",
      "a=b=c",
      "'\"`",
    ];
    let refused = 0;
    for (const value of values) {
      writeFileSync(file, "A=old-value\nB=2\n", { mode: 0o600 });
      const from = createSecrets({ providers: [env()] });
      const code = await codeOfLater(() => from.put(`dotenv://${file}#A`, new Secret(value)));
      const found = (
        await createSecrets({ providers: [env()] }).get(`dotenv://${file}#A`)
      ).reveal();
      if (code === "none") expect([value, found]).toEqual([value, value]);
      else expect([code, found]).toEqual(["SECRET_REQUEST_INVALID", "old-value"]);
      refused += code === "none" ? 0 : 1;
    }
    expect(refused).toBeLessThan(3);
    await secrets.close();
  });

  it("a variable of the environment is not written, nor a file that is missing", async () => {
    const secrets = createSecrets({ providers: [env()] });
    expect(await codeOfLater(() => secrets.put("env://A", new Secret("x".repeat(9))))).toBe(
      "SECRET_NOT_WRITABLE",
    );
    expect(
      await codeOfLater(() =>
        secrets.put(`dotenv://${scratch()}/none#A`, new Secret("x".repeat(9))),
      ),
    ).toBe("FILE_NOT_FOUND");
  });
});

describe("the lock of a file", () => {
  it("keeps others out, and is gone afterwards", async () => {
    const folder = scratch();
    const file = join(folder, ".env");
    {
      await using _lock = await lockFile(file);
      expect(await codeOfLater(() => lockFile(file))).toBe("SECRET_CONFLICT");
    }
    expect(readdirSync(folder)).toEqual([]);
    await (await lockFile(file))[Symbol.asyncDispose]();
  });

  it("of a process that was killed is taken over by one of many", async () => {
    const folder = scratch();
    const file = join(folder, ".env");
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], {
      stdio: "ignore",
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const stat = readFileSync(`/proc/${child.pid}/stat`, "latin1");
    const mine = await lockFile(file);
    const holder = JSON.parse(readFileSync(`${file}.nopeek-lock`, "utf8"));
    await mine[Symbol.asyncDispose]();
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    writeFileSync(`${file}.nopeek-lock`, JSON.stringify({ ...holder, pid: child.pid, started }));
    expect(await codeOfLater(() => lockFile(file))).toBe("SECRET_CONFLICT");
    const gone = new Promise((settle) => child.on("exit", settle));
    child.kill("SIGKILL");
    await gone;
    const taken = await Promise.allSettled(Array.from({ length: 20 }, () => lockFile(file)));
    const won = taken.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    expect(won).toHaveLength(1);
    await won[0]?.[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("that is none of ours is not taken over", async () => {
    const file = join(scratch(), ".env");
    writeFileSync(`${file}.nopeek-lock`, "something else");
    expect(await codeOfLater(() => lockFile(file))).toBe("SECRET_CONFLICT");
  });
});

it("a named secret of Modal: no value is read back, other keys stay", async () => {
  await using server = await startSearchedModal();
  server.seedSecret("training", { QUEUE: "old", OTHER: "kept" });
  for (const [name, value] of Object.entries(server.env())) vi.stubEnv(name, value);
  const from = createSecrets({ providers: [modal({ vars: {} })] });
  const queue = new OneValue("old");
  const options = { from, secret: "modal://training#QUEUE", target: queue.target(), overlapMs: 0 };
  expect(await rotate(options)).toMatchObject({
    outcome: "planned",
    gap: expect.stringContaining("queue has one value"),
  });
  expect(await rotate({ ...options, apply: true })).toMatchObject({ outcome: "rotated" });
  expect(server.secret("training")).toEqual({ QUEUE: queue.value, OTHER: "kept" });
  await from.close();
}, 20_000);
