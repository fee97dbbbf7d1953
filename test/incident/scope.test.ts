import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createSecrets, Secret } from "nopeek";
import { type AuditLog, readAuditLog } from "nopeek/audit";
import {
  closeIncident,
  containIncident,
  findIncident,
  findScope,
  foldIncidents,
  type Incident,
  openIncident,
  recoverIncident,
  reviewIncident,
} from "nopeek/incident";
import { launch } from "nopeek/launch";
import { memory, recorder } from "nopeek/testing";
import { expect, it } from "vitest";
import { newKey, newPlace, openLog } from "../support/audit.ts";
import { codeOfLater, scratch } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

/** A log, and what it tells now. */
async function newLog() {
  const [place, key] = [newPlace(), newKey()];
  const audit: AuditLog = await openLog({ ...place, key });
  const fold = async () => foldIncidents(await readAuditLog({ ...place, key }));
  const only = async (): Promise<Incident> => {
    const [incident, other] = await fold();
    if (incident === undefined || other !== undefined) throw new Error("not one incident");
    return incident;
  };
  return { place, key, audit, fold, only };
}

function quiet() {
  const output = { stdout: new PassThrough(), stderr: new PassThrough() };
  for (const stream of Object.values(output)) stream.resume();
  return output;
}

const github = () => ["gh", "p_", randomToken("", 36)].join("");

it("finds a credential that nobody declared again, by its fingerprint under the key of the log", async () => {
  const { audit, only } = await newLog();
  const [leaked, other] = [github(), github()];
  const on = recorder({ stdout: `cloning with ${leaked}\n` });
  await launch({ on, command: ["train"], audit, output: quiet() });
  const incident = await only();
  expect(incident.credentials).toMatchObject([
    {
      name: undefined,
      rule: expect.stringContaining("github"),
      fingerprint: expect.stringMatching(/^audit:/),
    },
  ]);
  const folder = scratch();
  writeFileSync(join(folder, "a.log"), `${other}\nagain ${leaked}\n`);
  const scope = await findScope(incident, { audit, paths: [folder] });
  expect(scope.values).toMatchObject([{ how: "compared" }]);
  expect(scope.files.findings).toMatchObject([{ file: join(folder, "a.log"), line: 2, column: 7 }]);
  expect((await only()).scope).toMatchObject({ files: 1, occurrences: 1 });
  await audit.close();
});

it("knows which runs had the version that leaked, and takes no other value for it", async () => {
  const { audit, fold } = await newLog();
  const [old, other] = [randomToken("hf_"), randomToken("hf_")];
  const given = (value: string) =>
    createSecrets({ providers: [memory({ "aws-sm://ml/hf": value })] });
  const common = { command: ["train"], audit, secrets: { HF_TOKEN: "aws-sm://ml/hf" } };
  const runs: string[] = [];
  for (const [value, stdout] of [
    [old, ""],
    [other, ""],
    [old, `${old}\n`],
  ] as const) {
    const run = await launch({
      ...common,
      on: recorder({ stdout }),
      from: given(value),
      output: quiet(),
    });
    runs.push(run.runId);
  }
  const [incident] = await fold();
  if (incident === undefined) throw new Error("no incident");
  expect(incident.id).toBe(runs[2]);
  expect(new Set(incident.runs.map(({ runId }) => runId))).toEqual(new Set([runs[0], runs[2]]));
  const folder = scratch();
  writeFileSync(join(folder, "log"), `${old} ${other}\n`);
  // The store has another value now: it is not the one that leaked, and nothing is recorded.
  const wrong = await findScope(incident, { audit, from: given(other), paths: [folder] });
  expect([wrong.values, wrong.isComplete, wrong.files.total]).toMatchObject([
    [{ how: "missing", code: "SECRET_NOT_FOUND" }],
    false,
    0,
  ]);
  expect((await fold())[0]?.scope).toBeUndefined();
  const right = await findScope(incident, { audit, given: [new Secret(old)], paths: [folder] });
  expect([right.values, right.files.total, right.runs.length]).toMatchObject([
    [{ how: "given" }],
    1,
    2,
  ]);
  await audit.close();
});

it("refuses what is out of turn, and what says a value", async () => {
  const { audit, only, fold, place, key } = await newLog();
  const token = randomToken();
  const fingerprint = audit.fingerprint(token);
  await openIncident({ severity: "high", name: "A", fingerprint }, { audit });
  const step = async (work: (incident: Incident) => Promise<unknown>) => {
    const incident = await only();
    return codeOfLater(() => work(incident));
  };
  const [refused, fine] = ["INCIDENT_STEP_REFUSED", "none"];
  const note = "what we learned";
  const close = (incident: Incident) => closeIncident(incident, { audit, note });
  const recover = (incident: Incident) => recoverIncident(incident, { audit });
  expect(await step(close)).toBe(refused);
  expect(await step(recover)).toBe(refused);
  for (const text of [token, `key=${token}`, `("${token}")`, `it is\n${token}!`]) {
    expect(await step((each) => reviewIncident(each, { audit, note: text }))).toBe(
      "TEXT_HOLDS_SECRET",
    );
  }
  expect(await step((each) => reviewIncident(each, { audit, verdict: "real" }))).toBe(fine);
  expect(await step(recover)).toBe(refused);
  expect(await step((each) => containIncident(each, { audit, how: "elsewhere" }))).toBe(fine);
  expect(
    await step((each) => findScope(each, { audit, paths: [], given: [new Secret(token)] })),
  ).toBe(fine);
  expect(await step(close)).toBe(refused);
  expect(await step(recover)).toBe(fine);
  for (const empty of [undefined, "", "  \n"]) {
    expect(await step((each) => closeIncident(each, { audit, note: empty }))).toBe(refused);
  }
  expect(await step(close)).toBe(fine);
  for (const late of [
    close,
    recover,
    (each: Incident) => reviewIncident(each, { audit }),
    (each: Incident) => containIncident(each, { audit, how: "rotated" }),
    (each: Incident) => findScope(each, { audit, paths: [] }),
  ]) {
    expect(await step(late)).toBe(refused);
  }
  expect(await step(async (each) => findIncident([each], "ffffffff"))).toBe("INCIDENT_NOT_FOUND");
  // Two persons close at the same time: the log has both, and one counts.
  await openIncident({ severity: "low", name: "B", fingerprint }, { audit });
  const second = (await fold()).find(({ severity }) => severity === "low");
  if (second === undefined) throw new Error("no second incident");
  const other = await openLog({ ...place, key });
  const same = { note, actor: "uid:7" };
  await Promise.all([
    reviewIncident(second, { audit, ...same }),
    reviewIncident(second, { audit: other, ...same }),
    containIncident(second, { audit: other, how: "elsewhere" }),
    findScope(second, { audit, paths: [], given: [new Secret(token)] }),
  ]);
  const now = async () => findIncident(await fold(), second.id);
  await recoverIncident(await now(), { audit: other });
  const seen = await now();
  await Promise.all([
    closeIncident(seen, { audit, ...same }),
    closeIncident(seen, { audit: other, ...same }),
  ]);
  await other.close();
  expect(await now()).toMatchObject({ phase: "lessons", ignored: 1 });
  await audit.close();
});
