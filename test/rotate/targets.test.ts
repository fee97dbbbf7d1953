/** What a rotation makes, and the targets that programs and people stand for. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createSecrets, Secret } from "nopeek";
import { env } from "nopeek/adapters/env";
import {
  command,
  entropyBits,
  pasted,
  type RandomOptions,
  randomValue,
  rotate,
} from "nopeek/rotate";
import { memory } from "nopeek/testing";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { bin, emptyFolder } from "../support/command.ts";
import { allProcesses } from "../support/postgres.ts";
import { programs } from "../support/rotation.ts";
import { codeOfLater, scratch } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

const context = { signal: new AbortController().signal };

describe("a random value", () => {
  it("has the length, the alphabet and the entropy that it says", () => {
    expect(randomValue()).toMatch(/^[\w-]{43}$/);
    expect(entropyBits()).toBe(258);
    expect(randomValue({ length: 32, alphabet: "0123456789abcdef" })).toMatch(/^[0-9a-f]{32}$/);
    expect(entropyBits({ length: 32, alphabet: "0123456789abcdef" })).toBe(128);
    expect(new Set(Array.from({ length: 1_000 }, () => randomValue())).size).toBe(1_000);
  });

  it.each(["0123456789", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_!"])(
    "every character of %s is equally likely",
    (alphabet) => {
      const length = 1_000;
      const counts = new Map<string, number>();
      for (let i = 0; i < 400; i += 1) {
        for (const character of randomValue({ length, alphabet })) {
          counts.set(character, (counts.get(character) ?? 0) + 1);
        }
      }
      // Chi-squared with k - 1 degrees of freedom; six deviations from its mean.
      const expected = (400 * length) / alphabet.length;
      const statistic = [...alphabet].reduce(
        (sum, character) => sum + ((counts.get(character) ?? 0) - expected) ** 2 / expected,
        0,
      );
      const degrees = alphabet.length - 1;
      expect(statistic).toBeLessThan(degrees + 6 * Math.sqrt(2 * degrees));
      expect(counts.size).toBe(alphabet.length);
    },
  );

  it.each<readonly [string, RandomOptions]>([
    ["too little entropy", { length: 8 }],
    ["a character twice", { alphabet: "aab" }],
    ["one character", { alphabet: "a", length: 1_000 }],
    ["what is not printable", { alphabet: "ab\n", length: 1_000 }],
    ["no length", { length: 0 }],
    ["too long", { length: 5_000 }],
  ])("%s is refused", (_, options) => {
    expect(() => randomValue(options)).toThrow(
      expect.objectContaining({ code: "DECLARATION_INVALID" }),
    );
  });
});

describe("a command", () => {
  function target(more: object = {}) {
    const folder = scratch();
    mkdirSync(join(folder, "accepted"));
    const made = programs(folder);
    return {
      folder,
      target: command({ ...made, ...more }),
      seen: () => readFileSync(join(folder, "seen"), "utf8"),
    };
  }

  it("gets the value on its input; its arguments, environment and output hold none", async () => {
    const { target: programmed, seen } = target({ pass: ["HOME", "MINE", "HOLDING"] });
    const value = randomToken();
    const secret = new Secret(value);
    vi.stubEnv("MINE", "passed on");
    vi.stubEnv("HOLDING", `url://${value}@host`);
    vi.stubEnv("OTHER", "not passed on");
    const changing = { ...context, current: undefined, leaked: false, isWanted: async () => true };
    expect(await programmed.works({ secret }, context)).toBe(false);
    await programmed.set?.({ secret }, changing);
    expect(await programmed.works({ secret }, context)).toBe(true);
    await programmed.revoke?.({ secret }, changing);
    expect(await programmed.works({ secret }, context)).toBe(false);
    expect(seen()).toContain("MINE=passed on");
    expect(seen().includes(value)).toBe(false);
    expect(seen()).not.toContain("OTHER=");
    vi.unstubAllEnvs();
    expect(allProcesses().includes(value)).toBe(false);
  });

  it("is static where it cannot revoke, and says so before it starts", async () => {
    const { target: programmed, folder } = target({ revoke: undefined });
    const value = randomToken();
    await programmed.set?.(
      { secret: new Secret(value) },
      { ...context, current: undefined, leaked: false, isWanted: async () => true },
    );
    const from = createSecrets({ providers: [memory({ "s://x": value })] });
    const plan = await rotate({ from, secret: "s://x", target: programmed, overlapMs: 0 });
    expect(plan).toMatchObject({
      strategy: "static",
      gap: expect.stringContaining("the command has one value"),
    });
    expect(folder).toBeDefined();
  });

  it("an exit code that says nothing, a signal, a time limit and a missing program are errors", async () => {
    const secret = new Secret(randomToken());
    const works = (argv: string[], more: object = {}) =>
      codeOfLater(() => command({ works: argv, ...more }).works({ secret }, context));
    expect(await works(["sh", "-c", "exit 3"])).toBe("SECRET_UNREACHABLE");
    expect(await works(["sh", "-c", "kill -9 $$"])).toBe("SECRET_UNREACHABLE");
    expect(await works(["sleep", "30"], { timeoutMs: 50 })).toBe("SECRET_UNREACHABLE");
    expect(await works(["/none/such"])).toBe("COMMAND_NOT_FOUND");
    expect(await works(["true", secret.reveal()])).toBe("COMMAND_HOLDS_SECRET");
    // Control: it need not read its input.
    expect(await works(["true"])).toBe("none");
  });

  it("ends at its time limit with what it started, and a missing program leaves no timer", async () => {
    const folder = scratch();
    const secret = new Secret(randomToken());
    const script = `sleep 600 & echo $! > "${folder}/pid"; wait`;
    const slow = command({ works: ["sh", "-c", script], timeoutMs: 1_000 });
    expect(await codeOfLater(() => slow.works({ secret }, context))).toBe("SECRET_UNREACHABLE");
    const stat = `/proc/${readFileSync(join(folder, "pid"), "utf8").trim()}/stat`;
    // Dead: gone, or not yet waited for by whoever took it over.
    await vi.waitFor(() => {
      const state = existsSync(stat) ? readFileSync(stat, "utf8").split(") ")[1]?.[0] : "gone";
      expect(["gone", "Z"]).toContain(state);
    });
    const timers = () => process.getActiveResourcesInfo().filter((each) => each === "Timeout");
    const before = timers().length;
    const missing = command({ works: ["/none/such"] });
    expect(await codeOfLater(() => missing.works({ secret }, context))).toBe("COMMAND_NOT_FOUND");
    expect(timers().length).toBeLessThanOrEqual(before);
  });

  it("a set that says it failed is rolled back, however lax the test is", async () => {
    const value = randomToken();
    const folder = scratch();
    const file = join(folder, "a.env");
    writeFileSync(file, `TOKEN=${value}\n`, { mode: 0o600 });
    const run = (set: string[]) =>
      codeOfLater(() =>
        rotate({
          from: createSecrets({ providers: [env({ onWarning: () => undefined })] }),
          secret: `dotenv://${file}#TOKEN`,
          target: command({ set, works: ["true"] }),
          overlapMs: 0,
          apply: true,
        }),
      );
    expect(await run(["sh", "-c", "cat > /dev/null; exit 1"])).toBe("ROTATION_ROLLED_BACK");
    expect(readFileSync(file, "utf8")).toContain(`TOKEN=${value}\n`);
    // A killed run would leave a value that no store knows: the plan tells so, where that can be.
    const plan = (more: object) =>
      rotate({
        from: createSecrets({ providers: [env({ onWarning: () => undefined })] }),
        ...{ secret: `dotenv://${file}#TOKEN`, overlapMs: 0 },
        target: command({ set: ["true"], works: ["true"], ...more }),
      });
    expect((await plan({ revoke: ["true"] })).gap).toContain("no later run knows it");
    expect((await plan({})).gap).not.toContain("no later run knows it");
    // Control: an end that says nothing is decided by the test.
    expect(await run(["sh", "-c", "kill -9 $$"])).toBe("none");
    expect(readFileSync(file, "utf8")).not.toContain(value);
  });
});

describe("a pasted token", () => {
  it("without a terminal says how to give it", async () => {
    const target = pasted({ works: async () => true, revokeAt: "https://hub.example/tokens" });
    const { isTTY } = process.stdin;
    Object.defineProperty(process.stdin, "isTTY", { value: false, configurable: true });
    onTestFinished(
      () =>
        void Object.defineProperty(process.stdin, "isTTY", { value: isTTY, configurable: true }),
    );
    await expect(target.propose(null, context)).rejects.toMatchObject({
      code: "ROTATION_REFUSED",
      message: expect.stringContaining("--value-stdin"),
    });
  });

  const hasScript = spawnSync("script", ["--version"]).status === 0;
  it.skipIf(!hasScript)(
    "is asked for on a terminal that shows nothing (needs script)",
    async () => {
      const value = randomToken();
      const config = {
        rotations: {
          hub: {
            secret: "dotenv://.env#TOKEN",
            target: { type: "pasted", works: ["true"], revokeAt: "https://hub.example/tokens" },
            overlapMs: 0,
          },
        },
      };
      const folder = emptyFolder({
        "nopeek.config.json": JSON.stringify(config),
        ".env": `TOKEN=${randomToken()}\n`,
      });
      const line = `'${process.execPath}' -- '${bin}' rotate hub --yes`;
      const child = spawn("script", ["-qec", line, "/dev/null"], {
        cwd: folder,
        env: { PATH: process.env["PATH"] ?? "" },
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      const output = text(child.stdout);
      await new Promise<void>((asked) => {
        child.stdout.on("data", (chunk) => String(chunk).includes("new token") && asked());
      });
      child.stdin.write(`wrong\u007f\u007f\u007f\u007f\u007f${value}\r`);
      const code = await new Promise((settle) => child.on("close", settle));
      expect(code).toBe(0);
      expect((await output).includes(value)).toBe(false);
      expect(await output).toContain("to do: revoke the old token at https://hub.example/tokens");
      expect(readFileSync(join(folder, ".env"), "utf8")).toContain(`TOKEN=${value}\n`);
    },
    20_000,
  );
});
