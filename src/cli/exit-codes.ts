import { PathError } from "../paths/index.ts";
import { SecretError, type SecretErrorCode } from "../secrets/index.ts";

/** What the exit code of a failed command means; the numbers from 64 on are those of sysexits.h. */
export const exitCodes = {
  findings: 1,
  couldNotLook: 2,
  notAudited: 15,
  overdue: 16,
  rolledBack: 17,
  incomplete: 18,
  usage: 64,
  unreachable: 69,
  refused: 77,
  configuration: 78,
  launcherFailed: 125,
  notExecutable: 126,
  notFound: 127,
} as const;

const exitCodeOfError: Record<SecretErrorCode, keyof typeof exitCodes> = {
  SECRET_EMPTY: "configuration",
  SECRET_WEAK: "configuration",
  SECRET_MASKED: "configuration",
  SECRET_DISPOSED: "launcherFailed",
  SECRET_NOT_TEXT: "configuration",
  SECRET_NOT_PRINTABLE: "launcherFailed",
  SECRET_INVALID: "configuration",
  SECRET_FIELD_INVALID: "configuration",
  SECRET_NOT_FOUND: "configuration",
  SECRET_NOT_READABLE: "configuration",
  SECRET_NOT_WRITABLE: "configuration",
  SECRET_NOT_ATTACHABLE: "configuration",
  SECRET_ACCESS_DENIED: "refused",
  SECRET_UNAUTHENTICATED: "refused",
  SECRET_UNREACHABLE: "unreachable",
  SECRET_THROTTLED: "unreachable",
  SECRET_QUOTA_EXCEEDED: "unreachable",
  SECRET_CONFLICT: "unreachable",
  SECRET_DISABLED: "configuration",
  SECRET_DECRYPTION: "refused",
  SECRET_INTEGRITY: "unreachable",
  SECRET_REQUEST_INVALID: "configuration",
  PROVIDER_MISSING: "configuration",
  ENDPOINT_REFUSED: "refused",
  SECRET_MALFORMED: "configuration",
  SECRET_ABORTED: "launcherFailed",
  SECRETS_UNRESOLVED: "configuration",
  REFERENCE_INVALID: "configuration",
  SCHEME_UNKNOWN: "configuration",
  DECLARATION_INVALID: "configuration",
  ENVIRONMENT_REFUSED: "refused",
  COMMAND_INVALID: "usage",
  COMMAND_NOT_FOUND: "notFound",
  COMMAND_NOT_EXECUTABLE: "notExecutable",
  COMMAND_HOLDS_SECRET: "refused",
  COMMAND_REFUSED: "refused",
  TEXT_HOLDS_SECRET: "refused",
  PATH_REFUSED: "refused",
  ROOT_REFUSED: "refused",
  LAUNCH_FAILED: "launcherFailed",
  AUDIT_NOT_WRITABLE: "notAudited",
  AUDIT_PLACE_REFUSED: "refused",
  AUDIT_EVENT_INVALID: "launcherFailed",
  AUDIT_KEY_WEAK: "configuration",
  AUDIT_KEY_WRONG: "configuration",
  AUDIT_KEY_EXPOSED: "refused",
  AUDIT_DAMAGED: "couldNotLook",
  LOGGER_UNSUPPORTED: "configuration",
  ROTATION_REFUSED: "refused",
  ROTATION_ROLLED_BACK: "rolledBack",
  ROTATION_INCOMPLETE: "incomplete",
  INCIDENT_NOT_FOUND: "usage",
  INCIDENT_STEP_REFUSED: "refused",
  FILE_NOT_FOUND: "configuration",
  FILE_UNSAFE: "configuration",
  RULE_INVALID: "configuration",
  MONITOR_INVALID: "configuration",
  CONFIG_INVALID: "configuration",
  USAGE: "usage",
};

/** The exit code for an error; of several failures that of the gravest: refused, unreachable. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof PathError) {
    return error.code.startsWith("MOUNT_") ? exitCodes.configuration : exitCodes.refused;
  }
  if (!(error instanceof SecretError)) return exitCodes.launcherFailed;
  const kinds = [error.code, ...error.failures.map(({ code }) => code)].map(
    (code) => exitCodeOfError[code],
  );
  for (const grave of ["refused", "unreachable"] as const) {
    if (kinds.includes(grave)) return exitCodes[grave];
  }
  return exitCodes[exitCodeOfError[error.code]];
}
