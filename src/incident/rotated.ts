/** A rotation that is done because of an incident. */
import { SecretError } from "../secrets/index.ts";
import type { Incident, LeakedCredential } from "./incident.ts";
import { assertStep, missingFor } from "./phases.ts";
import { placeOf } from "./place.ts";
import { type ClosingStep, containIncident, progressOf, recoverIncident } from "./work.ts";

/**
 * The credential of an incident that a rotation of this reference replaces.
 *
 * @returns `undefined` where only a format was found, so that anything may be meant.
 * @throws SecretError `INCIDENT_STEP_REFUSED` if the incident is of other credentials, or closed.
 */
export function rotatedFor(incident: Incident, reference: string): LeakedCredential | undefined {
  assertStep("contained", progressOf(incident));
  const known = incident.credentials.filter((each) => each.reference !== undefined);
  const found = known.find((each) => placeOf(each.reference) === placeOf(reference));
  if (found !== undefined || known.length === 0) return found;
  const names = known.map(({ name, reference: where }) => name ?? where).join(", ");
  throw new SecretError(
    "INCIDENT_STEP_REFUSED",
    `what leaked in this incident is not what is rotated here: it is ${names}`,
  );
}

/**
 * Records that what leaked was rotated: the incident is contained when every known credential of it
 * is, and recovered when every one was revoked too, as far as that is its turn.
 *
 * @param incident - As the log tells it after the rotation.
 * @returns What is missing for its recovery; empty if it is recovered from.
 */
export async function recordRotation(
  incident: Incident,
  options: ClosingStep,
): Promise<readonly string[]> {
  const known = incident.credentials.filter((each) => each.reference !== undefined);
  const left = known.filter(
    ({ rotatedAtMs, revokedAtMs }) => (revokedAtMs ?? rotatedAtMs) === undefined,
  );
  if (left.length > 0) return left.map((each) => `${each.name ?? "a credential"} was not rotated`);
  const unrevoked = known.filter(({ revokedAtMs }) => revokedAtMs === undefined);
  const how = unrevoked.length === 0 && known.length > 0 ? "revoked" : "rotated";
  await containIncident(incident, { ...options, how });
  const progress = progressOf(incident);
  const done = new Set([...progress.done, "contained" as const]);
  const missing = [
    ...missingFor("recovered", { ...progress, done }),
    ...unrevoked.map((each) => `the old version of ${each.name ?? "a credential"} still works`),
  ];
  if (missing.length > 0) return missing;
  const contained = { ...incident, steps: { contained: Date.now(), ...incident.steps } };
  await recoverIncident(contained, options);
  return [];
}
