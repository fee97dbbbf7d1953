/** The actions of `nopeek incident` that record something. */
import {
  closeIncident,
  containIncident,
  findIncident,
  type Incident,
  type IncidentSeverity,
  openIncident,
  recoverIncident,
  reviewIncident,
  severities,
} from "../incident/index.ts";
import { SecretError } from "../secrets/index.ts";
import type { IncidentContext } from "./incident.ts";

type Work = (context: IncidentContext) => Promise<number>;

/** Several at once: alerts often come together. */
export const review: Work = async (context) => {
  const { args, audit, incidents, operands } = context;
  const found = operands.map((id) => findIncident(incidents, id));
  const options = {
    ...{ audit: await audit.open(), note: args.value("note"), severity: severityOf(context) },
    verdict: args.flag("harmless") ? ("harmless" as const) : undefined,
  };
  for (const incident of found) await reviewIncident(incident, options);
  return 0;
};

export const contain: Work = async (context) => {
  const { args, audit } = context;
  const how = ways.find((way) => way === args.value("how"));
  if (how === undefined) throw new SecretError("USAGE", `--how takes one of: ${ways.join(", ")}`);
  await containIncident(one(context), { audit: await audit.open(), note: args.value("note"), how });
  return 0;
};

const ways = ["halted", "rotated", "revoked", "elsewhere"] as const;

export const recover: Work = async (context) => {
  const { args, audit } = context;
  await recoverIncident(one(context), { audit: await audit.open(), note: args.value("note") });
  return 0;
};

export const close: Work = async (context) => {
  const { args, audit } = context;
  await closeIncident(one(context), { audit: await audit.open(), note: args.value("note") });
  return 0;
};

/** What leaked elsewhere: the log tells its reference, version and fingerprint by its name. */
export const open: Work = async (context) => {
  const { args, audit, streams } = context;
  const name = args.value("secret");
  const given = (await audit.records()).findLast(
    (each) => each.type === "secret.injected" && each.name === name,
  );
  if (name !== undefined && given?.type !== "secret.injected") {
    throw new SecretError("USAGE", "--secret: no run in the log was given a secret of this name");
  }
  const { reference, version, fingerprint } =
    given?.type === "secret.injected" && name !== undefined ? given : {};
  const severity = severityOf(context) ?? "high";
  const about = { severity, name, reference, version, fingerprint };
  const id = await openIncident(about, { audit: await audit.open() });
  streams.stdout.write(`${id}\n`);
  return 0;
};

function one({ incidents, operands }: IncidentContext): Incident {
  return findIncident(incidents, operands[0] ?? "");
}

function severityOf({ args }: IncidentContext): IncidentSeverity | undefined {
  const given = args.value("severity");
  const known = severities.find((severity) => severity === given);
  if (given === undefined || known !== undefined) return known;
  throw new SecretError("USAGE", `--severity takes one of: ${severities.join(", ")}`);
}
