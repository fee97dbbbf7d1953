/**
 * AWS Secrets Manager as a provider, exported as `nopeek/adapters/aws`.
 *
 * The client, `@aws-sdk/client-secrets-manager`, is an optional peer, loaded at the first use.
 * Credentials come from its own default chain.
 *
 * @module
 */
import type { SecretProvider } from "../../src/secrets/index.ts";
import { AwsConnections, type ConnectionOptions } from "./connections.ts";
import { readReferences } from "./read.ts";
import { stageControl } from "./stage.ts";
import { writeChange } from "./write.ts";

/** What the adapter needs of a `SecretsManagerClient`. */
export interface AwsClient {
  readonly config: object;
  readonly middlewareStack: object;
  send(command: never, options?: never): Promise<unknown>;
  destroy(): void;
}

export interface AwsOptions {
  /** A `SecretsManagerClient` of your own, for all regions; it stays open and keeps its settings. */
  readonly client?: AwsClient | undefined;
  /** Where a reference names none; default: what the SDK finds (`AWS_REGION`, the profile). */
  readonly region?: string | undefined;
  /** Of the shared configuration files; default: `AWS_PROFILE`. */
  readonly profile?: string | undefined;
  /** https, or http on this machine; default: that of the region, or `AWS_ENDPOINT_URL`. */
  readonly endpoint?: string | undefined;
  /** What one call may take with all its repetitions; default 10 000. */
  readonly timeoutMs?: number | undefined;
  /** How often one call is made at most, if it is throttled or cannot be answered; default 3. */
  readonly maxAttempts?: number | undefined;
}

const defaultTimeoutMs = 10_000;
const defaultMaxAttempts = 3;

/**
 * Reads, writes and rotates `aws-sm://name-or-arn[?stage=&version=&region=&profile=][#field]`. Up to
 * 20 current values are read by one call where IAM allows `secretsmanager:BatchGetSecretValue`.
 *
 * Its errors are those of `SecretError`: `SECRET_ACCESS_DENIED` (with the IAM action to allow),
 * `SECRET_UNAUTHENTICATED`, `SECRET_THROTTLED`, `SECRET_QUOTA_EXCEEDED`, `SECRET_UNREACHABLE`,
 * `SECRET_ABORTED`, `SECRET_CONFLICT`, `SECRET_REQUEST_INVALID`, `SECRET_DISABLED`,
 * `SECRET_DECRYPTION`, `SECRET_MALFORMED`, `REFERENCE_INVALID`, `ENDPOINT_REFUSED`, and
 * `PROVIDER_MISSING` when the client is not installed.
 *
 * @example
 * const secrets = createSecrets({ providers: [aws({ region: "eu-central-1" })] });
 * const token = await secrets.get("aws-sm://ml/hf#token");
 */
export function aws(options: AwsOptions = {}): SecretProvider {
  const { client, region, profile, endpoint } = options;
  const { timeoutMs = defaultTimeoutMs, maxAttempts = defaultMaxAttempts } = options;
  const connections = new AwsConnections({
    // The public type names no type of the SDK, so that it can be read without the SDK.
    client: client as ConnectionOptions["client"],
    region,
    profile,
    endpoint,
    timeoutMs,
    maxAttempts,
  });
  return {
    name: "aws",
    schemes: ["aws-sm"],
    capabilities: ["read", "write", "stage"],
    read: (references, context) => readReferences(connections, references, context),
    write: (reference, change, context) => writeChange(connections, reference, change, context),
    stage: stageControl(connections),
    close: async () => connections.close(),
  };
}
