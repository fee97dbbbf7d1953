import { randomBytes, randomUUID } from "node:crypto";

/** A refusal, as the service words it. */
export class AwsRefusal extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** As it comes in a request: the text, or bytes in base64. */
export interface AwsValue {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: string | undefined;
}

export interface AwsVersion extends AwsValue {
  readonly id: string;
  readonly labels: Set<string>;
  /** Seconds since 1970, as the protocol has them. */
  readonly created: number;
}

export interface AwsSecret {
  readonly name: string;
  readonly arn: string;
  readonly created: number;
  readonly versions: Map<string, AwsVersion>;
  deletedAt?: number | undefined;
}

const maxValueBytes = 65_536;
const maxVersions = 100;
const maxLabels = 20;
const daySeconds = 86_400;
const account = "000000000000";

/** Secrets with their versions and staging labels, by the rules of the service. */
export class AwsStore {
  readonly #secrets = new Map<string, AwsSecret>();
  readonly #region: string;

  constructor(region: string) {
    this.#region = region;
  }

  all(): readonly AwsSecret[] {
    return [...this.#secrets.values()];
  }

  /** Finds a secret by name, ARN, or ARN without its random end. */
  find(id: string, options: { deleted?: boolean } = {}): AwsSecret {
    const found =
      this.#secrets.get(id) ??
      this.all().find(({ arn }) => arn === id || arn.slice(0, -"-AbCdEf".length) === id);
    if (found === undefined) {
      throw new AwsRefusal(
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
      );
    }
    if (found.deletedAt !== undefined && options.deleted !== true) {
      throw new AwsRefusal(
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    }
    return found;
  }

  create(name: string, token: string, value: AwsValue): { secret: AwsSecret; version?: string } {
    const existing = this.#secrets.get(name);
    if (existing?.deletedAt !== undefined) {
      throw new AwsRefusal(
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    if (existing !== undefined && !existing.versions.has(token)) {
      throw new AwsRefusal(
        "ResourceExistsException",
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const secret = existing ?? this.#newSecret(name);
    const hasValue = value.SecretString !== undefined || value.SecretBinary !== undefined;
    const made = hasValue ? this.put(secret, token, value, ["AWSCURRENT"]) : undefined;
    this.#secrets.set(name, secret);
    return { secret, ...(made && { version: made.id }) };
  }

  remove(secret: AwsSecret): void {
    this.#secrets.delete(secret.name);
  }

  /** Adds a version; the same token with the same value changes nothing. */
  put(secret: AwsSecret, token: string, value: AwsValue, labels: readonly string[]): AwsVersion {
    const { SecretString, SecretBinary } = value;
    assertValue(value);
    const existing = secret.versions.get(token);
    if (existing !== undefined) {
      if (existing.SecretString === SecretString && existing.SecretBinary === SecretBinary) {
        return existing;
      }
      throw new AwsRefusal(
        "ResourceExistsException",
        `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    const version = {
      id: token,
      SecretString,
      SecretBinary,
      labels: new Set<string>(),
      created: nowSeconds(),
    };
    secret.versions.set(token, version);
    // The first version is the current one, whatever it was called.
    const all = secret.versions.size === 1 ? new Set([...labels, "AWSCURRENT"]) : new Set(labels);
    for (const label of all) moveLabel(secret, label, version);
    prune(secret);
    return version;
  }

  #newSecret(name: string): AwsSecret {
    // Six letters or digits.
    const end = randomBytes(3).toString("hex");
    const arn = `arn:aws:secretsmanager:${this.#region}:${account}:secret:${name}-${end}`;
    return { name, arn, created: nowSeconds(), versions: new Map() };
  }
}

export function holderOf(secret: AwsSecret, label: string): AwsVersion | undefined {
  return [...secret.versions.values()].find(({ labels }) => labels.has(label));
}

/** A label is on one version; the version that loses AWSCURRENT becomes AWSPREVIOUS. */
export function moveLabel(secret: AwsSecret, label: string, to: AwsVersion): void {
  const from = holderOf(secret, label);
  if (from === to) return;
  if (to.labels.size >= maxLabels) {
    throw new AwsRefusal("LimitExceededException", "A version can have 20 staging labels.");
  }
  from?.labels.delete(label);
  to.labels.add(label);
  if (label !== "AWSCURRENT" || from === undefined) return;
  holderOf(secret, "AWSPREVIOUS")?.labels.delete("AWSPREVIOUS");
  from.labels.add("AWSPREVIOUS");
}

export function newToken(): string {
  return randomUUID();
}

export function nowSeconds(): number {
  return Date.now() / 1000;
}

function assertValue({ SecretString, SecretBinary }: AwsValue): void {
  if ((SecretString === undefined) === (SecretBinary === undefined)) {
    throw new AwsRefusal(
      "InvalidParameterException",
      "You must provide either SecretString or SecretBinary, but not both.",
    );
  }
  const bytes = SecretString
    ? Buffer.byteLength(SecretString)
    : Buffer.from(SecretBinary ?? "", "base64").length;
  if (bytes >= 1 && bytes <= maxValueBytes) return;
  throw new AwsRefusal(
    "ValidationException",
    "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length between 1 and 65536",
  );
}

/** Versions without labels go when there are too many, but not within their first day. */
function prune(secret: AwsSecret): void {
  for (const { id, labels, created } of [...secret.versions.values()].slice(0, -maxVersions)) {
    if (labels.size === 0 && nowSeconds() - created > daySeconds) secret.versions.delete(id);
  }
}
