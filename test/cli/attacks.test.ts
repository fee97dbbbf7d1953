import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bin, emptyFolder, finish, firstLine, job, nopeek, start } from "../support/command.ts";
import { privateKeyPem, randomToken } from "../support/values.ts";

const token = randomToken("hf_");
const env = { HF_TOKEN: token };
const withSecret = ["run", "--secret", "HF_TOKEN"];
const asFile = {
  "nopeek.config.json": JSON.stringify({
    secrets: { HF_TOKEN: { from: "env://HF_TOKEN", as: "file" } },
  }),
};

describe("values", () => {
  it("in any dotenv file that is named are masked by redact, whatever overrides them", async () => {
    const [one, two] = [randomToken(), randomToken()];
    const cwd = emptyFolder({ a: `K=${one}\nPORT=8080\n`, b: `K=${two}\n` });
    const run = await nopeek(["redact", "--env-file", "a", "--env-file", "b"], {
      cwd,
      env: { K: token },
      input: `${one} ${two} ${token} 8080`,
    });
    expect(run.stdout).toBe("[REDACTED:K] [REDACTED:K] [REDACTED:K] 8080");
    expect(run.stderr).toBe("nopeek: plain, not masked: PORT\n");
  });

  it("given in place of a name are not echoed", async () => {
    for (const literal of [
      token,
      `hf-${randomToken("", 18)}`,
      `${randomToken("", 9)}-${randomToken("", 9)}`,
    ]) {
      for (const verb of ["run", "check"]) {
        const run = await nopeek([verb, "--secret", literal, ...(verb === "run" ? job("") : [])]);
        expect(run.code).toBe(64);
        expect(run.stdout + run.stderr).not.toContain(literal);
      }
    }
  });

  it("of an unquoted PEM are refused, not shown as names", async () => {
    const pem = privateKeyPem();
    const run = await nopeek(["run", ...job("")], {
      cwd: emptyFolder({ ".env": `PRIVATE_KEY=${pem}` }),
    });
    expect(run.code).toBe(78);
    expect(run.stderr).toContain(
      ".env: the value of PRIVATE_KEY goes on after its first line; put all of it in double quotes",
    );
    for (const line of pem.split("\n").slice(1, -2)) expect(run.stderr).not.toContain(line);
  });

  it("of base64 in several lines are refused, not shown as names", async () => {
    // The last line is "a2tra2==", which dotenv takes for a name.
    const lines = Buffer.from(`{"key":"${randomToken("", 150)}"}k`).toString("base64");
    const text = lines.match(/.{1,76}/g) ?? [];
    for (const args of [["run", ...job("")], ["check"], ["redact"]]) {
      const run = await nopeek(args, {
        cwd: emptyFolder({ ".env": `GCP_KEY=${text.join("\n")}\n` }),
      });
      expect(run.code).toBe(args[0] === "check" ? 2 : 78);
      expect(run.stderr).toContain(".env: the value of GCP_KEY goes on after its first line");
      for (const line of text) {
        expect(run.stdout + run.stderr).not.toContain(line.replaceAll("=", ""));
      }
    }
    // Control: in quotes the job gets all of it, masked.
    const quoted = await nopeek(["run", ...job("console.log(process.env.GCP_KEY)")], {
      cwd: emptyFolder({ ".env": `GCP_KEY="${text.join("\n")}"\n` }),
    });
    expect([quoted.code, quoted.stdout]).toEqual([0, "[REDACTED:GCP_KEY]\n"]);
  });

  it("that only look ordinary are masked under the name of a credential", async () => {
    const dotenv =
      "DB_PASSWORD=westcentralkey\nAPI_TOKEN=admin.example:98231\nWEBHOOK=https://hc-ping.com/0a1b2c3d-1111-2222-3333-444455556666\nREGION=westus2\nZONE=europe-west4-b\nMAX_TOKEN=4096\n";
    const run = await nopeek(
      [
        "run",
        ...job(
          "const e = process.env; console.log(e.DB_PASSWORD, e.API_TOKEN, e.WEBHOOK, e.REGION, e.ZONE, e.MAX_TOKEN)",
        ),
      ],
      { cwd: emptyFolder({ ".env": dotenv }) },
    );
    expect(run.stdout).toBe(
      "[REDACTED:DB_PASSWORD] [REDACTED:API_TOKEN] [REDACTED:WEBHOOK] westus2 europe-west4-b 4096\n",
    );
  });

  it("of credentials are not passed on by --pass '*'", async () => {
    const given = {
      PGPASSWORD: randomToken(),
      MY_PAT: randomToken(),
      DB_DSN: randomToken(),
      FINE: "yes",
    };
    const run = await nopeek(
      ["run", "--pass", "*", ...job("console.log(Object.keys(process.env).join())")],
      { env: given },
    );
    expect(run.stdout).toContain("FINE");
    for (const name of ["PGPASSWORD", "MY_PAT", "DB_DSN"]) expect(run.stdout).not.toContain(name);
  });

  it("in errors of foreign code are not shown", async () => {
    const configs = [
      `export default { get secrets() { throw new Error("x\\n    at " + process.env.HF_TOKEN); } }`,
      `const e = new Error("x"); e.name = process.env.HF_TOKEN; throw e`,
      `class ${token} extends Error {}; throw new ${token}("x")`,
    ];
    for (const config of configs) {
      const run = await nopeek(["run", ...job("")], {
        cwd: emptyFolder({ "nopeek.config.ts": config }),
        env,
      });
      expect(run.code).toBe(78);
      expect(run.stderr).not.toContain(token);
    }
  });

  it("are not printed by Node's own debugging", async () => {
    const run = await nopeek([...withSecret, ...job("")], {
      env: { ...env, NODE_DEBUG: "child_process" },
    });
    expect(run.stderr).toContain("NODE_DEBUG");
    expect(run.stderr).not.toContain(token);
  });

  it("that are references are not followed out of a file", async () => {
    const cwd = emptyFolder({ e: 'T="env://HF_TOKEN"\n' });
    const run = await nopeek(["run", "--secret", "T=dotenv://e#T", ...job("")], { cwd, env });
    expect(run.stderr).toContain(
      "T: it holds a reference instead of a value; declare that reference itself",
    );
  });
});

describe("what fails beside the job", () => {
  it("costs the job nothing: events and transcript on a full disk", async () => {
    const program = "for (let i = 0; i < 3; i++) console.log(process.env.HF_TOKEN)";
    const args = [
      process.execPath,
      "--",
      bin,
      ...withSecret,
      "--events",
      "/dev/fd/3",
      ...job(program),
    ];
    const run = spawnSync("sh", ["-c", '"$@" 3> /dev/full', "sh", ...args], {
      env: { ...env, PATH: process.env["PATH"] ?? "" },
      encoding: "utf8",
    });
    expect([run.status, run.stdout]).toEqual([0, "[REDACTED:HF_TOKEN]\n".repeat(3)]);
    expect(run.stderr).toContain("--events /dev/fd/3 ends here: it cannot be written (ENOSPC)");
  });

  it.each(["--version", "run --help", "check", "check --json", "init"])(
    "is an error where %s cannot write its report",
    (verb) => {
      const into = (end: string) => {
        const script = `{ "$@"; echo "exit $?" >&2; } ${end}`;
        const args = [process.execPath, "--", bin, ...verb.split(" ")];
        return spawnSync("sh", ["-c", script, "sh", ...args], {
          env: { PATH: process.env["PATH"] ?? "" },
          cwd: emptyFolder(),
          encoding: "utf8",
        });
      };
      expect(into("> /dev/full").stderr).toBe(
        "nopeek: standard output could not be written (ENOSPC)\nexit 125\n",
      );
      // Control: a reader that went away is none.
      expect(into("| true").stderr).toBe("exit 0\n");
      expect(into("").stdout).not.toBe("");
    },
  );

  it("is an error with a code where it is the output itself", () => {
    const run = (args: string[]) =>
      spawnSync("sh", ["-c", '"$@" > /dev/full', "sh", process.execPath, "--", bin, ...args], {
        env: { ...env, PATH: process.env["PATH"] ?? "" },
        input: "text",
      });
    const printing = run([...withSecret, ...job("console.log(1)")]);
    expect([printing.status, String(printing.stderr)]).toEqual([
      125,
      "nopeek: output was lost: it could not be written (ENOSPC)\n",
    ]);
    expect(String(run(["redact", "--secret", "HF_TOKEN"]).stderr)).toBe(
      "nopeek: the text cannot be copied (ENOSPC)\n",
    );
  });

  it("is the last event of its own run, whatever it is that fails", async () => {
    const cwd = emptyFolder({ wrong: `A=${"QUJD".repeat(19)}\nQQ==\n`, other: "precious\n" });
    const events = ["--events", "events.jsonl"];
    // Control: a run that succeeds.
    expect((await nopeek(["run", ...events, ...job("")], { cwd })).code).toBe(0);
    for (const [code, ...args] of [
      [78, "--env-file", "wrong", ...job("")],
      [78, "--env-file", "missing", ...job("")],
      [78, "--secret", "NONE", ...job("")],
      [64, "train"],
      [64, "--log", "no/log", ...job("")],
      [64, "--on", "nowhere", ...job("")],
    ] as const) {
      const before = readFileSync(join(cwd, "events.jsonl"), "utf8").split("\n").length;
      expect((await nopeek(["run", ...events, ...args], { cwd })).code).toBe(code);
      const lines = readFileSync(join(cwd, "events.jsonl"), "utf8").trim().split("\n");
      expect(lines).toHaveLength(before);
      expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
        type: "end",
        endedBy: "error",
        exitCode: code,
      });
    }
    // What holds something else may be a file that the run would have read.
    await nopeek(["run", "--events", "other", "--env-file", "missing", ...job("")], { cwd });
    expect(readFileSync(join(cwd, "other"), "utf8")).toBe("precious\n");
    await nopeek(["run", "--events", "wrong", "--env-file", "wrong", ...job("")], { cwd });
    expect(readFileSync(join(cwd, "wrong"), "utf8")).not.toContain("time");
  });

  it("leaves an old log alone until the job starts, and replaces it then", async () => {
    const cwd = emptyFolder({ "train.log": "precious" });
    await nopeek(["run", "--secret", "NONE", "--log", "train.log", ...job("")], { cwd });
    expect(readFileSync(join(cwd, "train.log"), "utf8")).toBe("precious");
    await nopeek([...withSecret, "--log", "train.log", ...job("console.log(1)")], { cwd, env });
    expect(readFileSync(join(cwd, "train.log"), "utf8")).toBe("1\n");
  });

  it("follows no link for --log and --events", async () => {
    const cwd = emptyFolder({ target: "untouched" });
    symlinkSync("target", join(cwd, "link"));
    for (const option of ["--log", "--events"]) {
      const run = await nopeek([...withSecret, option, "link", ...job("console.log(1)")], {
        cwd,
        env,
      });
      expect(run.code).toBe(64);
    }
    expect(readFileSync(join(cwd, "target"), "utf8")).toBe("untouched");
    writeFileSync(join(cwd, "open"), "", { mode: 0o644 });
    await nopeek([...withSecret, "--events", "open", ...job("")], { cwd, env });
    expect(statSync(join(cwd, "open")).mode & 0o777).toBe(0o600);
  });
});

it("gives no file two parts", async () => {
  const dotenv = `HF_TOKEN=${token}\n`;
  const cwd = emptyFolder({ ".env": dotenv, "nopeek.config.json": "{}" });
  const table = [
    ["--env-file", ".env", "--log", ".env"],
    ["--env-file", ".env", "--events", "./.env"],
    ["--env-file", ".env", "--log", "nopeek.config.json"],
    ["--env-file", ".env", "--log", "x", "--events", "x"],
  ];
  for (const args of table) {
    const run = await nopeek(["run", ...args, ...job("")], { cwd });
    expect([args, run.code]).toEqual([args, 64]);
    expect(run.stderr).toContain("name the same file");
  }
  expect(readFileSync(join(cwd, ".env"), "utf8")).toBe(dotenv);
});

it("follows nobody's link in a shared folder of /dev", async ({ skip }) => {
  if (!existsSync("/dev/shm")) skip("no /dev/shm here");
  const cwd = emptyFolder({ target: "untouched" });
  const link = `/dev/shm/nopeek-test-${randomToken("", 8)}`;
  symlinkSync(join(cwd, "target"), link);
  try {
    const run = await nopeek([...withSecret, "--events", link, ...job("")], { cwd, env });
    expect(run.code).toBe(64);
    expect(readFileSync(join(cwd, "target"), "utf8")).toBe("untouched");
  } finally {
    unlinkSync(link);
  }
});

describe("processes", () => {
  it("that erase their run id and hold the output open are not waited for", async () => {
    const begun = Date.now();
    const run = await nopeek(
      [...withSecret, "--", "sh", "-c", "env -i setsid sleep 7 & echo done"],
      { env },
    );
    expect(run).toMatchObject({ code: 0, stdout: "done\n" });
    expect(run.stderr).toContain("a process that left the job holds its output open");
    expect(Date.now() - begun).toBeLessThan(5000);
  });

  it("get a grace time of any length", async () => {
    const script = 'trap "sleep 0.3; echo saved; exit 0" TERM; echo up; sleep 20 & wait';
    const run = await nopeek(
      [...withSecret, "--grace", "30d", "--timeout", "400ms", "--", "sh", "-c", script],
      { env },
    );
    expect(run).toMatchObject({ code: 124, stdout: "up\nsaved\n" });
    expect(run.stderr).not.toContain("Warning");
  });

  it("stop and go on with the launcher", async () => {
    const run = start([...withSecret, ...job("setInterval(() => console.log('tick'), 50)")], {
      env,
    });
    let ticks = 0;
    run.stdout.on("data", () => ticks++);
    const pause = (ms: number) => new Promise((settle) => setTimeout(settle, ms));
    while (ticks === 0) await pause(20);
    run.kill("SIGTSTP");
    await pause(300);
    ticks = 0;
    await pause(300);
    expect(ticks).toBe(0);
    run.kill("SIGCONT");
    await pause(400);
    expect(ticks).toBeGreaterThan(1);
    run.kill("SIGTERM");
    expect((await finish(run)).code).toBe(143);
  });

  it("that cannot be started say why, with the code of a shell", async () => {
    const cwd = emptyFolder({ file: "" });
    const table = [
      [["--", "./file/x"], 127],
      [["--", "x".repeat(5000)], 126],
    ] as const;
    for (const [args, code] of table) {
      const run = await nopeek([...withSecret, ...args], { cwd, env });
      expect([args[1].slice(0, 10), run.code]).toEqual([args[1].slice(0, 10), code]);
      expect(run.stderr).not.toContain("please report");
    }
    const big = emptyFolder({ ".env": `BIG=${"y".repeat(200_000)}\n` });
    const run = await nopeek(["run", "--plain", "BIG", "--", "true"], { cwd: big });
    expect(run).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("BIG is too long for a variable"),
    });
  });

  it("end although their folder of secrets was locked, and the folder goes", async () => {
    const cwd = emptyFolder(asFile);
    const run = await nopeek(
      ["run", "--", "sh", "-c", 'echo "$HF_TOKEN"; chmod 500 "$(dirname "$HF_TOKEN")"; exit 3'],
      { cwd, env },
    );
    expect(run.code).toBe(3);
    expect(existsSync(run.stdout.trim())).toBe(false);
  });

  it("of a run without files sweep what a killed one left", async () => {
    const cwd = emptyFolder(asFile);
    const killed = start(
      [
        "run",
        ...job("console.log(process.env.HF_TOKEN, process.pid); setTimeout(() => {}, 20000)"),
      ],
      { cwd, env },
    );
    const line = await firstLine(killed);
    const [path = "", pid = ""] = line.trim().split(" ");
    killed.kill("SIGKILL");
    await finish(killed);
    process.kill(Number(pid), "SIGKILL");
    expect(existsSync(path)).toBe(true);
    await nopeek(["run", "--", "true"]);
    expect(existsSync(path)).toBe(false);
  });
});

describe("configuration", () => {
  it("is refused behind a link into a folder that others can write", async () => {
    const cwd = emptyFolder();
    const shared = join(cwd, "shared");
    mkdirSync(shared);
    writeFileSync(join(shared, "c.json"), "{}", { mode: 0o600 });
    symlinkSync("shared/c.json", join(cwd, "nopeek.config.json"));
    expect((await nopeek(["run", ...job("")], { cwd })).code).toBe(0);
    chmodSync(shared, 0o777);
    expect((await nopeek(["run", ...job("")], { cwd })).code).toBe(78);
  });

  it("of a folder that is gone is a message", async () => {
    const cwd = emptyFolder();
    const script = `mkdir gone && cd gone && rmdir ../gone && "$@"`;
    const run = spawnSync(
      "sh",
      ["-c", script, "sh", process.execPath, "--", bin, "run", "--", "true"],
      { cwd, encoding: "utf8" },
    );
    expect(run.status).not.toBe(0);
    expect(run.stderr).not.toContain("please report");
  });
});

it("puts its closing line on a line of its own", async () => {
  const run = await nopeek(
    [...withSecret, ...job("process.stderr.write('50% ' + process.env.HF_TOKEN)")],
    { env },
  );
  expect(run.stderr).toBe(
    "nopeek: leaked to stderr: HF_TOKEN (raw); masked\n50% [REDACTED:HF_TOKEN]\nnopeek: masked 1 value in the output: HF_TOKEN (raw 1)\n",
  );
});
