/** Which credentials an incident is about: where they came from, who else had them, what became of them. */
import { type AuditRecord, withheld } from "../audit/index.ts";
import type { LeakedCredential } from "./incident.ts";
import { fieldOf, placeOf } from "./place.ts";

type Of<Type extends AuditRecord["type"]> = Extract<AuditRecord, { type: Type }>;
type Injected = Of<"secret.injected"> | Of<"secret.attached">;
type Finding = Of<"monitor.finding">;

/** What all of a log tells about each credential. */
export interface LogIndex {
  /** By the id of a run or an incident. */
  readonly cases: ReadonlyMap<string, readonly AuditRecord[]>;
  /** Who was given a value, by its fingerprint, and a secret that is attached, by its reference. */
  readonly givenTo: ReadonlyMap<string, readonly Injected[]>;
  readonly rotations: readonly (Of<"rotation.finished"> | Of<"rotation.revoked">)[];
}

/** @param sorted - The records, in the order of their times. */
export function indexOf(sorted: readonly AuditRecord[]): LogIndex {
  const cases = new Map<string, AuditRecord[]>();
  const givenTo = new Map<string, Injected[]>();
  const rotations: (Of<"rotation.finished"> | Of<"rotation.revoked">)[] = [];
  for (const record of sorted) {
    if (!("correlationId" in record)) continue;
    const id = "incidentId" in record ? record.incidentId : record.correlationId;
    push(cases, id, record);
    if (record.type === "secret.injected") push(givenTo, record.fingerprint, record);
    if (record.type === "secret.attached") push(givenTo, record.reference, record);
    if (record.type === "rotation.finished" || record.type === "rotation.revoked") {
      rotations.push(record);
    }
  }
  return { cases, givenTo, rotations };
}

/** What was withheld is not known to be the same. */
function push<T>(map: Map<string, T[]>, key: string | undefined, value: T): void {
  if (key === undefined || key === withheld) return;
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

/** What leaked in an incident: by its findings, and by the person who reported it. */
export function credentialsOf(
  findings: readonly Finding[],
  opened: Of<"incident.opened"> | undefined,
  own: readonly AuditRecord[],
  log: LogIndex,
): LeakedCredential[] {
  const given = own.filter(isGiven);
  const credentials = new Map<string, LeakedCredential>();
  for (const { name, rule, fingerprint } of findings) {
    const source = given.find((each) => isSource(each, name, fingerprint));
    const version = source?.type === "secret.injected" ? source.version : undefined;
    const known = { name, rule, fingerprint, reference: source?.reference, version };
    const key = `${name} ${rule} ${fingerprint}`;
    if (!credentials.has(key)) credentials.set(key, completed(known, log));
  }
  if (opened !== undefined) {
    const { name, rule, fingerprint, reference, version } = opened;
    const known = { name, rule, fingerprint, reference, version };
    const key = `${name} ${rule} ${fingerprint}`;
    if (!credentials.has(key)) credentials.set(key, completed(known, log));
  }
  return [...credentials.values()];
}

function isGiven(record: AuditRecord): record is Injected {
  return record.type === "secret.injected" || record.type === "secret.attached";
}

function isSource(each: Injected, name: string | undefined, fingerprint: string): boolean {
  if (each.type === "secret.attached") return name !== undefined && each.name === name;
  return fingerprint !== withheld && each.fingerprint === fingerprint;
}

/** Adds what the rest of the log tells: who else had it, and whether it was rotated since. */
function completed(
  known: Omit<LeakedCredential, "runs" | "rotatedAtMs" | "revokedAtMs">,
  { givenTo, rotations }: LogIndex,
): LeakedCredential {
  const { fingerprint, reference } = known;
  const byValue = fingerprint === undefined ? undefined : givenTo.get(fingerprint);
  const byPlace = (reference === undefined ? undefined : givenTo.get(reference)) ?? [];
  const given = byValue ?? byPlace;
  const ofIt = rotations.filter((each) => isOfIt(each, known, byValue ?? byPlace));
  const rotated = ofIt.find((each) => each.type === "rotation.finished");
  const revoked = ofIt.find((each) => each.type === "rotation.revoked");
  return {
    ...known,
    runs: [...new Set(given.map(({ correlationId }) => correlationId))],
    rotatedAtMs: rotated && Date.parse(rotated.at),
    revokedAtMs: revoked && Date.parse(revoked.at),
  };
}

/**
 * Whether a rotation replaced a credential: by its version, and where the store has none by the time:
 * it came after everybody was given the value.
 */
function isOfIt(
  each: LogIndex["rotations"][number],
  { reference, version }: Pick<LeakedCredential, "reference" | "version">,
  given: readonly Injected[],
): boolean {
  const place = placeOf(reference);
  if (place === undefined || placeOf(each.reference) !== place) return false;
  const old = each.type === "rotation.finished" ? each.from : each.version;
  if (version !== undefined) return old === version;
  // A file holds the values of several credentials.
  const isVersioned = old !== undefined && old !== "" && old !== withheld;
  if (isVersioned || fieldOf(each.reference) !== fieldOf(reference)) return false;
  return given.length > 0 && given.every(({ at }) => at < each.at);
}
