/** What a report as JSON looks like, as JSON Schema (draft 2020-12). */
const text = { type: "string" } as const;
const textOrNull = { type: ["string", "null"] } as const;
const count = { type: "integer", minimum: 0 } as const;
const countOrNull = { type: ["integer", "null"], minimum: 0 } as const;
const flag = { type: "boolean" } as const;

function object(properties: Readonly<Record<string, unknown>>) {
  return {
    type: "object",
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  } as const;
}
const list = (items: unknown) => ({ type: "array", items }) as const;

const summary = object({
  count,
  medianMs: countOrNull,
  meanMs: countOrNull,
  maxMs: countOrNull,
});

/**
 * The schema of `nopeek incident report --json` and of `reportOf`.
 *
 * @example
 * writeFileSync("incident.schema.json", JSON.stringify(reportSchema));
 */
export const reportSchema: Readonly<Record<string, unknown>> = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "The report of an incident",
  ...object({
    schemaVersion: { const: 1 },
    madeAt: text,
    incident: object({
      id: text,
      severity: { enum: ["critical", "high", "medium", "low", "info"] },
      phase: {
        enum: [
          ...["detection", "assessment", "containment", "investigation", "recovery", "lessons"],
        ],
      },
      detectedBy: { enum: ["monitor", "person"] },
      isHarmless: flag,
      detectedAt: text,
      contained: flag,
      closedAt: textOrNull,
      occurrences: count,
      ignoredSteps: count,
    }),
    credentials: list(
      object({
        name: textOrNull,
        rule: textOrNull,
        reference: textOrNull,
        version: textOrNull,
        fingerprint: textOrNull,
        runs: count,
        rotatedAt: textOrNull,
        revokedAt: textOrNull,
      }),
    ),
    scope: object({
      searchedAt: textOrNull,
      files: countOrNull,
      occurrences: countOrNull,
      runs: list(
        object({
          runId: text,
          startedAt: textOrNull,
          endedAt: textOrNull,
          endedBy: textOrNull,
          leaked: flag,
        }),
      ),
      places: list(
        object({
          file: text,
          line: count,
          column: count,
          part: { enum: ["text", "gzip", "rest", "name"] },
          form: text,
          fingerprint: text,
          name: textOrNull,
          rule: textOrNull,
        }),
      ),
      notSearched: list(object({ file: text, why: text })),
    }),
    actions: list(object({ step: text, at: text })),
    deadlines: list(object({ what: text, dueAt: text, isOverdue: flag })),
    metrics: object({
      timeToDetectMs: countOrNull,
      timeToRespondMs: countOrNull,
      timeToResolveMs: countOrNull,
      all: object({
        count,
        open: count,
        closed: count,
        harmless: count,
        bySeverity: object({
          critical: count,
          high: count,
          medium: count,
          low: count,
          info: count,
        }),
        timeToDetect: summary,
        timeToRespond: summary,
        timeToResolve: summary,
      }),
    }),
    contacts: list(object({ role: text, contact: text })),
    timeline: list(
      object({
        at: text,
        what: text,
        details: list(text),
        actor: textOrNull,
        note: textOrNull,
      }),
    ),
  }),
};
