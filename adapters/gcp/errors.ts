import { SecretError, type SecretErrorCode } from "../../src/secrets/index.ts";

/** gRPC status codes that the adapter acts on. */
export const status = {
  failedPrecondition: 9,
  aborted: 10,
  throttled: 8,
  unavailable: 14,
} as const;

/** By gRPC status, and from 400 on by HTTP status, since a client of yours may use REST. */
const codeByStatus: Readonly<Record<number, SecretErrorCode>> = {
  1: "SECRET_ABORTED",
  2: "SECRET_UNREACHABLE",
  3: "SECRET_REQUEST_INVALID",
  4: "SECRET_UNREACHABLE",
  5: "SECRET_NOT_FOUND",
  6: "SECRET_CONFLICT",
  7: "SECRET_ACCESS_DENIED",
  8: "SECRET_THROTTLED",
  9: "SECRET_REQUEST_INVALID",
  10: "SECRET_CONFLICT",
  11: "SECRET_REQUEST_INVALID",
  // Also what a proxy or a wrong path becomes: gRPC reads HTTP 404 so.
  12: "SECRET_UNREACHABLE",
  13: "SECRET_UNREACHABLE",
  14: "SECRET_UNREACHABLE",
  15: "SECRET_INTEGRITY",
  16: "SECRET_UNAUTHENTICATED",
  400: "SECRET_REQUEST_INVALID",
  401: "SECRET_UNAUTHENTICATED",
  403: "SECRET_ACCESS_DENIED",
  404: "SECRET_NOT_FOUND",
  409: "SECRET_CONFLICT",
  429: "SECRET_THROTTLED",
};

/** What a failed precondition (gRPC 9, HTTP 400) is about; only its text tells. */
const preconditions: readonly (readonly [RegExp, SecretErrorCode])[] = [
  [/\b(?:DISABLED|DESTROYED)\b/, "SECRET_DISABLED"],
  [/\betag\b/i, "SECRET_CONFLICT"],
  [/\b(?:KMS|CMEK|CryptoKey|encryption key)\b/i, "SECRET_DECRYPTION"],
];

/** The IAM permission of each method. */
const permissions: Readonly<Record<string, string>> = {
  accessSecretVersion: "secretmanager.versions.access (role Secret Manager Secret Accessor)",
  addSecretVersion: "secretmanager.versions.add",
  createSecret: "secretmanager.secrets.create",
  disableSecretVersion: "secretmanager.versions.disable",
  getSecret: "secretmanager.secrets.get",
  listSecretVersions: "secretmanager.versions.list",
  updateSecret: "secretmanager.secrets.update",
};

const advice: Partial<Record<SecretErrorCode, (permission: string) => string>> = {
  SECRET_NOT_FOUND: () => "does not exist in this project and location",
  SECRET_ACCESS_DENIED: (permission) =>
    `was refused, or does not exist; allow ${permission} on it, which can take some minutes`,
  SECRET_UNAUTHENTICATED: () =>
    "was refused because there are no valid Google credentials; run: gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
  SECRET_THROTTLED: () => "was throttled by GCP; try again in some seconds",
  SECRET_UNREACHABLE: () =>
    "got no usable answer from GCP; check the network, the proxy and the location",
  SECRET_ABORTED: () => "was given up",
  SECRET_CONFLICT: () => "was changed by somebody else meanwhile; read it again",
  SECRET_REQUEST_INVALID: (permission) =>
    `was refused as a wrong request (${permission}); check its project, name and version`,
  SECRET_DISABLED: () =>
    "is disabled or destroyed in this version; enable it, or add ?version=latest-enabled to the reference",
  SECRET_DECRYPTION: () => "cannot be decrypted; check that its KMS key is enabled and allowed",
  SECRET_INTEGRITY: () => "came with a checksum that does not fit; read it again",
};

/**
 * Our error for a failed call: fixed text and the reference. Nothing of the foreign error is kept:
 * over REST it holds the stored value in its request body.
 */
export function gcpFailure(error: unknown, reference: string, method: string): SecretError {
  if (error instanceof SecretError) return error;
  return gcpFailureByCode(gcpCode(error), reference, method);
}

/** As {@link gcpFailure}, with a code of ours. */
export function gcpFailureByCode(
  code: SecretErrorCode,
  reference: string,
  method: string,
): SecretError {
  return new SecretError(code, `${reference} ${advice[code]?.(permissions[method] ?? method)}`);
}

/** Our code for what a call of the client threw. */
function gcpCode(error: unknown): SecretErrorCode {
  const { code, message } = partsOf(error);
  if (message.includes("Getting metadata from plugin failed")) {
    // The library that fetches tokens failed, below the call.
    return isNetwork(message) ? "SECRET_UNREACHABLE" : "SECRET_UNAUTHENTICATED";
  }
  if (code === status.failedPrecondition || code === 400) {
    for (const [pattern, meaning] of preconditions) if (pattern.test(message)) return meaning;
  }
  if (typeof code === "number") return codeByStatus[code] ?? "SECRET_UNREACHABLE";
  return message.includes("Could not load the default credentials")
    ? "SECRET_UNAUTHENTICATED"
    : "SECRET_UNREACHABLE";
}

/** Our code for a client that could not be set up: it looks for credentials then. */
export function setupCode(error: unknown): SecretErrorCode {
  const { code, message } = partsOf(error);
  return isNetwork(`${code} ${message}`) ? "SECRET_UNREACHABLE" : "SECRET_UNAUTHENTICATED";
}

/** The status of the error, if it has one. */
export function statusOf(error: unknown): number | undefined {
  const { code } = partsOf(error);
  return typeof code === "number" ? code : undefined;
}

function isNetwork(text: string): boolean {
  return /\b(?:ECONN\w+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b/.test(text);
}

function partsOf(error: unknown): { code: unknown; message: string } {
  if (typeof error !== "object" || error === null) return { code: undefined, message: "" };
  const { code, message } = error as Record<string, unknown>;
  return { code, message: typeof message === "string" ? message : "" };
}
