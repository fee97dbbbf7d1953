import { type Reference, SecretError } from "../../src/secrets/index.ts";

/** What a reference means to Secrets Manager. */
export interface AwsTarget {
  readonly reference: Reference;
  /** Name, ARN, or ARN without its six random characters. */
  readonly id: string;
  /** Key of the JSON document, from the ECS way of writing an ARN. */
  readonly jsonKey: string | undefined;
  readonly stage: string | undefined;
  readonly version: string | undefined;
  /** Undefined leaves it to the adapter's options and the SDK's own search. */
  readonly region: string | undefined;
  readonly profile: string | undefined;
}

const knownOptions = new Set(["stage", "version", "region", "profile"]);

// arn : partition : service : region : account : "secret" : name, then what ECS adds.
const arnParts = { region: 3, name: 6, jsonKey: 7, stage: 8, version: 9, most: 10 };

/**
 * Understands `aws-sm://name-or-arn[?stage=&version=&region=&profile=]`. Of the name nothing is
 * checked, since names such as `rds!cluster-...` are legal. An ARN carries its region. It may be
 * written as ECS does: `arn:...:secret:name-AbCdEf:json-key:stage:version-id`, empty parts included.
 *
 * @throws SecretError `REFERENCE_INVALID`.
 */
export function awsTarget(reference: Reference): AwsTarget {
  const { path, options } = reference;
  for (const name of Object.keys(options)) {
    if (!knownOptions.has(name)) {
      throw invalid(reference, "its options can be stage, version, region and profile");
    }
  }
  const { stage, version, region, profile }: Partial<Reference["options"]> = options;
  const target = { reference, id: path, jsonKey: undefined, stage, version, region, profile };
  if (!path.startsWith("arn:")) return target;

  const parts = path.split(":");
  const at = (index: number) => (parts[index] === "" ? undefined : parts[index]);
  if (parts[2] !== "secretsmanager" || parts[5] !== "secret" || at(arnParts.name) === undefined) {
    throw invalid(reference, "its ARN is not one of a secret");
  }
  if (parts.length > arnParts.most) throw invalid(reference, "its ARN has too many parts");
  if (region !== undefined && region !== at(arnParts.region)) {
    throw invalid(reference, "its ARN names another region than its option");
  }
  const inArn = { stage: at(arnParts.stage), version: at(arnParts.version) };
  if ((stage && inArn.stage) || (version && inArn.version)) {
    throw invalid(reference, "stage or version stand both in its ARN and in its options");
  }
  return {
    ...target,
    id: parts.slice(0, arnParts.jsonKey).join(":"),
    jsonKey: at(arnParts.jsonKey),
    stage: stage ?? inArn.stage,
    version: version ?? inArn.version,
    region: at(arnParts.region),
  };
}

/**
 * As {@link awsTarget}, for what changes a secret as a whole.
 *
 * @throws SecretError `REFERENCE_INVALID` if the reference names one version or key.
 */
export function writableTarget(reference: Reference): AwsTarget {
  const target = awsTarget(reference);
  if (target.stage ?? target.version ?? target.jsonKey) {
    throw invalid(reference, "what changes a secret takes no stage, version or ECS key");
  }
  return target;
}

/** Whether a batch call can read it: that gives the current version only. */
export function isPlain({ stage, version }: AwsTarget): boolean {
  return version === undefined && (stage === undefined || stage === "AWSCURRENT");
}

function invalid({ text }: Reference, why: string): SecretError {
  return new SecretError("REFERENCE_INVALID", `${text} is not valid: ${why}`);
}
