/** The audit log of `nopeek rotate`, and the incident that it belongs to. */
import { randomUUID } from "node:crypto";
import type { AuditLog } from "../audit/index.ts";
import { baseOf, type LoadedConfig } from "../config/index.ts";
import { findIncident, foldIncidents, recordRotation, rotatedFor } from "../incident/index.ts";
import {
  RotationAudit,
  type RotationEvent,
  type RotationResult,
  type Strategy,
} from "../rotate/index.ts";
import { SecretError } from "../secrets/index.ts";
import { auditPlaceOf } from "./audit-options.ts";
import { scopeText, searchFor, tellMissing } from "./incident-scope.ts";
import type { Arguments, Streams } from "./verb.ts";
import { useAudit, type VerbAudit } from "./verb-audit.ts";

/** A rotation that is recorded, or none that is. */
export interface RecordedRotation extends AsyncDisposable {
  /** The version that leaked, if it belongs to an incident that knows it. */
  readonly awayFrom: string | undefined;
  /** @throws SecretError `AUDIT_NOT_WRITABLE`: then nothing is to be rotated. */
  started(about: { readonly strategy: Strategy; readonly overlapMs: number }): Promise<void>;
  readonly onEvent: ((event: RotationEvent) => void) | undefined;
  /** @throws SecretError `AUDIT_NOT_WRITABLE` if not everything is recorded. */
  ended(result: RotationResult | null): Promise<void>;
}

export interface RotationToRecord {
  readonly args: Arguments;
  readonly streams: Streams;
  readonly config: LoadedConfig | null;
  readonly name: string;
  readonly reference: string;
  /** The incident, if one was named. */
  readonly incidentId: string | undefined;
  readonly isApplied: boolean;
  readonly say: (message: string) => void;
}

/**
 * Opens the log that is named, and looks for the incident in it.
 *
 * @throws SecretError `USAGE`, `INCIDENT_*`, `AUDIT_*`.
 */
export async function recordRotationOf(given: RotationToRecord): Promise<RecordedRotation> {
  const { args, config, incidentId, isApplied } = given;
  const named = auditPlaceOf(args, config);
  if (named === undefined) {
    if (incidentId === undefined && args.values("scope").length === 0) return nothing;
    throw new SecretError("USAGE", "an incident is in an audit log; name its folder with --audit");
  }
  // A plan changes nothing, and is not recorded.
  if (incidentId === undefined && !isApplied) return nothing;
  const audit = await useAudit(named, config);
  try {
    const incidents = incidentId === undefined ? [] : foldIncidents(await audit.records());
    const incident = incidentId === undefined ? undefined : findIncident(incidents, incidentId);
    const credential = incident && rotatedFor(incident, given.reference);
    if (incident !== undefined) {
      const base = config === null ? undefined : baseOf(config);
      const paths = args.values("scope");
      if (paths.length > 0) {
        const found = await searchFor(incident, paths, [], { args, audit, base, say: given.say });
        given.streams.stderr.write(scopeText(found));
        tellMissing(found, given.say);
      } else if (incident.scope === undefined) {
        given.say(
          `the scope of the incident was not searched, and the old value may be gone once it is revoked; search before: nopeek incident scope ${incident.id} PATH..., or here with --scope PATH`,
        );
      }
    }
    if (!isApplied) {
      await audit.close();
      return {
        ...nothing,
        awayFrom: credential?.version,
        [Symbol.asyncDispose]: () => audit[Symbol.asyncDispose](),
      };
    }
    const id = incident?.id ?? randomUUID();
    return new Recorded(given, audit, await audit.open(), id, credential?.version);
  } catch (error) {
    await audit[Symbol.asyncDispose]();
    throw error;
  }
}

const nothing: RecordedRotation = {
  awayFrom: undefined,
  onEvent: undefined,
  started: async () => undefined,
  ended: async () => undefined,
  [Symbol.asyncDispose]: async () => undefined,
};

class Recorded implements RecordedRotation {
  readonly awayFrom: string | undefined;
  readonly #given: RotationToRecord;
  readonly #audit: VerbAudit;
  readonly #log: AuditLog;
  readonly #id: string;
  #rotation: RotationAudit | undefined;

  constructor(
    given: RotationToRecord,
    audit: VerbAudit,
    log: AuditLog,
    id: string,
    awayFrom: string | undefined,
  ) {
    this.#given = given;
    this.#audit = audit;
    this.#log = log;
    this.#id = id;
    this.awayFrom = awayFrom;
  }

  readonly onEvent = (event: RotationEvent): void => this.#rotation?.take(event);

  async started({ strategy, overlapMs }: { strategy: Strategy; overlapMs: number }): Promise<void> {
    const { name, reference, args } = this.#given;
    this.#rotation = new RotationAudit({
      audit: this.#log,
      correlationId: this.#id,
      ...{ reference, strategy, overlapMs, name },
      leaked: args.flag("leaked"),
    });
    await this.#rotation.started();
  }

  async ended(result: RotationResult | null): Promise<void> {
    await this.#rotation?.ended(result);
    const { incidentId, say } = this.#given;
    if (incidentId !== undefined && result !== null) {
      const incident = findIncident(foldIncidents(await this.#audit.records()), this.#id);
      const missing = await recordRotation(incident, { audit: this.#log });
      if (missing.length > 0) say(`incident ${this.#id} is open: ${missing.join(", ")}`);
    }
    await this.#audit.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#audit[Symbol.asyncDispose]();
  }
}
