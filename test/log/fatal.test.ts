import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { emptyFolder, root } from "../support/command.ts";
import { runProgram } from "../support/node-program.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken("tok_");
const env = { API_TOKEN: value };
const mask = "[REDACTED:API_TOKEN]";
const preload = ["--import", "nopeek/register"];
const setUp =
  'const value = process.env.API_TOKEN; process.on("exit", (code) => console.log("exit", code));';

const endings: Record<string, string> = {
  "an error": "throw new TypeError('bad ' + value);",
  "an error later": "setTimeout(() => { throw new Error(value); }, 1);",
  "an error with properties":
    "throw Object.assign(new Error('x'), { config: { headers: { value } } });",
  causes: "throw new Error('x', { cause: new AggregateError([new Error(value)], value) });",
  "a text": "throw value;",
  "an object": "throw { value };",
  nothing: "setTimeout(() => { console.error(value); throw undefined; }, 1);",
  "a rejection": "Promise.reject(new Error(value));",
  "a rejection with a text": "Promise.reject(value);",
  "an event": "new (require('node:events'))().emit('error', new Error(value));",
  "an error of a worker":
    "new (require('node:worker_threads').Worker)('throw new Error(process.env.API_TOKEN)', { eval: true });",
};

describe.each(Object.entries(endings))("a program that ends by %s", (_, program) => {
  it("prints it masked and ends with the same code", async () => {
    const options = { env, kind: "commonjs" } as const;
    const [bare, masked] = await Promise.all([
      runProgram(setUp + program, options),
      runProgram(setUp + program, { ...options, nodeArgs: preload }),
    ]);
    // Control: Node prints the value.
    expect(bare.stderr).toContain(value);
    expect(bare).toMatchObject({ code: 1, stdout: "exit 1\n" });
    expect(masked).toMatchObject({ code: 1, stdout: "exit 1\n" });
    expect(masked.stderr).toContain(mask);
    expect(masked.stderr).not.toContain(value);
  });
});

it("leaves the decision to listeners of others, and tells them the error itself", async () => {
  const program = `${setUp}
    process.on("uncaughtExceptionMonitor", (error) => console.log("monitor", error.message === value));
    process.on("uncaughtException", (error) => console.log("listener", error.message === value));
    setTimeout(() => { throw new Error(value); }, 1);
    setTimeout(() => console.log("alive"), 20);`;
  const run = await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
  expect(run).toEqual({
    code: 0,
    stderr: "",
    stdout: "monitor true\nlistener true\nalive\nexit 0\n",
  });
});

it("leaves rejections to listeners of others", async () => {
  const program = `${setUp}
    process.on("unhandledRejection", (reason) => console.log("rejected", reason === value));
    Promise.reject(value);`;
  const run = await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
  expect(run).toEqual({ code: 0, stderr: "", stdout: "rejected true\nexit 0\n" });
});

it("tells the monitors of others before it ends the process", async () => {
  const program = `${setUp}
    process.on("uncaughtExceptionMonitor", (error) => console.log("monitor", error.message === value));
    throw new Error(value);`;
  const run = await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
  expect(run).toMatchObject({ code: 1, stdout: "monitor true\nexit 1\n" });
});

it("leaves the decision to a capture callback", async () => {
  const program = `${setUp}
    process.setUncaughtExceptionCaptureCallback((error) => console.log("captured", error.message));
    throw new Error(value);`;
  const run = await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
  expect(run).toEqual({ code: 0, stderr: "", stdout: `captured ${mask}\nexit 0\n` });
});

it.each(["warn", "none", "strict"])(
  "prints rejections masked: --unhandled-rejections=%s",
  async (mode) => {
    const nodeArgs = [`--unhandled-rejections=${mode}`];
    const options = { env, kind: "commonjs" } as const;
    const program = `${setUp} Promise.reject(new Error(value));`;
    const bare = await runProgram(program, { ...options, nodeArgs });
    const masked = await runProgram(program, { ...options, nodeArgs: [...nodeArgs, ...preload] });
    expect([masked.code, masked.stdout]).toEqual([bare.code, bare.stdout]);
    expect(bare.stderr.includes(value)).toBe(mode !== "none");
    expect(masked.stderr).not.toContain(value);
    expect(masked.stderr.includes(mask)).toBe(mode !== "none");
  },
);

it("prints warnings masked", async () => {
  const program = `${setUp}
    process.emitWarning(value, { code: value, detail: value });
    process.emitWarning(Object.assign(new Error(value), { name: value, toString: () => value }));
    process.emitWarning("plain");`;
  const bare = await runProgram(program, { env, kind: "commonjs" });
  const masked = await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
  expect(bare.stderr.split(value).length).toBeGreaterThan(3);
  expect(masked).toMatchObject({ code: 0, stdout: "exit 0\n" });
  expect(masked.stderr).toContain(`Warning: ${mask}`);
  expect(masked.stderr).toContain("Warning: plain");
  expect(masked.stderr).not.toContain(value);
});

const atExit = {
  "the end": { last: "", more: "" },
  "process.exit": { last: "process.exit(0);", more: "" },
  "process.exit in a listener": {
    last: 'process.on("exit", () => process.exit(0)); process.exit(0);',
    more: "",
  },
  "a listener that throws": {
    last: 'process.on("uncaughtException", () => {}); process.on("exit", () => { throw 1; });',
    more: "",
  },
  "a listener that prints": {
    last: 'process.on("exit", () => process.stdout.write("!" + value + "!" + value.slice(0, 9)));',
    more: `!${mask}!${value.slice(0, 9)}`,
  },
};
it.each(Object.entries(atExit))("writes what is held at %s", async (_, { last, more }) => {
  const program = `const value = process.env.API_TOKEN; process.stdout.write("held " + value.slice(0, 9)); ${last}`;
  const run = await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
  expect([run.stdout, run.stderr]).toEqual([`held ${value.slice(0, 9)}${more}`, ""]);
});

it("masks a value whose second half is printed by a listener of the end", async () => {
  const program = `const value = process.env.API_TOKEN; process.stdout.write(value.slice(0, 9));
    process.on("exit", () => process.stdout.write(value.slice(9)));`;
  const run = await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
  expect(run).toEqual({ code: 0, stderr: "", stdout: mask });
});

// A quarter of the shortest value that may begin there: a rule takes passwords below 8 bytes.
it.each([
  ["say: ", 4],
  ["password: ", 1],
])("shows what it holds after %j and a pause: %i of it", async (prompt, count) => {
  const program = `const value = process.env.API_TOKEN;
    process.stdout.write(${JSON.stringify(prompt)} + value.slice(0, 9));
    setTimeout(() => { require("node:fs").writeSync(1, "<pause>"); process.stdout.write(value.slice(9)); }, 150);`;
  const run = await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
  expect(run.stdout).toBe(`${prompt}${value.slice(0, count)}<pause>${mask}`);
});

describe("limits: what goes past the streams is not seen in the process itself", () => {
  const limits: Record<string, string> = {
    "fs.writeSync": 'require("node:fs").writeSync(1, value + "\\n");',
    "process._rawDebug": "process._rawDebug(value);",
    "a child process that inherits the streams":
      'require("node:child_process").execFileSync(process.execPath, ["-p", "process.env.API_TOKEN"], { stdio: "inherit" });',
    "an error in a listener of uncaught errors":
      'process.on("uncaughtException", () => { throw new Error(value); }); throw new Error("first");',
  };

  it.each(Object.entries(limits))(
    "%s prints under register, and not under nopeek run",
    async (_, program) => {
      const text = `const value = process.env.API_TOKEN; ${program}`;
      const inside = await runProgram(text, { env, kind: "commonjs", nodeArgs: preload });
      expect(inside.stdout + inside.stderr).toContain(value);
      const args = ["run", "--secret", "API_TOKEN", "--", process.execPath, ...preload, "-e", text];
      const covered = spawnSync(process.execPath, ["dist/src/cli/bin.js", ...args], {
        cwd: root,
        env: { PATH: process.env["PATH"] ?? "", ...env },
        encoding: "utf8",
      });
      expect(covered.stdout + covered.stderr).toContain(mask);
      expect(covered.stdout + covered.stderr).not.toContain(value);
    },
  );

  it("a report holds the environment", async () => {
    const file = join(emptyFolder(), "report.json");
    const program = `process.report.writeReport(${JSON.stringify(file)});`;
    await runProgram(program, { env, kind: "commonjs", nodeArgs: preload });
    expect(readFileSync(file, "utf8")).toContain(value);
  });
});

it.each(["module", "commonjs"] as const)("tells of a syntax error in a %s", async (kind) => {
  const run = await runProgram("const a = = 1;", { env, kind, nodeArgs: preload });
  expect(run).toMatchObject({ code: 1, stdout: "" });
  expect(run.stderr).toContain("SyntaxError: Unexpected token '='");
  // The place is in the error itself only where it was required.
  if (kind === "commonjs") expect(run.stderr).toContain("const a = = 1;");
});
