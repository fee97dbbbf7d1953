/**
 * The one error of this package and the closed list of its codes.
 *
 * A message says what failed, for which name or reference, and what to do next. It never holds a
 * value and never quotes a foreign error: parsers and cloud clients put values into theirs.
 */

/** Every error code, with what it stands for. Add a code here before you throw it. */
export const errorCodes = {
  // The value
  SECRET_EMPTY: "the value is empty",
  SECRET_WEAK: "the value is too short or too common to be masked without masking ordinary text",
  SECRET_MASKED: "the value holds nopeek's own mask: it was copied from redacted output",
  SECRET_DISPOSED: "the secret was disposed and its value is gone",
  SECRET_NOT_TEXT: "the value is not UTF-8 text",
  SECRET_NOT_PRINTABLE: "a secret was used where JavaScript would turn it into a plain value",
  SECRET_INVALID: "the value does not match its schema",
  SECRET_FIELD_INVALID: "the field does not hold one text value",
  // The store
  SECRET_NOT_FOUND: "the store says that there is no such secret",
  SECRET_NOT_READABLE: "the provider cannot read values",
  SECRET_NOT_WRITABLE: "the provider cannot write values",
  SECRET_NOT_ATTACHABLE: "the provider or runtime cannot use a secret where it lives",
  SECRET_ACCESS_DENIED: "the store or the file system refused access",
  SECRET_UNAUTHENTICATED: "the store did not accept the launcher's own credentials",
  SECRET_UNREACHABLE: "the store cannot be reached, or did not answer in time",
  SECRET_THROTTLED: "the store asks for fewer calls",
  SECRET_QUOTA_EXCEEDED: "a limit of the store is reached; trying again does not help",
  SECRET_CONFLICT: "somebody else changed the secret meanwhile",
  SECRET_DISABLED:
    "the secret or its version exists, but is disabled, destroyed or about to be deleted",
  SECRET_DECRYPTION: "the store cannot decrypt the secret",
  SECRET_INTEGRITY: "the value does not match the checksum that came with it",
  SECRET_REQUEST_INVALID: "the store refused the request as wrong",
  PROVIDER_MISSING: "the package of a store's client is not installed, or is another one",
  ENDPOINT_REFUSED: "an endpoint is neither https nor this machine",
  SECRET_MALFORMED: "what the store or file holds cannot be understood",
  SECRET_ABORTED: "the caller gave up, or the resolver was closed",
  SECRETS_UNRESOLVED: "several secrets failed; see `failures`",
  // Names and rules
  REFERENCE_INVALID: "a reference does not follow the grammar",
  SCHEME_UNKNOWN: "no provider was given for the scheme of a reference",
  DECLARATION_INVALID: "a declaration has a wrong name, source or option",
  ENVIRONMENT_REFUSED: "the secret belongs to another environment",
  // The launch
  COMMAND_INVALID: "the command is not a list of arguments",
  COMMAND_NOT_FOUND: "the program does not exist",
  COMMAND_NOT_EXECUTABLE: "the program cannot be executed",
  COMMAND_HOLDS_SECRET: "a secret value occurs in the command or in a plain variable",
  COMMAND_REFUSED: "the monitor's table refuses the command",
  TEXT_HOLDS_SECRET: "text that must be clean holds a form of a secret",
  PATH_REFUSED: "an argument that is declared as a path leads out of the declared roots",
  ROOT_REFUSED: "the launch refuses to run as root",
  LAUNCH_FAILED: "the launcher itself failed",
  // The audit log
  AUDIT_NOT_WRITABLE: "the audit log cannot be written, so nothing may go on unrecorded",
  AUDIT_PLACE_REFUSED: "an audit log may not be kept there",
  AUDIT_EVENT_INVALID: "an event is none of those that an audit log records",
  AUDIT_KEY_WEAK: "the key of the audit log is too short or not random",
  AUDIT_KEY_WRONG: "the key is not the one that the audit log was written with",
  AUDIT_KEY_EXPOSED: "a job would get the key of the audit log",
  AUDIT_DAMAGED: "the audit log was changed",
  LOGGER_UNSUPPORTED: "the logger is none that can be masked, or a version that cannot be",
  // Rotation
  ROTATION_REFUSED: "the rotation was refused before anything was changed",
  ROTATION_ROLLED_BACK: "the new credential does not work; everything is as it was",
  ROTATION_INCOMPLETE: "a rotation could not be finished; run it again",
  // Incidents
  INCIDENT_NOT_FOUND: "the audit log holds no such incident",
  INCIDENT_STEP_REFUSED: "what is to be recorded about an incident is out of turn",
  // Files and usage
  FILE_NOT_FOUND: "a file that was named does not exist",
  FILE_UNSAFE: "a file may be changed by others, so it is not used",
  RULE_INVALID: "a format rule is not one",
  MONITOR_INVALID: "the options of a monitor are wrong",
  CONFIG_INVALID: "the configuration does not match its schema",
  USAGE: "the command line is wrong",
} as const;

/** A stable error code: switch on it, not on the message. */
export type SecretErrorCode = keyof typeof errorCodes;

/** One of several failures that are reported together. */
export interface SecretFailure {
  /** The declared name, such as `HF_TOKEN`. */
  readonly name: string;
  readonly code: SecretErrorCode;
  /** Safe to print. */
  readonly message: string;
}

/**
 * The one error class of this package. Switch on {@link SecretError.code}.
 *
 * @example
 * try {
 *   await secrets.get("env://HF_TOKEN");
 * } catch (error) {
 *   if (error instanceof SecretError && error.code === "SECRET_NOT_FOUND") showHelp();
 * }
 */
export class SecretError extends Error {
  override readonly name: string = "SecretError";
  readonly code: SecretErrorCode;
  /** With code `SECRETS_UNRESOLVED`: every failure, in the order of declaration. */
  readonly failures: readonly SecretFailure[];

  constructor(
    code: SecretErrorCode,
    message: string,
    options: { failures?: readonly SecretFailure[] } = {},
  ) {
    super(message);
    this.code = code;
    this.failures = options.failures ?? [];
  }
}

/** Throws what failed: one failure with its own code, several as `SECRETS_UNRESOLVED`. */
export function throwFailures(failures: readonly SecretFailure[]): void {
  const [first] = failures;
  if (first === undefined) return;
  if (failures.length === 1) {
    throw new SecretError(first.code, `${first.name}: ${first.message}`, { failures });
  }
  const lines = failures.map(({ name, message }) => `  ${name}: ${message}`);
  throw new SecretError(
    "SECRETS_UNRESOLVED",
    `${failures.length} secrets failed:\n${lines.join("\n")}`,
    { failures },
  );
}

/** The failure of one name; of a foreign error nothing is kept. */
export function failureOf(name: string, error: unknown): SecretFailure {
  const message = error instanceof SecretError ? error.message : "the provider failed";
  return { name, code: codeOf(error, "SECRET_UNREACHABLE"), message };
}

/** The code of any thrown thing; `fallback` for what nopeek did not throw. */
export function codeOf(error: unknown, fallback: SecretErrorCode): SecretErrorCode {
  return error instanceof SecretError ? error.code : fallback;
}

const ownKinds: ReadonlySet<string> = new Set(
  "Error TypeError RangeError SyntaxError ReferenceError URIError EvalError AggregateError".split(
    " ",
  ),
);

/** The class of a foreign error, if it is one of JavaScript's: any other name may hold a value. */
export function kindOf(error: unknown): string {
  const name = error instanceof Error ? error.constructor.name : "";
  return ownKinds.has(name) ? name : "error";
}
