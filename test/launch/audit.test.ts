import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createSecrets, Secret } from "nopeek";
import { env } from "nopeek/adapters/env";
import { type AppendFile, readAuditLog } from "nopeek/audit";
import { type LaunchOptions, launch } from "nopeek/launch";
import { createRedactor } from "nopeek/redact";
import { memory, recorder } from "nopeek/testing";
import { expect, it } from "vitest";
import { newKey, newPlace, openLog, textOf } from "../support/audit.ts";
import { codeOfLater, scratch } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

/** Runs a launch with a log of its own and gives what was recorded. */
async function audited(options: Partial<LaunchOptions>) {
  const [place, key] = [newPlace(), newKey()];
  using redactor = createRedactor();
  const log = await openLog({ ...place, key, clean: (text) => redactor.redact(text) });
  const result = await quietly({ ...options, audit: log }).catch((error) => error);
  await log.close();
  const records = await readAuditLog({ ...place, key });
  return { result, records, text: textOf(place), log, key };
}

async function quietly(options: Partial<LaunchOptions>) {
  const output = { stdout: new PassThrough(), stderr: new PassThrough() };
  for (const stream of Object.values(output)) stream.resume();
  return await launch({ command: ["true"], cwd: scratch(), output, ...options });
}

const print = (program: string) => ({ command: [process.execPath, "-e", program] });

it("records what a run was given, what it leaked and how it ended, under one id", async () => {
  const [token, other] = [randomToken("hf_"), randomToken()];
  const provider = memory({ "aws-sm://ml/hf#token": token, "aws-sm://ml/db": other });
  const from = createSecrets({ providers: [provider, env()] });
  const leaks: string[] = [];
  const { result, records, text, log } = await audited({
    ...print(
      "for (let i = 0; i < 5; i++) console.log(process.env.HF_TOKEN); console.error(process.env.DB); process.exit(3)",
    ),
    secrets: { HF_TOKEN: "aws-sm://ml/hf#token", DB: { from: "aws-sm://ml/db" } },
    from,
    onLeak: ({ fingerprint }) => leaks.push(fingerprint),
  });
  expect(result).toMatchObject({ exitCode: 3, auditFailed: false });
  const run = records.filter(
    (record) => "correlationId" in record && record.type !== "monitor.finding",
  );
  expect(new Set(run.map((record) => "correlationId" in record && record.correlationId))).toEqual(
    new Set([result.runId]),
  );
  const [hf, db] = [log.fingerprint(token), log.fingerprint(other)];
  const injected = { type: "secret.injected", provider: "memory", as: "env" };
  const made = { form: "raw", strength: "strong" };
  expect(run).toMatchObject([
    { type: "run.started", runtime: "local", program: "node", arguments: 2, secrets: 2, mounts: 0 },
    { ...injected, name: "HF_TOKEN", reference: "aws-sm://ml/hf#token", fingerprint: hf },
    { ...injected, name: "DB", reference: "aws-sm://ml/db", fingerprint: db },
    ...run.slice(3, -2).map(() => ({ type: "finding.made" })),
    { type: "finding.repeated", name: "HF_TOKEN", count: 4, fingerprint: hf },
    { type: "run.ended", endedBy: "exit", exitCode: 3, redactions: 6, outputLost: false },
  ]);
  expect(run.slice(3, -2)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ ...made, name: "HF_TOKEN", stream: "stdout", fingerprint: hf }),
      expect.objectContaining({ ...made, name: "DB", stream: "stderr", fingerprint: db }),
    ]),
  );
  expect([...new Set(leaks)].sort()).toEqual([hf, db].sort());
  for (const value of [token, other]) expect(text).not.toContain(value);
  expect(text).not.toContain("process.env");
});

it("records text to review as the monitor's finding alone: nothing was masked", async () => {
  // A program in a file: as an argument it would be judged too.
  const file = join(scratch(), "job.cjs");
  writeFileSync(file, "console.log('os.system(\"inspect-this \" + x)')");
  const { result, records, text } = await audited({ command: [process.execPath, file] });
  expect(result.incident?.findings).toHaveLength(1);
  expect(records.filter(({ type }) => type.startsWith("finding."))).toEqual([]);
  expect(records.filter(({ type }) => type === "monitor.finding" || type === "run.ended")).toEqual([
    expect.objectContaining({ rule: "shell-injection", severity: "review", action: "review" }),
    expect.objectContaining({ endedBy: "exit", redactions: 0 }),
  ]);
  expect(text).not.toContain("inspect-this");
});

it("records nothing of the command but a word and a keyed hash", async () => {
  const argument = "--name=Erika Mustermann";
  const own = ["/opt/erika/secret-project", argument];
  const { records, text, log } = await audited({ command: own, on: recorder() });
  expect(records[1]).toMatchObject({
    type: "run.started",
    program: "other",
    command: log.fingerprint(own.join("\0")),
  });
  for (const word of ["Erika", "erika", "secret-project", "name"]) expect(text).not.toContain(word);
});

it("records who is refused, and runs nothing", async () => {
  const token = randomToken();
  const cases: [Partial<LaunchOptions>, string][] = [
    [{ command: [] }, "COMMAND_INVALID"],
    [
      { secrets: { A: "env://NOT_THERE" }, from: createSecrets({ providers: [env()] }) },
      "SECRET_NOT_FOUND",
    ],
    [{ command: ["echo", token], secrets: { A: new Secret(token) } }, "COMMAND_HOLDS_SECRET"],
    [{ command: ["nopeek-no-such-program"] }, "COMMAND_NOT_FOUND"],
    [{ command: ["cat", "--file", "/etc/passwd"], paths: ["--file"] }, "PATH_REFUSED"],
  ];
  for (const [options, code] of cases) {
    const { result, records, text } = await audited(options);
    expect(result).toMatchObject({ code });
    expect(records.at(-2)).toMatchObject({ type: "run.refused", code });
    expect(text).not.toContain(token);
  }
});

it("records notices as codes", async () => {
  process.env["SOME_API_KEY"] = randomToken();
  try {
    const { records } = await audited({ command: ["true", "../x"], paths: ["--data"] });
    const notices = records.flatMap((record) =>
      record.type === "run.notice" ? [[record.code, (record.count ?? 0) > 0]] : [],
    );
    expect(notices).toEqual([
      ["path-option-unused", true],
      ["path-unchecked", true],
      ["credentials-withheld", true],
    ]);
  } finally {
    delete process.env["SOME_API_KEY"];
  }
});

it("gives no job the key of the log, by whatever name", async () => {
  const [place, key] = [newPlace(), newKey()];
  const log = await openLog({ ...place, key });
  const on = recorder();
  process.env["INNOCENT"] = key.reveal();
  try {
    for (const options of [
      { secrets: { TOKEN: new Secret(key.reveal()) } },
      { secrets: { URL: new Secret(`https://user:${key.reveal()}@host/`) } },
      { env: { PLAIN: key.reveal() } },
      { pass: ["INNO*"] },
    ] satisfies Partial<LaunchOptions>[]) {
      const code = await codeOfLater(() => quietly({ ...options, on, audit: log }));
      expect([Object.keys(options), code]).toEqual([Object.keys(options), "AUDIT_KEY_EXPOSED"]);
    }
    expect(
      await codeOfLater(() => quietly({ command: ["echo", key.reveal()], on, audit: log })),
    ).toBe("COMMAND_HOLDS_SECRET");
    expect(on.jobs).toHaveLength(0);
    // Control: without it the same launch runs.
    expect(await codeOfLater(() => quietly({ env: { PLAIN: "x" }, on, audit: log }))).toBe("none");
  } finally {
    delete process.env["INNOCENT"];
    await log.close();
  }
  expect(textOf(place)).not.toContain(key.reveal());
});

it("refuses a log in the folder of the run or in one of its mounts", async () => {
  const folder = scratch();
  const place = { dir: join(folder, "data/log"), anchors: join(folder, "anchors") };
  const log = await openLog({ ...place, key: newKey() });
  mkdirSync(join(folder, "run"));
  const mounts = { "/data": { dir: join(folder, "data"), readOnly: false } };
  expect(await codeOfLater(() => quietly({ cwd: folder, audit: log }))).toBe("AUDIT_PLACE_REFUSED");
  expect(await codeOfLater(() => quietly({ cwd: join(folder, "run"), mounts, audit: log }))).toBe(
    "AUDIT_PLACE_REFUSED",
  );
  expect(await codeOfLater(() => quietly({ cwd: join(folder, "run"), audit: log }))).toBe("none");
  await log.close();
});

/** A log whose disk fails from some flush of records on. */
function failingAfter(syncs: number) {
  let left = syncs;
  return (file: AppendFile, which: string): AppendFile => ({
    ...file,
    sync: () =>
      which === "records" && left-- <= 0
        ? Promise.reject(Object.assign(new Error(), { code: "ENOSPC" }))
        : file.sync(),
  });
}

it("runs nothing whose start cannot be recorded", async () => {
  const log = await openLog({ ...newPlace(), key: newKey(), wrapFile: failingAfter(1) });
  const on = recorder();
  expect(await codeOfLater(() => quietly({ on, audit: log }))).toBe("AUDIT_NOT_WRITABLE");
  expect(on.jobs).toHaveLength(0);
  await codeOfLater(() => log.close());
});

it.each(["continue", "halt"] as const)(
  "a log that fails later is told at once: %s",
  async (how) => {
    const log = await openLog({ ...newPlace(), key: newKey(), wrapFile: failingAfter(2) });
    const notices: string[] = [];
    const token = randomToken();
    const program =
      "console.log(process.env.TOKEN, 'here'); setTimeout(() => console.log('done'), 700)";
    const stdout = new PassThrough();
    const printed = buffer(stdout);
    const begun = performance.now();
    const result = await quietly({
      ...print(program),
      secrets: { TOKEN: new Secret(token) },
      output: { stdout, stderr: new PassThrough().resume() },
      audit: log,
      onAuditFailure: how,
      monitor: { review: false },
      onNotice: (notice) => notices.push(notice),
      graceMs: 5_000,
    });
    stdout.end();
    const text = (await printed).toString();
    expect(text).toContain("[REDACTED:TOKEN]");
    expect(result.auditFailed).toBe(true);
    const told = notices.filter((notice) => notice.includes("audit log cannot be written"));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(how === "halt" ? "is stopped" : "goes on unrecorded");
    if (how === "halt") {
      expect(result).toMatchObject({ endedBy: "audit" });
      expect(text).not.toContain("done");
      expect(performance.now() - begun).toBeLessThan(5_000);
    } else {
      expect(result).toMatchObject({ endedBy: "exit", exitCode: 0 });
      expect(text).toContain("done");
    }
    await codeOfLater(() => log.close());
  },
);

it.each([
  ["alert", { endedBy: "exit", exitCode: 3 }],
  ["halt", { endedBy: "halt", exitCode: 10 }],
] as const)(
  "a full disk under the log changes nothing of what a monitor does: %s",
  async (onLeak, ending) => {
    const log = await openLog({ ...newPlace(), key: newKey(), wrapFile: failingAfter(2) });
    const token = randomToken();
    // Findings before and long after the disk is full; then the value that `halt` is for.
    const program = `
    const other = (i) => "password='q" + i + "-Zk7" + i + "vw'";
    for (let i = 0; i < 2000; i++) console.log(other(i), "step", i);
    setTimeout(() => console.log(process.env.TOKEN), 400);
    setTimeout(() => { console.log("done"); process.exit(3); }, ${onLeak === "halt" ? 20_000 : 700});`;
    const stdout = new PassThrough();
    const printed = buffer(stdout);
    const events: string[] = [];
    const alerts: (string | undefined)[] = [];
    const result = await quietly({
      ...print(program),
      secrets: { TOKEN: new Secret(token) },
      output: { stdout, stderr: new PassThrough().resume() },
      audit: log,
      onAuditFailure: "continue",
      monitor: {
        onLeak,
        alerts: [{ name: "own", send: async ({ name, rule }) => void alerts.push(name ?? rule) }],
        record: ({ type }) => events.push(type),
      },
      graceMs: 2_000,
    });
    stdout.end();
    const text = (await printed).toString();
    expect(result).toMatchObject({ ...ending, auditFailed: true });
    expect(text).not.toContain(token);
    expect(text).not.toMatch(/Zk7/);
    expect(text.match(/step \d+/g)).toHaveLength(2_000);
    expect(text).toContain("[REDACTED:TOKEN]");
    expect(text.includes("done")).toBe(onLeak === "alert");
    expect(alerts).toContain("TOKEN");
    expect(events.includes("halt")).toBe(onLeak === "halt");
    const counted = result.incident?.findings
      .filter(({ stream }) => stream === "stdout")
      .reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBe(2_001);
    await codeOfLater(() => log.close());
  },
);

it("keeps thousands of findings in a few records", async () => {
  const { result, records } = await audited({
    ...print(
      "const line = (process.env.TOKEN + '\\n').repeat(1000); for (let i = 0; i < 30; i++) process.stdout.write(line)",
    ),
    secrets: { TOKEN: new Secret(randomToken()) },
  });
  expect(result.redactions.total).toBe(30_000);
  const counted = records.map((record) =>
    record.type === "finding.repeated" ? record.count : Number(record.type === "finding.made"),
  );
  expect(counted.reduce((sum, count) => sum + count)).toBe(30_000);
  expect(records.length).toBeLessThan(10);
});
