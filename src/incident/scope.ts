/** How far a leak went: which files hold the value, and which runs had it. */
import { type ScanFinding, type ScanResult, scan } from "../scan/index.ts";
import type { Secret, SecretErrorCode, Secrets } from "../secrets/index.ts";
import type { Incident } from "./incident.ts";
import { readLeaked } from "./leaked-value.ts";
import { assertStep } from "./phases.ts";
import { byWhom, type ClosingStep, idsOf, progressOf } from "./work.ts";

/** How a credential of an incident was looked for. */
export interface LeakedValue {
  readonly name: string | undefined;
  readonly rule: string | undefined;
  readonly reference: string | undefined;
  /**
   * `read`: its value was read again from its store, and is the one that leaked. `given`: by the
   * caller. `compared`: only what it looks like is known, and hits are compared by fingerprint.
   * `missing`: its value could not be had, so it was not looked for.
   */
  readonly how: "read" | "given" | "compared" | "missing";
  /** Why a value is missing; `SECRET_NOT_FOUND` also if the store has another one now. */
  readonly code: SecretErrorCode | undefined;
}

export interface IncidentScope {
  readonly incidentId: string;
  readonly values: readonly LeakedValue[];
  readonly files: ScanResult;
  /** Runs that were given one of the credentials. */
  readonly runs: readonly string[];
  /** Every value was looked for and every file looked at. */
  readonly isComplete: boolean;
}

export interface ScopeOptions extends ClosingStep {
  /** Files and folders to search. */
  readonly paths: readonly string[];
  /** Reads the values again, by their references and the versions that leaked. */
  readonly from?: Secrets | undefined;
  /** Values that were given by hand, such as one that its store has no more. */
  readonly given?: readonly Secret[] | undefined;
  /** The folder that relative paths in references are meant from. */
  readonly base?: string | undefined;
  readonly onFinding?: ((finding: ScanFinding) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Searches for what leaked in an incident, and records how far it went if every value could be had.
 *
 * @throws SecretError `INCIDENT_STEP_REFUSED`, `FILE_NOT_FOUND`, as the log.
 *
 * @example
 * const { files } = await findScope(incident, { audit, from: secrets, paths: ["/var/log/train"] });
 * console.log(`${files.total} times in ${files.filesWithFindings} files`);
 */
export async function findScope(incident: Incident, options: ScopeOptions): Promise<IncidentScope> {
  assertStep("scoped", progressOf(incident));
  const by = byWhom(options, incident);
  const { values, secrets } = await valuesOf(incident, options);
  const wanted = new Set<string>();
  for (const { rule, fingerprint } of incident.credentials) {
    if (rule !== undefined && fingerprint !== undefined) wanted.add(fingerprint);
  }
  const files = await scan(options.paths, {
    secrets,
    rules: wanted.size > 0 ? "default" : "none",
    fingerprint: (value) => options.audit.fingerprint(value),
    filter: ({ rule, fingerprint }) => rule === undefined || wanted.has(fingerprint),
    onFinding: options.onFinding,
    signal: options.signal,
  });
  const isSearched = values.every(({ how }) => how !== "missing");
  const runs = incident.runs.map(({ runId }) => runId);
  if (isSearched) {
    await options.audit.append({
      type: "incident.scoped",
      ...idsOf(incident.id),
      ...by,
      files: files.filesWithFindings,
      occurrences: files.total,
      runs: runs.length,
    });
  }
  const unseen = files.skipped.filter(({ why }) => why !== "link" && why !== "special");
  return {
    incidentId: incident.id,
    values,
    files,
    runs,
    isComplete: isSearched && unseen.length === 0,
  };
}

async function valuesOf(
  { credentials }: Incident,
  options: ScopeOptions,
): Promise<{ values: LeakedValue[]; secrets: Secret[] }> {
  const values: LeakedValue[] = [];
  const secrets: Secret[] = [];
  for (const credential of credentials) {
    const { name, rule, reference } = credential;
    const about = { name, rule, reference };
    if (rule !== undefined && name === undefined) {
      values.push({ ...about, how: "compared", code: undefined });
      continue;
    }
    const found = await readLeaked(credential, credentials.length === 1, options);
    if ("secret" in found) secrets.push(found.secret);
    values.push(
      "secret" in found
        ? { ...about, how: found.how, code: undefined }
        : { ...about, how: "missing", code: found.code },
    );
  }
  return { values, secrets };
}
