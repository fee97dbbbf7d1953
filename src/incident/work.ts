/** What people do about incidents, each as events of the audit log, refused where it is out of turn. */
import {
  type AuditEvent,
  type AuditEventOf,
  type AuditLog,
  currentActor,
  opaque,
  opaqueIfKnown,
} from "../audit/index.ts";
import { SecretError } from "../secrets/index.ts";
import type { Incident } from "./incident.ts";
import { assertClean } from "./note.ts";
import { assertStep, type Step } from "./phases.ts";
import type { IncidentSeverity } from "./service-levels.ts";

/** What a person gives to any step. */
export interface ClosingStep {
  /** The open log that takes the events. */
  readonly audit: AuditLog;
  /** In the person's own words, at most 2 KiB. */
  readonly note?: string | undefined;
  /** Who acts (default: the user of this process, or who started this CI job). */
  readonly actor?: string | undefined;
}

/**
 * The incident with this id, or with an id that begins so (8 characters at least).
 *
 * @throws SecretError `INCIDENT_NOT_FOUND`.
 */
export function findIncident(incidents: readonly Incident[], id: string): Incident {
  const isPart = /^[0-9a-f-]{8,36}$/.test(id);
  const [found, other] = isPart ? incidents.filter((each) => each.id.startsWith(id)) : [];
  if (found !== undefined && other === undefined) return found;
  throw new SecretError(
    "INCIDENT_NOT_FOUND",
    other === undefined
      ? "the log holds no such incident; see nopeek incident list"
      : "several incidents begin with this id; give all of it",
  );
}

/**
 * Reports what no monitor has seen, such as a credential in a public repository.
 *
 * @returns The id of the new incident.
 */
export async function openIncident(
  about: {
    readonly severity: IncidentSeverity;
    readonly name?: string | undefined;
    readonly reference?: string | undefined;
    readonly version?: string | undefined;
    readonly fingerprint?: string | undefined;
  },
  { audit }: Pick<ClosingStep, "audit">,
): Promise<string> {
  const id = process.getBuiltinModule("node:crypto").randomUUID();
  await audit.append({
    type: "incident.opened",
    ...idsOf(id),
    severity: about.severity,
    name: opaqueIfKnown("name", about.name),
    reference: opaqueIfKnown("reference", about.reference),
    version: opaqueIfKnown("version", about.version),
    fingerprint: opaqueIfKnown("fingerprint", about.fingerprint),
  });
  return id;
}

/**
 * Records that a person has looked at an incident, and how bad it is.
 *
 * @throws SecretError `INCIDENT_STEP_REFUSED`; as the log.
 */
export async function reviewIncident(
  incident: Incident,
  options: ClosingStep & {
    /** Default: as it is. */
    readonly severity?: IncidentSeverity | undefined;
    /** `harmless`: nothing leaked, the incident may be closed at once. */
    readonly verdict?: "real" | "harmless" | undefined;
  },
): Promise<void> {
  const { audit, verdict, severity = incident.severity } = options;
  const [ids, by] = [idsOf(incident.id), byWhom(options, incident)];
  assertStep("reviewed", progressOf(incident));
  const prints = new Set(incident.credentials.flatMap(({ fingerprint }) => fingerprint ?? []));
  if (verdict === "harmless" && prints.size === 0) {
    throw new SecretError(
      "INCIDENT_STEP_REFUSED",
      "the incident has no finding that could be harmless; it was reported by a person",
    );
  }
  const events: AuditEvent[] = [{ type: "incident.reviewed", ...ids, ...by }];
  for (const fingerprint of verdict === undefined ? [] : prints) {
    const about = { fingerprint: opaque("fingerprint", fingerprint), actor: by.actor };
    events.push({
      type: "finding.reviewed",
      correlationId: ids.correlationId,
      ...about,
      verdict: verdict ?? "real",
    });
  }
  if (incident.steps.closed === undefined) {
    events.push({ type: "incident.assessed", ...ids, severity, actor: by.actor });
  }
  await appendAll(audit, events);
}

/** @throws SecretError `INCIDENT_STEP_REFUSED`; as the log. */
export async function containIncident(
  incident: Incident,
  options: ClosingStep & { readonly how: AuditEventOf<"incident.contained">["how"] },
): Promise<void> {
  assertStep("contained", progressOf(incident));
  const { how } = options;
  await options.audit.append({
    type: "incident.contained",
    ...idsOf(incident.id),
    how,
    ...byWhom(options, incident),
  });
}

/** @throws SecretError `INCIDENT_STEP_REFUSED`; as the log. */
export async function recoverIncident(incident: Incident, options: ClosingStep): Promise<void> {
  assertStep("recovered", progressOf(incident));
  await options.audit.append({
    type: "incident.recovered",
    ...idsOf(incident.id),
    ...byWhom(options, incident),
  });
}

/**
 * Closes an incident with what was learned.
 *
 * @throws SecretError `INCIDENT_STEP_REFUSED`, also without a note; as the log.
 */
export async function closeIncident(incident: Incident, options: ClosingStep): Promise<void> {
  assertStep("closed", progressOf(incident));
  const { actor, note = "" } = byWhom(options, incident);
  if (note.trim() === "") {
    throw new SecretError(
      "INCIDENT_STEP_REFUSED",
      "the incident cannot be closed without a note: say what was learned",
    );
  }
  const ids = idsOf(incident.id);
  await options.audit.append({ type: "incident.closed", ...ids, actor, note });
}

/** Of a run the correlation id of all its events, so that one id joins everything. */
export function idsOf(id: string) {
  return { correlationId: opaque("id", id), incidentId: opaque("id", id) };
}

/** Who acts and what he says, which must hold none of the values that leaked. */
export function byWhom({ audit, actor, note }: ClosingStep, incident: Incident) {
  if (note !== undefined) assertClean(note, incident, audit);
  return { actor: actor === undefined ? currentActor() : opaque("actor", actor), note };
}

export function progressOf({ steps, isHarmless, toReviewSinceMs }: Incident) {
  return {
    done: new Set(Object.keys(steps) as Step[]),
    isHarmless,
    isToReview: toReviewSinceMs !== undefined,
  };
}

async function appendAll(audit: AuditLog, events: readonly AuditEvent[]): Promise<void> {
  await Promise.all(events.map((event) => audit.append(event)));
}
