/**
 * The closed list of what an audit log records: every type of event with its fields. The types of
 * TypeScript and the checks at run time are both made of this table.
 */
import type { FieldSpec, FieldValue } from "./fields.ts";

const severity = ["info", "low", "medium", "high", "critical"] as const;
const strength = ["strong", "weak"] as const;
const stream = ["stdout", "stderr"] as const;
const confidence = ["exact", "checksum", "format", "heuristic", "placeholder"] as const;
const rotationStep = ["create", "set", "test", "finish", "copy", "revoke"] as const;

/** What a launch tells beside its result, as codes. */
const noticeCodes = [
  "credentials-withheld",
  "plain-values",
  "path-option-unused",
  "path-unchecked",
  "transcript-failed",
  "processes-left",
  "output-held-open",
  "output-lost",
  "config-changed",
] as const;

/** Programs that may be named; of any other command only its fingerprint is known. */
const programs = [
  ...(["python", "torchrun", "accelerate", "deepspeed", "mpirun", "ray", "jupyter"] as const),
  ...(["node", "npm", "npx", "uv", "poetry", "conda", "docker", "make", "bash", "sh"] as const),
  "other",
] as const;

/** By type; a field whose name ends in `?` may be missing. */
export const eventTypes = {
  // The log itself
  "log.opened": { format: "count", actor: "actor", keyId: "fingerprint", "config?": "sha256" },
  "log.closed": { records: "count" },

  // A run
  "run.started": {
    correlationId: "id",
    runtime: "word",
    program: programs,
    command: "fingerprint",
    arguments: "count",
    secrets: "count",
    mounts: "count",
  },
  "run.refused": { correlationId: "id", code: "code" },
  "run.notice": { correlationId: "id", code: noticeCodes, "count?": "count" },
  "run.ended": {
    correlationId: "id",
    endedBy: ["exit", "signal", "timeout", "abort", "halt", "audit", "lost"],
    exitCode: "count",
    redactions: "count",
    outputLost: "flag",
    durationMs: "count",
  },
  "secret.injected": {
    correlationId: "id",
    name: "name",
    "reference?": "reference",
    "provider?": "word",
    "version?": "version",
    fingerprint: "fingerprint",
    as: ["env", "file"],
  },
  "secret.attached": {
    correlationId: "id",
    name: "name",
    "reference?": "reference",
    provider: "word",
  },

  // What was found in output: the first of its kind at once, further ones counted.
  "finding.made": {
    correlationId: "id",
    "name?": "name",
    form: "word",
    strength,
    stream,
    fingerprint: "fingerprint",
  },
  "finding.repeated": {
    correlationId: "id",
    "name?": "name",
    form: "word",
    strength,
    stream,
    fingerprint: "fingerprint",
    count: "count",
  },
  "finding.reviewed": {
    correlationId: "id",
    fingerprint: "fingerprint",
    verdict: ["real", "harmless"],
    actor: "actor",
    "note?": "note",
  },

  // The monitor
  "monitor.finding": {
    correlationId: "id",
    confidence,
    severity: ["critical", "high", "warning", "review"],
    action: ["review", "redact", "alert", "halt", "halt+rotate"],
    stream: ["stdout", "stderr", "command"],
    fingerprint: "fingerprint",
    "rule?": "word",
    "name?": "name",
    "form?": "word",
    "strength?": strength,
  },
  "monitor.halted": {
    correlationId: "id",
    fingerprint: "fingerprint",
    "rule?": "word",
    "name?": "name",
  },
  "monitor.rotation": {
    correlationId: "id",
    fingerprint: "fingerprint",
    outcome: ["started", "done", "failed", "unavailable", "unfinished"],
    "name?": "name",
  },
  "alert.failed": {
    correlationId: "id",
    sink: "word",
    why: [
      ...(["timeout", "not-started", "exit-code", "status"] as const),
      ...(["redirect", "connection", "failed", "dropped"] as const),
    ],
  },

  // Rotation
  "rotation.started": {
    correlationId: "id",
    reference: "reference",
    strategy: ["issuer", "alternating", "static"],
    leaked: "flag",
    "name?": "name",
    "from?": "version",
  },
  "rotation.skipped": {
    correlationId: "id",
    reference: "reference",
    why: ["not-due", "done-by-another", "planned-only", "declined"],
    "version?": "version",
  },
  "rotation.step": {
    correlationId: "id",
    reference: "reference",
    step: rotationStep,
    outcome: ["done", "failed", "skipped", "resumed"],
    "version?": "version",
    "copy?": "reference",
    "code?": "code",
  },
  "rotation.finished": {
    correlationId: "id",
    reference: "reference",
    "from?": "version",
    to: "version",
    "revokeAfterMs?": "count",
  },
  "rotation.rolled-back": {
    correlationId: "id",
    reference: "reference",
    step: rotationStep,
    "current?": "version",
    "code?": "code",
  },
  "rotation.incomplete": {
    correlationId: "id",
    reference: "reference",
    step: rotationStep,
    "current?": "version",
    "pending?": "version",
    "code?": "code",
  },
  "rotation.revoked": { correlationId: "id", reference: "reference", version: "version" },

  // An incident: detection, assessment, containment, investigation, recovery, lessons
  "incident.opened": {
    correlationId: "id",
    incidentId: "id",
    severity,
    "rule?": "word",
    "name?": "name",
    "reference?": "reference",
    "version?": "version",
    "fingerprint?": "fingerprint",
  },
  "incident.assessed": {
    correlationId: "id",
    incidentId: "id",
    severity,
    actor: "actor",
    "note?": "note",
  },
  "incident.contained": {
    correlationId: "id",
    incidentId: "id",
    how: ["halted", "rotated", "revoked", "elsewhere"],
    actor: "actor",
    "note?": "note",
  },
  "incident.scoped": {
    correlationId: "id",
    incidentId: "id",
    actor: "actor",
    files: "count",
    occurrences: "count",
    runs: "count",
    "note?": "note",
  },
  "incident.recovered": {
    correlationId: "id",
    incidentId: "id",
    actor: "actor",
    "note?": "note",
  },
  "incident.reviewed": { correlationId: "id", incidentId: "id", actor: "actor", "note?": "note" },
  "incident.closed": { correlationId: "id", incidentId: "id", actor: "actor", note: "note" },
} as const satisfies Readonly<Record<string, Readonly<Record<string, FieldSpec>>>>;

/** The name of a type of event. */
export type AuditEventType = keyof typeof eventTypes;

type FieldsOf<Table extends Readonly<Record<string, FieldSpec>>> = {
  readonly [Key in keyof Table as Key extends `${string}?` ? never : Key]: FieldValue<Table[Key]>;
} & {
  readonly [Key in keyof Table as Key extends `${infer Name}?` ? Name : never]?:
    | FieldValue<Table[Key]>
    | undefined;
};

/** One type of event with its fields. */
export type AuditEventOf<Type extends AuditEventType> = { readonly type: Type } & FieldsOf<
  (typeof eventTypes)[Type]
>;

/** What can be recorded; those of `log.` are written by the log itself. */
export type AuditEvent = {
  [Type in AuditEventType]: AuditEventOf<Type>;
}[Exclude<AuditEventType, `log.${string}`>];

/** What a launch tells beside its result, as a code. */
export type NoticeCode = (typeof noticeCodes)[number];

/** A program that may be named in the log. */
export type ProgramName = (typeof programs)[number];

/** The word for a program: its file name if that is a well-known one, else `other`. */
export function programName(program: string): ProgramName {
  const base = (program.split("/").at(-1) ?? "").replace(/^python[\d.]+$/, "python");
  return programs.find((name) => name === base) ?? "other";
}
