import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { marked, type Token } from "marked";
import { Secret } from "nopeek";
import type { AuditRecord } from "nopeek/audit";
import {
  asMarkdown,
  foldIncidents,
  type IncidentScope,
  reportOf,
  reportSchema,
} from "nopeek/incident";
import { createRedactor } from "nopeek/redact";
import { scan } from "nopeek/scan";
import { expect, it } from "vitest";
import { z } from "zod";
import { idOf, printOf, randomFrom, randomHistory, record } from "../support/histories.ts";
import { isSlow, scratch } from "../support/scratch.ts";
import { randomToken } from "../support/values.ts";

/** What would be active, or end a span or a cell, if it got through. */
const attacks = [
  ...[
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- ",
    "&lt;b&gt;",
    "</td></table>",
  ],
  ...[
    "[click](https://evil.example/)",
    "![x](https://evil.example/x.png)",
    "https://evil.example",
    "www.evil.example",
  ],
  ...["<https://evil.example>", "a@evil.example", "[x]: https://evil.example", "[^1]"],
  ...["` ends a span `", "``", "```\ncode\n```", "|", "| a | b |\n| --- | --- |", "\\`", "\\"],
  ...[
    "\n# heading",
    "\n\n- list",
    "\r\n> quote",
    "\u0000",
    "\u001b[31m",
    "\u001b]8;;https://evil.example\u0007",
    "\u009b31m",
  ],
  ...[
    "\u202eevil",
    "\u2066",
    "\u200b",
    "\u2028",
    "\ufeff",
    "\ud800",
    "  ",
    "",
    "$x^2$",
    "{{x}}",
    "*b* _i_ ~s~",
  ],
];

const kindsAllowed: ReadonlySet<string> = new Set([
  ...["heading", "paragraph", "text", "table", "codespan", "strong", "space"],
]);

function* tokensOf(tokens: readonly Token[]): Iterable<Token> {
  for (const token of tokens) {
    yield token;
    if ("tokens" in token && token.tokens) yield* tokensOf(token.tokens);
    if (token.type === "table") {
      for (const cell of [...token["header"], ...token["rows"].flat()])
        yield* tokensOf(cell.tokens);
    }
  }
}

/** Names, notes and ids of a history, replaced by what an attacker would write there. */
function hostile(records: readonly AuditRecord[], random: () => number, values: readonly string[]) {
  const bait = [...attacks, ...values];
  const pick = () =>
    `${bait[Math.floor(random() * bait.length)]}${bait[Math.floor(random() * bait.length)]}`;
  const open = [
    "name",
    "rule",
    "form",
    "note",
    "reference",
    "version",
    "actor",
    "endedBy",
    "runtime",
    "how",
  ];
  return records.map((each) => {
    const changed: Record<string, unknown> = { ...each };
    for (const field of open) if (field in changed && random() < 0.7) changed[field] = pick();
    if (each.type === "monitor.finding") changed["rule"] = pick();
    return changed as unknown as AuditRecord;
  });
}

it("reports of hostile histories hold no value and nothing active", async () => {
  const folder = scratch();
  const token = randomToken();
  const secret = new Secret(token, { name: "TOKEN" });
  const forms = [token, Buffer.from(token).toString("base64"), Buffer.from(token).toString("hex")];
  using redactor = createRedactor({ secrets: [secret] });
  const clean = (text: string) => redactor.redact(text);
  const names = [...attacks, ...forms].filter(
    (name) => !/[/\0]|^\.*$/.test(name) && name.isWellFormed(),
  );
  for (const name of names) writeFileSync(join(folder, `${name}x`), `\n${token}`);
  const files = await scan([folder], { secrets: [secret], rules: "none" });
  expect(files.findings.length).toBe(names.length + forms.length);
  const scope: IncidentScope = { incidentId: "", values: [], files, runs: [], isComplete: true };
  const schema = z.fromJSONSchema(reportSchema as Parameters<typeof z.fromJSONSchema>[0]);
  let reports = 0;
  for (let seed = 1; reports < (isSlow ? 10_000 : 1000); seed++) {
    const random = randomFrom(seed * 7);
    const incidents = foldIncidents(hostile(randomHistory(seed), random, forms));
    for (const incident of incidents) {
      const pick = () => attacks[Math.floor(random() * attacks.length)] ?? "";
      const contacts = { [`role ${pick()}`]: `${pick()} ${forms[0]}` };
      // The places are the same each time, and many.
      const places = reports % 100 === 0 ? scope : undefined;
      const report = reportOf(incident, { incidents, contacts, clean, scope: places });
      const markdown = asMarkdown(report);
      const json = JSON.stringify(report);
      for (const form of forms) expect(markdown + json).not.toContain(form);
      expect(markdown).not.toMatch(/[^\P{C}\n]|[\u2028\u2029<&]/u);
      for (const { type } of tokensOf(marked.lexer(markdown))) {
        if (!kindsAllowed.has(type)) expect(type, markdown).toBe("harmless");
      }
      if (reports % 20 === 0) expect(schema.safeParse(report).error?.issues ?? []).toEqual([]);
      reports++;
    }
  }
});

it("a link would be seen (positive control)", () => {
  const types = [...tokensOf(marked.lexer("| a |\n| --- |\n| https://evil.example |\n"))].map(
    ({ type }) => type,
  );
  expect(types).toContain("link");
  const schema = z.fromJSONSchema(reportSchema as Parameters<typeof z.fromJSONSchema>[0]);
  expect(schema.safeParse({ schemaVersion: 1 }).success).toBe(false);
});

it("every table keeps its columns, and every number follows from the log", () => {
  const id = idOf("run");
  const at = Date.parse("2026-05-04T08:00:00Z");
  const ids = { correlationId: id, incidentId: id, actor: "uid:1" };
  const fingerprint = printOf("a");
  const found = {
    name: "A|B",
    fingerprint,
    severity: "critical",
    confidence: "exact",
    form: "raw",
  };
  const records = [
    record(at, "a", 1, {
      type: "run.started",
      correlationId: id,
      runtime: "local",
      program: "python",
    }),
    record(at, "a", 2, {
      type: "secret.injected",
      correlationId: id,
      name: "A",
      reference: "aws-sm://a",
      version: "v1",
      fingerprint,
      as: "env",
    }),
    record(at + 5_000, "a", 3, {
      type: "monitor.finding",
      correlationId: id,
      ...found,
      action: "halt",
      stream: "stdout",
    }),
    record(at + 5_001, "a", 4, { type: "monitor.halted", correlationId: id, fingerprint }),
    record(at + 65_000, "b", 1, { type: "incident.reviewed", ...ids }),
    record(at + 65_001, "b", 2, { type: "incident.assessed", ...ids, severity: "high" }),
    record(at + 70_000, "b", 3, {
      type: "incident.scoped",
      ...ids,
      files: 2,
      occurrences: 5,
      runs: 1,
    }),
    record(at + 90_000, "b", 4, {
      type: "rotation.finished",
      correlationId: id,
      reference: "aws-sm://a",
      from: "v1",
      to: "v2",
    }),
    record(at + 95_000, "b", 5, {
      type: "rotation.revoked",
      correlationId: id,
      reference: "aws-sm://a",
      version: "v1",
    }),
    record(at + 125_000, "b", 6, { type: "incident.recovered", ...ids }),
    record(at + 130_000, "b", 7, { type: "incident.closed", ...ids, note: "learned" }),
  ];
  const [incident] = foldIncidents(records);
  if (incident === undefined) throw new Error("no incident");
  const report = reportOf(incident, { nowMs: at + 200_000, contacts: { chief: "+1" } });
  expect(report.metrics).toMatchObject({
    timeToDetectMs: 5_000,
    timeToRespondMs: 60_000,
    timeToResolveMs: 120_000,
  });
  expect(report.incident).toMatchObject({
    severity: "high",
    phase: "lessons",
    contained: true,
    closedAt: "2026-05-04T08:02:10.000Z",
  });
  expect(report.credentials).toMatchObject([
    {
      name: "A|B",
      reference: "aws-sm://a",
      version: "v1",
      runs: 1,
      rotatedAt: "2026-05-04T08:01:30.000Z",
      revokedAt: "2026-05-04T08:01:35.000Z",
    },
  ]);
  expect(report.scope).toMatchObject({
    files: 2,
    occurrences: 5,
    runs: [{ runId: id, leaked: true }],
  });
  expect(report.deadlines).toEqual([]);
  const markdown = asMarkdown(report);
  expect(markdown).toContain("| time to resolve | 2 min | 1 | 2 min | 2 min |");
  for (const token of tokensOf(marked.lexer(markdown))) {
    if (token.type !== "table") continue;
    for (const row of token["rows"]) expect(row.length).toBe(token["header"].length);
  }
});
