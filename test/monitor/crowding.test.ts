import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { readAuditLog } from "nopeek/audit";
import { defaultRules, reviewRules } from "nopeek/detect";
import { foldIncidents } from "nopeek/incident";
import { launch } from "nopeek/launch";
import type { Alert, MonitoredFinding, MonitorOptions } from "nopeek/monitor";
import { createRedactor } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { newKey, newPlace, openLog } from "../support/audit.ts";
import { scratch } from "../support/scratch.ts";
import { fromTemplate } from "../support/templates.ts";
import { ruleFinding, valueFinding, watching } from "../support/watching.ts";

const redactor = createRedactor({ secrets: [], rules: [defaultRules, reviewRules] });
const toReview = (count: number) =>
  Array.from({ length: count }, (_, i) => `open('../../${i}/x')\n`).join("");
const key = () => `${fromTemplate("{=crc32 ghp_{A-Za-z0-9*30}}")}\n`;

/** What is recorded and alerted of output, as rules. */
async function output(text: string, options: MonitorOptions = {}) {
  return await told(redactor.find(text), options);
}

async function told(findings: Iterable<MonitoredFinding>, options: MonitorOptions = {}) {
  const alerts: Alert[] = [];
  const pager = { name: "pager", send: (alert: Alert) => void alerts.push(alert) };
  const watched = watching({ alerts: [pager], ...options });
  for (const finding of findings) watched.watch.masked(finding, "stdout");
  const incident = await watched.end();
  const recorded = watched.events.flatMap((event) =>
    event.type === "finding" ? [event.rule ?? event.name] : [],
  );
  const alerted = alerts.map(({ rule, name }) => rule ?? name);
  return { recorded, alerted, lines: watched.lines, incident };
}

const many = (rule: string, count: number, more: Partial<MonitoredFinding> = {}) =>
  Array.from({ length: count }, (_, i) => ruleFinding(rule, { fingerprint: `f-${i}`, ...more }));

describe("a credential behind many findings that nobody is told of", () => {
  it("is told and recorded, as without them", async () => {
    const alone = await output(key());
    expect([alone.recorded, alone.alerted]).toEqual([["github-token"], ["github-token"]]);
    const crowd = await output(`${toReview(25)}${key()}`);
    expect(crowd.alerted).toEqual(["github-token"]);
    expect(crowd.recorded.at(-1)).toBe("github-token");
    expect(crowd.incident?.suppressed).toBe(5);
  });

  it("also where they are masked and no more", async () => {
    const { recorded, alerted } = await told(
      [...many("assignment", 25), ruleFinding("github-token")],
      { onFinding: [{ rule: "assignment", action: "redact" }] },
    );
    expect(alerted).toEqual(["github-token"]);
    expect(recorded).toHaveLength(26);
  });
});

it("a credential behind lines to review is an incident of the audit log", async () => {
  const [place, auditKey] = [newPlace(), newKey()];
  const file = join(scratch(), "out");
  const severities: (string | undefined)[] = [];
  for (const text of [key(), `${toReview(25)}${key()}`]) {
    writeFileSync(file, text);
    const log = await openLog({ ...place, key: auditKey });
    await launch({
      command: ["cat", file],
      output: { stdout: new PassThrough().resume(), stderr: new PassThrough().resume() },
      onNotice: () => undefined,
      audit: log,
    });
    await log.close();
    const records = await readAuditLog({ ...place, key: auditKey });
    severities.push(foldIncidents(records).at(-1)?.severity);
    expect(
      records.filter((record) => "rule" in record && record.rule === "github-token"),
    ).toHaveLength(severities.length);
  }
  // Control: the first run, in which there is nothing else.
  expect(severities[1]).toBe(severities[0]);
});

describe("what the limit of alerts holds back", () => {
  it("is recorded", async () => {
    const { recorded, alerted, incident } = await told([...many("hf-token", 25)]);
    expect([recorded.length, alerted.length, incident?.suppressed]).toEqual([25, 20, 5]);
  });

  it("does not keep a known value or a halt from being told", async () => {
    const findings = [...many("hf-token", 25), ruleFinding("aws-key"), valueFinding("OTHER")];
    const { alerted } = await told(findings, { onFinding: [{ rule: "aws-*", action: "halt" }] });
    expect(alerted.slice(20)).toEqual(["aws-key", "OTHER"]);
  });
});

describe("the records of a run", () => {
  it("have an end, but not for another severity, action or rule", async () => {
    const flood = many("assignment", 10_500, { severity: "warning" });
    const late = [
      ruleFinding("github-token", { severity: "critical" }),
      ruleFinding("npm-token", { severity: "warning" }),
    ];
    const { recorded, incident } = await told([...flood, ...late]);
    expect(recorded).toHaveLength(10_002);
    expect(recorded.slice(-2)).toEqual(["github-token", "npm-token"]);
    expect(incident?.findings.reduce((sum, { count }) => sum + count, 0)).toBe(10_502);
  });

  it("have text of one rule to review without that of another being lost", async () => {
    const { recorded } = await output(`${toReview(25)}os.system("rm " + name)\n`);
    expect(recorded).toHaveLength(21);
    expect(recorded.at(-1)).not.toBe(recorded[0]);
  });

  it("have a known value once, also when there are as many as there may be", async () => {
    const flood = many("assignment", 10_500, { severity: "high" });
    const other = valueFinding("OTHER");
    const again = [other, valueFinding("NEXT"), other, { ...other, form: "base64" }, other];
    const { recorded, alerted } = await told([...flood, ...again]);
    expect(recorded.slice(10_000)).toEqual(["OTHER", "NEXT"]);
    expect(alerted.slice(20)).toEqual(["OTHER", "NEXT"]);
  });
});
