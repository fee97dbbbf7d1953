/**
 * What the client's errors mean. They are known by their name and their gRPC status, since the
 * client does not export its main error class. Their messages hold what the server sent, or values:
 * none is quoted.
 */
import { SecretError, type SecretErrorCode } from "../../src/secrets/index.ts";

type Meaning = readonly [code: SecretErrorCode, nextStep: string];

const unreachable: Meaning = [
  "SECRET_UNREACHABLE",
  "Modal cannot be reached; check the network and https://status.modal.com, then try again",
];
const refused: Meaning = [
  "SECRET_REQUEST_INVALID",
  "Modal refused the request as wrong; check the environment, the name and the key",
];
const conflict: Meaning = [
  "SECRET_CONFLICT",
  "somebody else changed the secret meanwhile; try again",
];

/** By gRPC status code; what is not listed means that Modal could not be reached. */
const meanings: Readonly<Record<number, Meaning>> = {
  1: ["SECRET_ABORTED", "the call was cancelled"],
  3: refused,
  5: ["SECRET_NOT_FOUND", "the secret or its environment does not exist"],
  6: conflict,
  7: [
    "SECRET_ACCESS_DENIED",
    "Modal refused access; ask for a role that may use secrets of this environment",
  ],
  8: ["SECRET_THROTTLED", "Modal asks for fewer calls; try again later"],
  9: refused,
  10: conflict,
  11: refused,
  12: refused,
  16: [
    "SECRET_UNAUTHENTICATED",
    "Modal did not accept the token; run `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET",
  ],
};

/** The gRPC codes that stand behind the client's own error classes. */
const statusByName: Readonly<Record<string, number>> = {
  NotFoundError: 5,
  AlreadyExistsError: 6,
  ConflictError: 10,
  ResourceExhaustedError: 8,
  InvalidError: 3,
  TimeoutError: 4,
  AbortError: 1,
};

/** Turns whatever the client threw into an error of our own. `where` is the reference. */
export function failureOf(error: unknown, where: string): SecretError {
  if (error instanceof SecretError) return error;
  const [code, nextStep] = meanings[statusOf(error) ?? -1] ?? unreachable;
  return new SecretError(code, `${where}: ${nextStep}`);
}

/** The gRPC status of an error of the client. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { name, code } = error as { name?: unknown; code?: unknown };
  if (name === "ClientError" && typeof code === "number") return code;
  return typeof name === "string" && Object.hasOwn(statusByName, name)
    ? statusByName[name]
    : undefined;
}

const missingKeys = "Secret is missing key";

/**
 * Which of the wanted keys an error says are missing. `null`: it says that the secret itself does
 * not exist, or something else; an empty list: some are missing, but it does not say which.
 */
export function missingKeysOf(error: unknown, wanted: readonly string[]): string[] | null {
  const status = statusOf(error);
  if (status !== 5 && status !== 9) return null;
  const { message } = error as { message?: unknown };
  if (typeof message !== "string") return null;
  const start = message.indexOf(missingKeys);
  if (start === -1) return null;
  const words = new Set(message.slice(start).match(/[A-Za-z_][A-Za-z0-9_]*/g));
  const introduction = new Set(["Secret", "is", "missing", "key", "s"]);
  return wanted.filter((key) => words.has(key) && !introduction.has(key));
}
