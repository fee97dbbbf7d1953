/** Free text in an audit event is an error of the compiler. Never run. */
import { type AuditEvent, type AuditLog, opaque, opaqueIfKnown } from "nopeek/audit";

declare const log: AuditLog;
declare const text: string;
const correlationId = opaque("id", text);
const actor = opaque("actor", text);
const fingerprint = log.fingerprint(text);

export const events: AuditEvent[] = [
  { type: "run.refused", correlationId, code: "SECRET_NOT_FOUND" },
  { type: "run.refused", correlationId, code: "PATH_ESCAPE" },
  { type: "run.notice", correlationId, code: "plain-values", count: 2 },
  {
    type: "rotation.revoked",
    correlationId,
    reference: opaque("reference", text),
    version: "(withheld)",
  },
  { type: "incident.closed", correlationId, incidentId: correlationId, actor, note: text },
  { type: "incident.reviewed", correlationId, incidentId: correlationId, actor },
  {
    type: "secret.injected",
    correlationId,
    name: opaque("name", text),
    version: opaqueIfKnown("version", undefined),
    fingerprint,
    as: "env",
  },
];

// @ts-expect-error no such type
void log.append({ type: "run.message", correlationId });
// @ts-expect-error no field for text
void log.append({ type: "run.notice", correlationId, code: "plain-values", message: text });
// @ts-expect-error a notice is a code of a closed list
void log.append({ type: "run.notice", correlationId, code: text });
// @ts-expect-error a notice is a code of a closed list
void log.append({ type: "run.notice", correlationId, code: "something else" });
// @ts-expect-error an error is a code of a closed list
void log.append({ type: "run.refused", correlationId, code: text });
// @ts-expect-error a correlation id is no plain text
void log.append({ type: "run.refused", correlationId: text, code: "USAGE" });
// @ts-expect-error not even with four dashes
void log.append({ type: "run.refused", correlationId: "a-b-c-d-e", code: "USAGE" });
// @ts-expect-error every event has a correlation id
void log.append({ type: "run.refused", code: "USAGE" });
// @ts-expect-error a reference is no plain text
void log.append({ type: "rotation.revoked", correlationId, reference: text, version: actor });
// @ts-expect-error nor another kind of text
void log.append({ type: "rotation.revoked", correlationId, reference: actor, version: actor });
void log.append({
  type: "incident.reviewed",
  correlationId,
  incidentId: correlationId,
  // @ts-expect-error an actor is no name of a person
  actor: text,
});
void log.append({
  type: "rotation.revoked",
  correlationId,
  reference: opaque("reference", text),
  version: opaque("version", text),
  // @ts-expect-error only what a person writes has a note
  note: text,
});
// @ts-expect-error closing needs an actor
void log.append({ type: "incident.closed", correlationId, incidentId: correlationId, note: text });
// @ts-expect-error closing needs lessons
void log.append({ type: "incident.closed", correlationId, incidentId: correlationId, actor });
void log.append({
  type: "finding.reviewed",
  correlationId,
  // @ts-expect-error a fingerprint is made by the log
  fingerprint: text,
  verdict: "real",
  actor,
});
// @ts-expect-error written by the log itself
void log.append({ type: "log.closed", records: 1 });
