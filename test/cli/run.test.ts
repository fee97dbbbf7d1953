import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { allowedVariables, globPattern } from "nopeek/launch";
import { expect, it } from "vitest";
import { emptyFolder, finish, firstLine, job, nopeek, start } from "../support/command.ts";
import { printedForms } from "../support/printed-forms.ts";
import { awkwardPassword, privateKeyPem, randomToken } from "../support/values.ts";

const printToken = "console.log('token=' + process.env.HF_TOKEN)";

it("injects a secret and masks it in the output", async () => {
  const token = randomToken("hf_");
  const run = await nopeek(["run", "--secret", "HF_TOKEN", ...job(printToken)], {
    env: { HF_TOKEN: token },
  });
  expect(run).toMatchObject({ code: 0, stdout: "token=[REDACTED:HF_TOKEN]\n" });
  expect(run.stderr).toBe(
    "nopeek: leaked to stdout: HF_TOKEN (raw); masked\nnopeek: masked 1 value in the output: HF_TOKEN (raw 1)\n",
  );
});

it("says nothing of its own when all is well", async () => {
  const run = await nopeek(["exec", "--secret", "HF_TOKEN", ...job("console.log('fine')")], {
    env: { HF_TOKEN: randomToken() },
  });
  expect(run).toMatchObject({ code: 0, stdout: "fine\n", stderr: "" });
});

it("masks every printed form on both streams, split and with pauses, through the command", async () => {
  const values = { token: randomToken(), password: awkwardPassword(), pem: privateKeyPem() };
  // The job gets the printed forms as a file: nothing of this goes through the command line.
  const printed = printedForms.map((form) => form.print(values[form.value]));
  const folder = emptyFolder({ "forms.json": JSON.stringify(printed) });
  const program = `
    const forms = JSON.parse(require("fs").readFileSync("forms.json", "utf8"));
    const sleep = (ms) => new Promise((settle) => setTimeout(settle, ms));
    (async () => {
      for (const stream of [process.stdout, process.stderr]) {
        for (const form of forms) {
          stream.write("<" + form + ">\\n");
          for (const c of Buffer.from("<" + form + ">\\n")) stream.write(Buffer.from([c]));
        }
        const bytes = forms.map((form) => Buffer.from(form));
        for (const form of bytes) {
          stream.write("<");
          stream.write(form.subarray(0, form.length / 2));
          await sleep(40);
          stream.write(form.subarray(form.length / 2));
          stream.write(">\\n");
        }
      }
    })();`;
  const args = Object.keys(values).flatMap((name) => ["--secret", name.toUpperCase()]);
  const env = { TOKEN: values.token, PASSWORD: values.password, PEM: values.pem };
  // No line about a leak between those of the job: on a busy machine it may cut one of them.
  const quiet = ["--on-leak", "redact"];
  const run = await nopeek(["run", ...quiet, ...args, ...job(program)], { cwd: folder, env });
  expect(run.code).toBe(0);
  const stderr = run.stderr.split("\n").filter((line) => !line.startsWith("nopeek: "));
  for (const text of [run.stdout, stderr.join("\n")]) {
    for (const form of printed) expect(text).not.toContain(form);
    const cells = text.match(/<[^<>]*(?:\[REDACTED:\w+\])>/g) ?? [];
    expect(cells).toHaveLength(printed.length * 3);
    const shown = cells.map((cell) => cell.slice(1, -1).replace(/\[REDACTED:\w+\]/, ""));
    const codes = /\x1b(\[[\d;]*m?)?/g;
    expect(Math.max(...shown.map((rest) => rest.replace(codes, "").length))).toBeLessThanOrEqual(4);
    // Byte by byte a busy machine may pause too; written whole there is nothing to hold back.
    const whole = shown.slice(0, printed.length * 2).filter((_, index) => index % 2 === 0);
    expect(whole.join("")).toBe("");
  }
  expect(run.stderr).toMatch(/nopeek: masked \d+ values in the output: .*TOKEN \(/);
}, 60_000);

it("control: the same job leaks without nopeek", async () => {
  const token = randomToken("hf_");
  const { spawnSync } = await import("node:child_process");
  const { stdout } = spawnSync(process.execPath, ["-e", printToken], {
    env: { HF_TOKEN: token },
    encoding: "utf8",
  });
  expect(stdout).toContain(token);
});

it("builds the environment from nothing", async () => {
  const clouds = ["AWS", "GCP", "AZURE", "MODAL", "GOOGLE", "WANDB"];
  const kinds = ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "PASSWORD"];
  const names = clouds.flatMap((cloud) => kinds.map((kind) => `${cloud}_${kind}`));
  const env: Record<string, string> = Object.fromEntries(
    names.map((name) => [name, randomToken()]),
  );
  Object.assign(env, {
    LD_PRELOAD: "",
    NODE_OPTIONS: "",
    TORCH_HOME: "/t",
    HF_HUB_TOKEN: "x",
    TERM: "dumb",
  });
  const run = await nopeek(
    [
      "run",
      "--secret",
      "WANDB_PASSWORD",
      "--env",
      "SEED=7",
      ...job("console.log(Object.keys(process.env).join())"),
    ],
    { env },
  );
  const got = run.stdout.trim().split(",").sort();
  const own = ["NOPEEK_RUN_ID", "NOPEEK_SECRETS", "PYTHONUNBUFFERED", "SEED", "WANDB_PASSWORD"];
  expect(got).toEqual(["HOME", "PATH", "TERM", "TORCH_HOME", ...own].sort());
  expect(run.stderr).toContain("not passed to the job: AWS_ACCESS_KEY_ID, ");
  expect(run.stderr).not.toContain(env["AWS_ACCESS_KEY_ID"]);
  const listed = allowedVariables.map(globPattern);
  expect(listed.some((pattern) => pattern.test("AWS_PROFILE"))).toBe(false);
});

it("passes what --pass names, but no credential", async () => {
  const env = { RUN_KIND: "a", RUN_TOKEN: randomToken(), OTHER: "b" };
  const run = await nopeek(
    ["run", "--pass", "RUN_*", ...job("console.log(Object.keys(process.env).join())")],
    { env },
  );
  expect(run.stdout).toContain("RUN_KIND");
  expect(run.stdout).not.toContain("RUN_TOKEN");
  expect(run.stdout).not.toContain("OTHER");
});

it("masks the password of a proxy that the job has to know", async () => {
  const password = randomToken("");
  const run = await nopeek(["run", ...job("console.log(process.env.HTTPS_PROXY)")], {
    env: { HTTPS_PROXY: `http://user:${password}@proxy:3128` },
  });
  expect(run.stdout).toBe("[REDACTED:HTTPS_PROXY]\n");
});

it("runs a realistic .env and leaves ordinary values alone", async () => {
  const token = randomToken("hf_");
  const password = randomToken("");
  const dotenv = `PORT=8080\nDEBUG=true\nAWS_REGION=us-east-1\nWANDB_ENTITY=acme\nLOG_DIR=/var/log/train\nDATABASE_URL=postgres://ml:${password}@db.internal:5432/ml\nHF_TOKEN=${token}\n`;
  const program =
    "const e = process.env; console.log(e.PORT, e.DEBUG, e.AWS_REGION, e.WANDB_ENTITY, e.LOG_DIR); console.log(e.DATABASE_URL, e.HF_TOKEN, e.DATABASE_URL.slice(14, -20))";
  const run = await nopeek(["run", ...job(program)], { cwd: emptyFolder({ ".env": dotenv }) });
  const [plain, secret] = run.stdout.split("\n");
  expect(plain).toBe("8080 true us-east-1 acme /var/log/train");
  expect(secret).toBe("[REDACTED:DATABASE_URL] [REDACTED:HF_TOKEN] [REDACTED:DATABASE_URL]");
  const notices = run.stderr.trim().split("\n");
  expect(notices[0]).toBe(
    "nopeek: passed as plain, not masked: PORT, DEBUG, AWS_REGION, WANDB_ENTITY, LOG_DIR",
  );
  // One line for each that leaked, and the summary.
  expect(notices).toHaveLength(4);
});

it("takes --secret before the environment, a later file before an earlier one", async () => {
  const [a, b, c, d] = [randomToken("a"), randomToken("b"), randomToken("c"), randomToken("d")];
  const cwd = emptyFolder({
    "one.env": `FIRST=${a}\nSECOND=${a}\nTHIRD=${a}\nFOURTH='dotenv://two.env#FIRST'\nEMPTY=${d}\n`,
    "two.env": `FIRST=${b}\nSECOND=${b}\nEMPTY=\n`,
  });
  const program =
    "const e = process.env; require('fs').writeFileSync('got', [e.FIRST, e.SECOND, e.THIRD, e.FOURTH, e.EMPTY].join())";
  const files = ["--env-file", "one.env", "--env-file", "two.env"];
  const run = await nopeek(["run", ...files, "--secret", "FIRST=env://OTHER", ...job(program)], {
    cwd,
    env: { SECOND: c, OTHER: d },
  });
  expect(run.code).toBe(0);
  expect(readFileSync(join(cwd, "got"), "utf8")).toBe([d, c, a, b, d].join());
});

it("delivers a secret as a private file and removes it", async () => {
  const token = randomToken("hf_");
  const cwd = emptyFolder({
    "nopeek.config.json": JSON.stringify({
      secrets: { HF_TOKEN: { from: "env://HF_TOKEN", as: "file" } },
    }),
  });
  const program =
    "const fs = require('fs'); const f = process.env.HF_TOKEN; console.log(f, (fs.statSync(f).mode & 0o777).toString(8), (fs.statSync(require('path').dirname(f)).mode & 0o777).toString(8), fs.readFileSync(f, 'utf8'))";
  const run = await nopeek(["run", ...job(program)], { cwd, env: { HF_TOKEN: token } });
  const [path = "", fileMode, folderMode, content] = run.stdout.trim().split(" ");
  expect([fileMode, folderMode, content]).toEqual(["600", "700", "[REDACTED:HF_TOKEN]"]);
  expect(existsSync(path)).toBe(false);
});

it("sweeps the files that a killed run left behind", async () => {
  const cwd = emptyFolder({
    "nopeek.config.json": JSON.stringify({
      secrets: { HF_TOKEN: { from: "env://HF_TOKEN", as: "file" } },
    }),
  });
  const env = { HF_TOKEN: randomToken() };
  const killed = start(
    ["run", ...job("console.log(process.env.HF_TOKEN, process.pid); setTimeout(() => {}, 20000)")],
    { cwd, env },
  );
  const line = await firstLine(killed);
  const [path = "", pid = ""] = line.trim().split(" ");
  killed.kill("SIGKILL");
  await finish(killed);
  expect(existsSync(path)).toBe(true);
  process.kill(Number(pid), "SIGKILL");
  expect((await nopeek(["run", ...job("")], { cwd, env })).code).toBe(0);
  expect(existsSync(path)).toBe(false);
});

it("writes a private transcript and events, redacted", async () => {
  const token = randomToken("hf_");
  const cwd = emptyFolder();
  const args = ["--secret", "HF_TOKEN", "--log", "run.log", "--events", "events.jsonl"];
  const run = await nopeek(
    ["run", ...args, ...job(`${printToken}; console.error(process.env.HF_TOKEN); process.exit(5)`)],
    { cwd, env: { HF_TOKEN: token } },
  );
  expect(run.code).toBe(5);
  expect(readFileSync(join(cwd, "run.log"), "utf8").split("\n").sort()).toEqual([
    "",
    "[REDACTED:HF_TOKEN]",
    "token=[REDACTED:HF_TOKEN]",
  ]);
  for (const file of readdirSync(cwd)) expect(statSync(join(cwd, file)).mode & 0o777).toBe(0o600);
  const events = readFileSync(join(cwd, "events.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const types = events.map(({ type }) => type);
  expect([types[0], types.at(-1)]).toEqual(["start", "end"]);
  expect(types.filter((type) => type === "redaction")).toHaveLength(2);
  expect(events.at(-1)).toMatchObject({ endedBy: "exit", exitCode: 5, redactions: { total: 2 } });
  expect(JSON.stringify(events)).not.toContain(token);
});

it("refuses a configuration that others can write", async () => {
  const cwd = emptyFolder({ "nopeek.config.json": "{}" });
  for (const [path, mode, remedy] of [
    ["nopeek.config.json", 0o602, "chmod o-w"],
    [".", 0o707, "chmod o-w"],
  ] as const) {
    chmodSync(join(cwd, path), mode);
    const run = await nopeek(["run", ...job("")], { cwd });
    expect(run.code).toBe(78);
    expect(run.stderr).toContain(remedy);
    chmodSync(join(cwd, path), 0o700);
  }
  expect((await nopeek(["run", ...job("")], { cwd })).code).toBe(0);
});

it("runs a launch of a TypeScript configuration", async () => {
  const token = randomToken("hf_");
  const cwd = emptyFolder({
    "nopeek.config.ts": `import { defineConfig } from "nopeek/config";
      const program: string = ${JSON.stringify("console.log(process.env.HF_TOKEN, process.env.MODE, process.env.OTHER)")};
      export default defineConfig({
        secrets: { HF_TOKEN: "dotenv://.env#HF_TOKEN", OTHER: "env://OTHER" },
        launches: { train: { command: [process.execPath, "-e", program], secrets: ["HF_TOKEN"], env: { MODE: "fast" } } },
      });`,
    ".env": `HF_TOKEN=${token}\n`,
  });
  const run = await nopeek(["run", "train"], { cwd });
  expect(run).toMatchObject({ code: 0, stdout: "[REDACTED:HF_TOKEN] fast undefined\n" });
});
