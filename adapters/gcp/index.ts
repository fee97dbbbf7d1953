/**
 * GCP Secret Manager as a provider, exported as `nopeek/adapters/gcp`.
 *
 * The client, `@google-cloud/secret-manager`, is an optional peer, loaded at the first use.
 * Credentials are the application default ones.
 *
 * @module
 */
import type { SecretProvider } from "../../src/secrets/index.ts";
import { type ConnectionOptions, GcpConnections } from "./connections.ts";
import { readReferences } from "./read.ts";
import { stageControl } from "./stage.ts";
import { writeChange } from "./write.ts";

/** What the adapter needs of a `SecretManagerServiceClient`. */
export interface GcpClient {
  readonly innerApiCalls: object;
  initialize(): Promise<unknown>;
  close(): Promise<void>;
}

export interface GcpOptions {
  /**
   * A `SecretManagerServiceClient` of your own, for all locations; it stays open. Where it connects
   * to, and whether with TLS, is then yours to choose.
   */
  readonly client?: GcpClient | undefined;
  /** Where a reference names none. */
  readonly project?: string | undefined;
  /** Where a reference names none; default: global secrets. */
  readonly location?: string | undefined;
  /** What one call may take with all its repetitions; default 10 000. */
  readonly timeoutMs?: number | undefined;
  /** How often one call is made at most, if it is throttled or cannot be answered; default 3. */
  readonly maxAttempts?: number | undefined;
  /**
   * https, or http on this machine, which is then called without credentials; default:
   * `SECRET_MANAGER_EMULATOR_HOST`, or that of the location.
   */
  readonly endpoint?: string | undefined;
}

const defaultTimeoutMs = 10_000;
const defaultMaxAttempts = 3;

/**
 * Reads, writes and rotates `gcp-sm://project/name[?version=&location=][#field]`. The version is a
 * number, an alias, `latest` (the default: the newest one, even if it is disabled) or
 * `latest-enabled`. Rotation moves the aliases `current`, `previous` and `pending`.
 *
 * Its errors are those of `SecretError`: `SECRET_ACCESS_DENIED` (with the permission to allow),
 * `SECRET_UNAUTHENTICATED`, `SECRET_THROTTLED`, `SECRET_UNREACHABLE`, `SECRET_ABORTED`,
 * `SECRET_CONFLICT`, `SECRET_REQUEST_INVALID`, `SECRET_DISABLED`, `SECRET_DECRYPTION`,
 * `SECRET_INTEGRITY`, `SECRET_MALFORMED`, `REFERENCE_INVALID`, `ENDPOINT_REFUSED`, and
 * `PROVIDER_MISSING` when the client is not installed.
 *
 * @example
 * const secrets = createSecrets({ providers: [gcp({ project: "ml-training" })] });
 * const token = await secrets.get("gcp-sm://ml-training/hf?version=latest-enabled");
 */
export function gcp(options: GcpOptions = {}): SecretProvider {
  const { client, project, location, endpoint } = options;
  const { timeoutMs = defaultTimeoutMs, maxAttempts = defaultMaxAttempts } = options;
  const connections = new GcpConnections({
    // The public type names no type of the SDK, so that it can be read without the SDK.
    client: client as ConnectionOptions["client"],
    project,
    location,
    endpoint,
    timeoutMs,
    maxAttempts,
  });
  return {
    name: "gcp",
    schemes: ["gcp-sm"],
    capabilities: ["read", "write", "stage"],
    read: (references, context) => readReferences(connections, references, context),
    write: (reference, change, context) => writeChange(connections, reference, change, context),
    stage: stageControl(connections),
    close: () => connections.close(),
  };
}
