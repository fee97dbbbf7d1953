import { describe, expect, it } from "vitest";
import { runProgram } from "../support/node-program.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken("tok_");
const env = { VALUE: value };
const head = `
  import { Secret } from "nopeek";
  import { redactConsole, redactStdio } from "nopeek/log";
  import { createRedactor } from "nopeek/redact";
  const value = process.env.VALUE;
  const secret = new Secret(value, { name: "T" });
  const { stdout } = process;
`;
const run = (program: string) => runProgram(head + program, { env });

it("keeps what streams answer: returns, callbacks, errors, events", async () => {
  const probe = `
    const answers = [];
    const attempt = (write) => { try { return write(); } catch (error) { return error.code; } };
    const take = async (name) => {
      const got = [];
      const done = (...args) => got.push(args.map((a) => a?.code ?? a));
      got.push(attempt(() => stdout.write("a")), attempt(() => stdout.write("b", done)));
      got.push(attempt(() => stdout.write("c", "latin1", done)), attempt(() => stdout.write("", done)));
      for (const wrong of [null, 7, {}, undefined]) got.push(attempt(() => stdout.write(wrong)));
      got.push(attempt(() => stdout.write("x", "no-encoding")));
      got.push(attempt(() => stdout.write(new Uint16Array(2))));
      await new Promise((settle) => setTimeout(settle, 10));
      got.push(stdout.writableLength, stdout.listenerCount("error"), stdout.isTTY, stdout.fd);
      return got;
    };
    const before = await take();
    const masked = redactStdio();
    const during = await take();
    masked[Symbol.dispose]();
    const after = await take();
    console.error(JSON.stringify([before, during, after]));`;
  const { stderr, stdout, code } = await run(probe);
  const [before, during, after] = JSON.parse(stderr);
  expect(during).toEqual(before);
  expect(after).toEqual(before);
  expect([code, stdout]).toEqual([0, "abc\0\0\0\0".repeat(3)]);
});

it("keeps backpressure: returns false, drains, loses nothing", async () => {
  const { stdout, code } = await run(`
    redactStdio();
    const line = "x".repeat(1023) + "\\n";
    let waits = 0;
    for (let i = 0; i < 2000; i++) {
      if (!stdout.write(i % 100 === 0 ? line.slice(0, -1) + value + "\\n" : line)) {
        waits++;
        await new Promise((settle) => stdout.once("drain", settle));
      }
    }
    await new Promise((settle) => stdout.end("last " + value, settle));`);
  expect(code).toBe(0);
  expect(stdout.length).toBe(2000 * 1024 + 20 * 12 + "last ".length + 12);
  expect(stdout).not.toContain(value);
  expect(stdout.endsWith("last [REDACTED:T]")).toBe(true);
});

it("passes bytes that are no text as they are", async () => {
  const { stdout } = await run(`
    redactStdio();
    stdout.write(Buffer.from([0, 255, 254, 195]));
    stdout.write(Buffer.from([164, 10]));
    stdout.write("\\ud800|");`);
  expect(stdout).toBe("\0\ufffd\ufffdä\n\ufffd|");
});

it("gives everything back, in any order, and writes what is held", async () => {
  const { stdout } = await run(`
    const names = ["write", "end", "_write", "_writev"];
    const own = () => names.filter((name) => Object.hasOwn(stdout, name)).join();
    const before = own();
    const [first, second] = [redactStdio(), redactStdio(createRedactor({ secrets: [secret] }))];
    stdout.write(value.slice(0, 9));
    first[Symbol.dispose]();
    stdout.write(value.slice(9) + "\\n");
    console.log(value);
    second[Symbol.dispose]();
    second[Symbol.dispose]();
    console.log(value, process.listenerCount("warning"));`);
  const [cut, masked, restored] = stdout.split("\n");
  // The state of the first is gone with it: the second had the beginning passed on, and held.
  expect(cut).toBe("[REDACTED:T]");
  expect(masked).toBe("[REDACTED:T]");
  expect(restored).toBe(`${value} 1`);
});

describe("beside other replacements of write", () => {
  it("an earlier one gets masked text", async () => {
    const { stdout, stderr } = await run(`
      const taken = [];
      const write = stdout.write;
      stdout.write = function (chunk, ...rest) { taken.push(String(chunk)); return write.call(this, "> " + chunk, ...rest); };
      redactStdio();
      stdout.write(value + "\\n");
      stdout.write("held " + value.slice(0, 9));
      stdout.write(value.slice(9) + "\\n");
      console.error(JSON.stringify(taken));`);
    expect(JSON.parse(stderr)).toEqual(["[REDACTED:T]\n", "held ", "[REDACTED:T]\n"]);
    expect(stdout).toBe("> [REDACTED:T]\n> held > [REDACTED:T]\n");
  });

  it("an earlier one that prints values itself is masked too", async () => {
    const { stdout } = await run(`
      const write = stdout.write;
      stdout.write = (chunk, ...rest) => { write.call(stdout, value + "|"); return write.call(stdout, chunk, ...rest); };
      redactStdio();
      stdout.write("text\\n");`);
    expect(stdout).toBe("[REDACTED:T]|text\n");
  });

  it("a later one stays when ours is disposed", async () => {
    const { stdout } = await run(`
      const masked = redactStdio();
      const write = stdout.write;
      stdout.write = (chunk) => write.call(stdout, "later " + chunk);
      stdout.write(value + "\\n");
      masked[Symbol.dispose]();
      stdout.write(value + "\\n");`);
    expect(stdout).toBe(`later [REDACTED:T]\nlater ${value}\n`);
  });
});

it("masks with a redactor of one's own, and a secret that is added later", async () => {
  const { stdout } = await run(`
    const redactor = createRedactor({ secrets: [], unwrap: false });
    redactStdio(redactor);
    stdout.write(value.slice(0, 9));
    redactor.add(secret);
    console.log(value);`);
  expect(stdout).toBe(`${value.slice(0, 9)}[REDACTED:T]\n`);
});

it("a listener of findings may print", async () => {
  const { stdout, stderr } = await run(`
    const onFinding = ({ name }) => console.log("found", name);
    const listening = createRedactor({ secrets: [secret], onFinding, unwrap: false });
    redactStdio(listening);
    console.log("a", value, "b", value);
    stdout.write(value.slice(0, 9));
    stdout.write(value.slice(9) + "!\\n");`);
  expect(stderr).toBe("");
  const lines = stdout.split("\n");
  expect(lines.filter((line) => line === "found T")).toHaveLength(3);
  expect(lines.filter((line) => line !== "found T")).toEqual([
    "a [REDACTED:T] b [REDACTED:T]",
    "[REDACTED:T]!",
    "",
  ]);
});

it("looks at every kind of chunk once", async () => {
  const { stdout, stderr } = await run(`
    import { reviewRules } from "nopeek/detect";
    const found = [];
    const onFinding = ({ rule, isMasked }) => found.push(rule + " " + isMasked);
    const options = { secrets: [], rules: [reviewRules], onFinding, unwrap: false };
    const masked = redactStdio(createRedactor(options));
    const bytes = Buffer.from("cat ../../x\\n");
    const chunks = [String(bytes), bytes, new Uint8Array(bytes)];
    for (const chunk of chunks) stdout.write(chunk);
    stdout.write(bytes.toString("hex"), "hex");
    masked[Symbol.dispose]();
    console.error(found.length, new Set(found).size);`);
  expect(stderr).toBe("4 1\n");
  expect(stdout).toBe("cat ../../x\n".repeat(4));
});

it("masks chunks that lie about themselves", async () => {
  const { stdout } = await run(`
    redactStdio();
    const bytes = () => Buffer.from(value + "\\n");
    class Short extends Uint8Array {
      subarray() { return new Uint8Array(0); }
      get length() { return 0; }
    }
    stdout.write(new Short(bytes()));
    stdout.write(Object.defineProperty(bytes(), "length", { value: 0 }));
    stdout.write(Object.defineProperty(bytes(), "toString", { value: () => "clean" }));
    stdout.write(Object.setPrototypeOf(bytes(), Uint8Array.prototype));`);
  expect(stdout).toBe("[REDACTED:T]\n".repeat(4));
});

it("makes its filters at the first write", async () => {
  const { stdout } = await run(`
    const redactor = createRedactor({ secrets: [secret] });
    let made = 0;
    redactStdio({ ...redactor, chunks: () => (made++, redactor.chunks()) });
    const before = made;
    stdout.write(value);
    console.log(before, made);`);
  expect(stdout).toBe("[REDACTED:T]0 1\n");
});

const consoleCalls = `
  console.table([{ a: value, [value]: 1 }]);
  console.dir({ deep: { a: { b: { c: value } } } }, { depth: null, colors: true });
  console.trace(value);
  console.group(value);
  console.log("in\\n" + value, new Error(value).message);
  console.groupEnd();
  console.time(value);
  console.timeLog(value, value);
  console.timeEnd(value);
  console.count(value);
  console.assert(false, value);
  console.dirxml({ value });
  console.warn("%s %o %j %d", value, { value }, { value }, value);`;
it.each(["redactConsole", "redactStdio"])(
  "masks every method of the console: %s",
  async (dropIn) => {
    const masked = await run(`${dropIn}();${consoleCalls}`);
    const bare = await run(consoleCalls);
    const count = (text: string, part: string) => text.split(part).length - 1;
    const [outputs, controls] = [masked, bare].map(({ stdout, stderr }) => stdout + stderr);
    // Control: as often as each value stands there without us.
    expect(count(controls ?? "", value)).toBe(16);
    expect(count(outputs ?? "", "[REDACTED:T]")).toBe(16);
    expect(outputs).not.toContain(value);
  },
);

it("redactConsole restores the console, and leaves the streams alone", async () => {
  const { stdout } = await run(`
    const masked = redactConsole();
    console.log(value);
    console.table([{ value }]);
    stdout.write(value + "\\n");
    console.log(console._stdout.isTTY === stdout.isTTY, stdout.listenerCount("error"));
    masked[Symbol.dispose]();
    console.log(value, console._stdout === stdout);`);
  const lines = stdout.split("\n");
  expect(lines[0]).toBe("[REDACTED:T]");
  expect(lines.slice(1, 6).join("")).toContain("[REDACTED:T]");
  expect(lines.slice(6)).toEqual([value, "true 0", `${value} true`, ""]);
});

it("a worker that is started with register masks for itself, and ends as it would", async () => {
  const { stdout, stderr, code } = await runProgram(
    `import { Worker } from "node:worker_threads";
     const program = "process.stdout.write('worker ' + process.env.API_TOKEN + ' ' + process.env.API_TOKEN.slice(0, 9)); throw new Error(process.env.API_TOKEN)";
     const worker = new Worker(program, { eval: true });
     worker.on("error", (error) => process.stderr.write("error " + error.message));`,
    { env: { API_TOKEN: value }, nodeArgs: ["--import", "nopeek/register"] },
  );
  expect([code, stderr]).toEqual([0, "error [REDACTED:API_TOKEN]"]);
  expect(stdout).toBe(`worker [REDACTED:API_TOKEN] ${value.slice(0, 9)}`);
});
