import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { selfSigned } from "../support/certificate.ts";
import { emptyFolder, job, nopeek } from "../support/command.ts";
import { randomToken } from "../support/values.ts";

const token = randomToken("hf_");
const withSecret = ["run", "--secret", "HF_TOKEN"];
const leak = job("process.stdout.write(process.env.HF_TOKEN); setTimeout(() => {}, 20000)");
const env = { HF_TOKEN: token };

const eventsIn = (file: string): Record<string, unknown>[] =>
  readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("--on-leak", () => {
  it("halt ends the job with code 10, and the events say why", async () => {
    const cwd = emptyFolder();
    const options = ["--on-leak", "halt", "--events", "events.jsonl"];
    const run = await nopeek([...withSecret, ...options, ...leak], { cwd, env });
    expect(run).toMatchObject({ code: 10, stdout: "[REDACTED:HF_TOKEN]" });
    expect(run.stderr.split("\n")).toEqual([
      "nopeek: leaked to stdout: HF_TOKEN (raw); masked; halting the job",
      "nopeek: masked 1 value in the output: HF_TOKEN (raw 1)",
      "nopeek: halted: the job printed HF_TOKEN to stdout",
      "",
    ]);
    const events = eventsIn(join(cwd, "events.jsonl"));
    expect(events.map(({ type }) => type).filter((type) => type !== "redaction")).toEqual([
      "start",
      // The program that is given with -e has characters of a shell in it.
      "finding",
      "finding",
      "halt",
      "end",
    ]);
    expect(events.at(-1)).toMatchObject({
      endedBy: "halt",
      exitCode: 10,
      incident: {
        halted: { name: "HF_TOKEN", stream: "stdout" },
        findings: expect.arrayContaining([
          {
            name: "HF_TOKEN",
            form: "raw",
            stream: "stdout",
            strength: "strong",
            confidence: "exact",
            severity: "critical",
            action: "halt",
            isMasked: true,
            count: 1,
          },
        ]),
      },
    });
    const ids = events.filter(({ type }) => type !== "redaction").map(({ runId }) => runId);
    expect(new Set(ids).size).toBe(1);
    expect(JSON.stringify(events)).not.toContain(token);
  });

  it("redact says nothing but the count at the end", async () => {
    const run = await nopeek(
      [...withSecret, "--on-leak", "redact", ...job("console.log(process.env.HF_TOKEN)")],
      { env },
    );
    expect(run).toMatchObject({
      code: 0,
      stderr: "nopeek: masked 1 value in the output: HF_TOKEN (raw 1)\n",
    });
  });

  it("halt+rotate says before the run that nothing is declared that could rotate", async () => {
    const run = await nopeek([...withSecret, "--on-leak", "halt+rotate", ...leak], { env });
    expect(run.code).toBe(10);
    expect(run.stderr).toMatch(/^nopeek: halt\+rotate: no rotation is declared here/);
    expect(run.stderr).toContain("nopeek: HF_TOKEN leaked, and nothing here can rotate it");
  });

  it("halt+rotate runs the rotation that the configuration has for what leaked", async () => {
    const cwd = emptyFolder({
      ".env": `SESSION_KEY=${token}\nOTHER_KEY=${randomToken()}\n`,
      "nopeek.config.json": JSON.stringify({
        rotations: {
          session: {
            secret: "dotenv://.env#SESSION_KEY",
            target: { type: "random" },
            overlapMs: 3_600_000,
          },
        },
      }),
    });
    const rotating = (name: string) => [
      ...["run", "--on-leak", "halt+rotate", "--secret", `${name}=dotenv://.env#${name}`],
      ...job(`console.log(btoa(process.env.${name})); setInterval(() => {}, 1000)`),
    ];
    const other = await nopeek(
      [
        "run",
        "--secret",
        "SESSION_KEY=dotenv://.env#SESSION_KEY",
        ...rotating("OTHER_KEY").slice(1),
      ],
      { cwd },
    );
    expect(other.code).toBe(10);
    expect(other.stderr).toContain("OTHER_KEY leaked, and nothing here can rotate it");
    expect(readFileSync(join(cwd, ".env"), "utf8")).toContain(token);
    const run = await nopeek(rotating("SESSION_KEY"), { cwd });
    expect(run.code).toBe(10);
    expect(run.stderr).toContain("nopeek: rotating session, which leaked");
    expect(run.stderr).toContain("nopeek: SESSION_KEY was rotated");
    const file = readFileSync(join(cwd, ".env"), "utf8");
    expect(file).not.toContain(token);
    expect(file).toMatch(/^SESSION_KEY=.{43}$/m);
  });

  it("halt+rotate records detection, halt and rotation under the id of the run", async () => {
    const folder = emptyFolder();
    const cwd = join(folder, "project");
    mkdirSync(cwd, { mode: 0o700 });
    const files = {
      ".env": `SESSION_KEY=${token}\n`,
      "nopeek.config.json": JSON.stringify({
        secrets: { SESSION_KEY: "dotenv://.env#SESSION_KEY" },
        rotations: {
          session: { secret: "SESSION_KEY", target: { type: "random" }, overlapMs: 0 },
        },
        audit: { dir: "../log", anchors: "../anchors", key: "env://LOG_KEY" },
      }),
    };
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(cwd, name), text, { mode: 0o600 });
    }
    const secure = { LOG_KEY: randomToken() };
    const run = await nopeek(
      [
        ...["run", "--on-leak", "halt+rotate"],
        ...job("console.log(process.env.SESSION_KEY); setInterval(() => {}, 1000)"),
      ],
      { cwd, env: secure },
    );
    expect(run.code).toBe(10);
    const query = await nopeek(["audit", "query", "--json"], { cwd, env: secure });
    expect(query.stderr).toBe("");
    const { ok, records } = JSON.parse(query.stdout) as {
      ok: boolean;
      records: Record<string, unknown>[];
    };
    expect(ok).toBe(true);
    const [id, ...others] = new Set(records.flatMap(({ correlationId }) => correlationId ?? []));
    expect([id, others]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), []]);
    const told = records.filter(
      ({ type, action }) => type !== "monitor.finding" || action !== "review",
    );
    const steps = told.map(({ type, step, outcome }) =>
      [type, step, outcome].filter(Boolean).join(" "),
    );
    const order = [
      "run.started",
      "secret.injected",
      "monitor.finding",
      "monitor.halted",
      "monitor.rotation started",
      "rotation.started",
      "rotation.step create done",
      "rotation.finished",
      "monitor.rotation done",
      "run.ended",
    ];
    expect(steps.filter((step) => order.includes(step))).toEqual(order);
    const one = (type: string) => told.find((each) => each["type"] === type);
    expect(one("monitor.finding")).toMatchObject({ action: "halt+rotate", name: "SESSION_KEY" });
    expect(one("rotation.started")).toMatchObject({ leaked: true, name: "session" });
    expect(one("run.ended")).toMatchObject({ endedBy: "halt", exitCode: 10 });
    // The value that leaked, as who reads the log knows it: by one fingerprint everywhere.
    const prints = told.flatMap(({ fingerprint }) => fingerprint ?? []);
    expect(new Set(prints).size).toBe(1);
    const now = readFileSync(join(cwd, ".env"), "utf8").trim().replace("SESSION_KEY=", "");
    for (const value of [token, now, secure.LOG_KEY]) expect(query.stdout).not.toContain(value);
    // One incident, contained by both.
    const incidents = await nopeek(["incident", "list", "--json"], {
      cwd,
      env: secure,
    });
    expect(JSON.parse(incidents.stdout).incidents).toMatchObject([
      {
        ...{ id, halted: true, severity: "critical" },
        steps: { contained: expect.any(Number) },
        credentials: [{ rotatedAtMs: expect.any(Number), revokedAtMs: expect.any(Number) }],
      },
    ]);
  });

  it.each([
    [["--on-leak", "stop"], "--on-leak takes one of redact, alert, halt, halt+rotate"],
    [["--alert-command", "[1]"], "--alert-command takes a program or a JSON list of strings"],
    [["--alert-command", "[]"], "--alert-command takes a program or a JSON list of strings"],
    [["--alert-command", "[nothing"], "--alert-command is no valid JSON list"],
    [["--alert-webhook", "https://hooks.example.com/s3cr3t"], "can be read by everybody"],
    [["--alert-webhook", "s3cr3t"], "can be read by everybody"],
  ])("%j is a wrong command line, unechoed", async (options, message) => {
    const run = await nopeek([...withSecret, ...options, ...leak], { env });
    expect(run).toMatchObject({ code: 64, stdout: "" });
    expect(run.stderr).toContain(message);
    expect(run.stderr).not.toContain("s3cr3t");
  });
});

describe("alerts", () => {
  it("go to commands while the job runs", async () => {
    const cwd = emptyFolder();
    const keep = ["sh", "-c", "cat >> alerts.jsonl"];
    const run = await nopeek(
      [
        ...withSecret,
        "--alert-command",
        JSON.stringify(keep),
        ...job("console.log(process.env.HF_TOKEN)"),
      ],
      { cwd, env },
    );
    expect(run.code).toBe(0);
    expect(eventsIn(join(cwd, "alerts.jsonl"))).toMatchObject([
      { type: "alert", name: "HF_TOKEN", text: "leaked to stdout: HF_TOKEN (raw); masked" },
    ]);
  });

  it("that hang or fail cost neither output nor the exit code, and are told", async () => {
    const cwd = emptyFolder();
    const alerts = ["--alert-command", '["sleep","60"]', "--alert-command", "/no/such/program"];
    const begun = performance.now();
    const run = await nopeek(
      [
        ...withSecret,
        ...alerts,
        "--events",
        "e.jsonl",
        ...job(
          "for (let i = 0; i < 2000; i++) console.log(i, process.env.HF_TOKEN); process.exitCode = 7",
        ),
      ],
      { cwd, env },
    );
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(run.code).toBe(7);
    expect(run.stdout).toBe(
      Array.from({ length: 2000 }, (_, i) => `${i} [REDACTED:HF_TOKEN]\n`).join(""),
    );
    expect(run.stderr).toContain("nopeek: 1 alert did not reach the command");
    const failures = eventsIn(join(cwd, "e.jsonl")).filter(({ type }) => type === "alert-failed");
    expect(failures.map(({ reason }) => reason).sort()).toEqual(["not-started", "timeout"]);
  });

  async function listening(server: Server): Promise<{ port: number; bodies: unknown[] }> {
    const bodies: unknown[] = [];
    server.on("request", async (request, response) => {
      bodies.push([request.url, JSON.parse(await text(request))]);
      response.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, bodies };
  }

  it("go to a webhook over https, but only to one with a valid certificate", async () => {
    const { key, cert } = selfSigned();
    const { port, bodies } = await listening(createTlsServer({ key, cert }));
    const cwd = emptyFolder({ "ca.pem": cert });
    const path = `/hook/${randomToken("")}`;
    const vars = { ...env, HOOK: `https://localhost:${port}${path}` };
    const args = [
      ...withSecret,
      "--alert-webhook",
      "env://HOOK",
      ...job("console.log(process.env.HF_TOKEN)"),
    ];
    const refused = await nopeek(args, { cwd, env: vars });
    expect([refused.code, bodies]).toEqual([0, []]);
    expect(refused.stderr).toContain("an alert did not reach the webhook (connection)");
    const trusted = await nopeek(args, { cwd, env: { ...vars, NODE_EXTRA_CA_CERTS: "ca.pem" } });
    expect(bodies).toEqual([[path, expect.objectContaining({ name: "HF_TOKEN" })]]);
    expect(trusted.stderr).not.toContain("did not reach");
    expect(refused.stderr + trusted.stderr).not.toContain(path);
  });

  it("come from the configuration too, whose own launches may have a monitor of their own", async () => {
    const { port, bodies } = await listening(createServer());
    const command = [process.execPath, "-e", "console.log(process.env.HF_TOKEN)"];
    const config = {
      secrets: { HF_TOKEN: "env://HF_TOKEN" },
      monitor: {
        onLeak: "halt",
        alerts: [{ webhook: "dotenv://hooks.env#HOOK", allowLoopback: true }],
      },
      launches: {
        strict: { command },
        mild: { command, monitor: { onFinding: [{ name: "HF_*", action: "redact" }] } },
      },
    };
    const cwd = emptyFolder({
      "nopeek.config.json": JSON.stringify(config),
      "hooks.env": `HOOK=http://127.0.0.1:${port}/alerts\n`,
    });
    const strict = await nopeek(["run", "strict"], { cwd, env });
    expect([strict.code, bodies.length]).toEqual([10, 1]);
    const mild = await nopeek(["run", "mild"], { cwd, env });
    expect([mild.code, bodies.length]).toEqual([0, 1]);
    expect(mild.stderr).toBe("nopeek: masked 1 value in the output: HF_TOKEN (raw 1)\n");
    // The command line goes before the configuration.
    const flag = await nopeek(["run", "strict", "--on-leak", "alert"], { cwd, env });
    expect([flag.code, bodies.length]).toEqual([0, 2]);
  });

  it.each([
    [{ onLeak: "stop" }, "monitor.onLeak: not valid; use redact, alert, halt, halt+rotate"],
    [{ alerts: [{ command: "page me" }] }, "monitor.alerts.0.command: not valid"],
    [{ onFinding: [{ rule: "x" }] }, "monitor.onFinding.0: needs an action"],
    [{ rotate: {} }, "monitor: unknown option"],
  ])("a configuration with %j is refused", async (monitor, message) => {
    const cwd = emptyFolder({ "nopeek.config.json": JSON.stringify({ monitor }) });
    const run = await nopeek(["run", ...job("")], { cwd });
    expect(run.code).toBe(78);
    expect(run.stderr).toContain(message);
    expect(run.stderr).toContain("nopeek.config.json: ");
  });
});

describe("review", () => {
  it("of output is a line at the end, and events that hold no text", async () => {
    const cwd = emptyFolder({ "train.js": "console.log('os.system(f\"rm -rf {user_input}\")')" });
    const run = await nopeek(["run", "--events", "e.jsonl", "--", process.execPath, "train.js"], {
      cwd,
    });
    expect(run.code).toBe(0);
    expect(run.stdout).toBe('os.system(f"rm -rf {user_input}")\n');
    expect(run.stderr).toContain("nopeek: to review in the output: shell-injection 1\n");
    const findings = eventsIn(join(cwd, "e.jsonl")).filter(({ type }) => type === "finding");
    expect(findings).toMatchObject([
      { rule: "shell-injection", stream: "stdout", action: "review" },
    ]);
    expect(JSON.stringify(findings)).not.toContain("user_input");
  });

  it("of the command refuses it where the table says so", async () => {
    const config = {
      monitor: { onFinding: [{ rule: "shell-injection", stream: "command", action: "halt" }] },
    };
    const cwd = emptyFolder({ "nopeek.config.json": JSON.stringify(config) });
    const run = await nopeek(["run", "--", "sh", "-c", "touch ran; true"], { cwd });
    expect(run.code).toBe(77);
    expect(run.stderr).toContain("argument 2 of the command: shell-injection is refused here");
    const fine = await nopeek(["run", "--", "touch", "ran"], { cwd });
    expect(fine.code).toBe(0);
  });
});
