import { SecretError, type SecretErrorCode } from "../../src/secrets/index.ts";

/**
 * Our code for each name of an error. By name, since the client has classes for some of them only.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
 */
const codeByName: Readonly<Record<string, SecretErrorCode>> = {
  ResourceNotFoundException: "SECRET_NOT_FOUND",

  AccessDenied: "SECRET_ACCESS_DENIED",
  AccessDeniedException: "SECRET_ACCESS_DENIED",
  KMSAccessDeniedException: "SECRET_ACCESS_DENIED",
  NotAuthorized: "SECRET_ACCESS_DENIED",
  OptInRequired: "SECRET_ACCESS_DENIED",

  AuthFailure: "SECRET_UNAUTHENTICATED",
  CredentialsProviderError: "SECRET_UNAUTHENTICATED",
  ExpiredToken: "SECRET_UNAUTHENTICATED",
  ExpiredTokenException: "SECRET_UNAUTHENTICATED",
  IncompleteSignature: "SECRET_UNAUTHENTICATED",
  IncompleteSignatureException: "SECRET_UNAUTHENTICATED",
  InvalidClientTokenId: "SECRET_UNAUTHENTICATED",
  InvalidSignatureException: "SECRET_UNAUTHENTICATED",
  MissingAuthenticationToken: "SECRET_UNAUTHENTICATED",
  MissingAuthenticationTokenException: "SECRET_UNAUTHENTICATED",
  RequestExpired: "SECRET_UNAUTHENTICATED",
  SignatureDoesNotMatch: "SECRET_UNAUTHENTICATED",
  TokenProviderError: "SECRET_UNAUTHENTICATED",
  UnrecognizedClientException: "SECRET_UNAUTHENTICATED",

  RequestLimitExceeded: "SECRET_THROTTLED",
  ThrottledException: "SECRET_THROTTLED",
  Throttling: "SECRET_THROTTLED",
  ThrottlingException: "SECRET_THROTTLED",
  TooManyRequestsException: "SECRET_THROTTLED",

  LimitExceededException: "SECRET_QUOTA_EXCEEDED",

  InternalFailure: "SECRET_UNREACHABLE",
  InternalServiceError: "SECRET_UNREACHABLE",
  ServiceUnavailable: "SECRET_UNREACHABLE",
  SyntaxError: "SECRET_UNREACHABLE",
  TimeoutError: "SECRET_UNREACHABLE",

  AbortError: "SECRET_ABORTED",

  PreconditionNotMetException: "SECRET_CONFLICT",
  ResourceExistsException: "SECRET_CONFLICT",

  InvalidNextTokenException: "SECRET_REQUEST_INVALID",
  InvalidParameterException: "SECRET_REQUEST_INVALID",
  InvalidRequestException: "SECRET_REQUEST_INVALID",
  UnknownOperationException: "SECRET_REQUEST_INVALID",
  ValidationException: "SECRET_REQUEST_INVALID",

  DecryptionFailure: "SECRET_DECRYPTION",
  EncryptionFailure: "SECRET_DECRYPTION",
};

/** What an answer without a known name means. */
const codeByStatus: Readonly<Record<number, SecretErrorCode>> = {
  401: "SECRET_UNAUTHENTICATED",
  403: "SECRET_ACCESS_DENIED",
  404: "SECRET_NOT_FOUND",
  429: "SECRET_THROTTLED",
  // Not implemented: a server that is not AWS's own.
  501: "SECRET_REQUEST_INVALID",
};

/** What to say and do; `action` is the IAM action of the call. */
const advice: Partial<Record<SecretErrorCode, (action: string) => string>> = {
  SECRET_NOT_FOUND: () => "does not exist in this account and region",
  SECRET_ACCESS_DENIED: (action) =>
    `was refused; allow ${action} on it, and kms:Decrypt on its key if it has a key of your own`,
  SECRET_UNAUTHENTICATED: () =>
    "was refused because AWS did not accept the launcher's credentials; log in again (aws sso login) or set AWS_PROFILE",
  SECRET_THROTTLED: () => "was throttled by AWS; try again in some seconds",
  SECRET_QUOTA_EXCEEDED: () => "met a quota of the account; raise it in Service Quotas",
  SECRET_UNREACHABLE: () =>
    "got no usable answer from AWS; check the network, the proxy and the region",
  SECRET_ABORTED: () => "was given up",
  SECRET_CONFLICT: () => "was changed by somebody else meanwhile; read it again",
  SECRET_REQUEST_INVALID: (action) =>
    `was refused as a wrong request (${action}); check its name, stage and version`,
  SECRET_DISABLED: () =>
    "is marked for deletion; restore it with: aws secretsmanager restore-secret",
  SECRET_DECRYPTION: () => "cannot be decrypted; check that its KMS key is enabled",
};

/**
 * Our error for a failed call: fixed text and the reference. Of the foreign error only its name and
 * status are used, since its message and its fields can hold values and session tokens.
 */
export function awsFailure(error: unknown, reference: string, operation: string): SecretError {
  if (error instanceof SecretError) return error;
  return awsFailureByCode(awsCode(error), reference, operation);
}

/** As {@link awsFailure}, for an entry of a batch's `Errors`. */
export function awsFailureByCode(
  code: SecretErrorCode,
  reference: string,
  operation: string,
): SecretError {
  const say = advice[code];
  const text = say === undefined ? "failed" : say(`secretsmanager:${operation}`);
  return new SecretError(code, `${reference} ${text}`);
}

/** Our code for whatever the client threw, or for the parts of a batch's error. */
export function awsCode(error: unknown): SecretErrorCode {
  const { name, message, status } = partsOf(error);
  if (
    name === "InvalidRequestException" &&
    /marked for deletion|scheduled for deletion/.test(message)
  ) {
    return "SECRET_DISABLED";
  }
  // Thrown before any call, as a plain Error.
  if (name === "Error" && message === "Region is missing") return "SECRET_REQUEST_INVALID";
  const known = Object.hasOwn(codeByName, name) ? codeByName[name] : undefined;
  if (known !== undefined) return known;
  if (status === undefined || status < 400) return "SECRET_UNREACHABLE";
  return codeByStatus[status] ?? (status >= 500 ? "SECRET_UNREACHABLE" : "SECRET_REQUEST_INVALID");
}

function partsOf(error: unknown): { name: string; message: string; status: number | undefined } {
  const found = { name: "", message: "", status: undefined };
  if (typeof error !== "object" || error === null) return found;
  const { name, message, $metadata } = error as Record<string, unknown>;
  const status = ($metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode;
  return {
    name: typeof name === "string" ? name : "",
    message: typeof message === "string" ? message : "",
    status: typeof status === "number" ? status : undefined,
  };
}
