import { SecretError, type SecretErrorCode } from "../../../src/secrets/index.ts";
import { statusOf } from "../failures.ts";

type Meaning = readonly [code: SecretErrorCode, nextStep: string];

const refused: Meaning = [
  "LAUNCH_FAILED",
  "Modal refused it as wrong; check the options of the runtime",
];
const broken: Meaning = [
  "SECRET_UNREACHABLE",
  "Modal cannot be reached; check the network and https://status.modal.com, then try again",
];

/** By gRPC status; what is not listed means that Modal could not be reached. */
const meanings: Readonly<Record<number, Meaning>> = {
  1: ["SECRET_ABORTED", "it was given up"],
  3: refused,
  5: ["LAUNCH_FAILED", "it does not exist; check its name and the environment"],
  6: ["LAUNCH_FAILED", "there is one of this name already; choose another name"],
  7: ["SECRET_ACCESS_DENIED", "Modal refused access; ask for a role that may run sandboxes"],
  8: ["SECRET_THROTTLED", "Modal has no room for it now, or asks for fewer calls; try again later"],
  9: refused,
  10: ["LAUNCH_FAILED", "it ended before it began; see its log in Modal's dashboard"],
  11: refused,
  12: refused,
  16: [
    "SECRET_UNAUTHENTICATED",
    "Modal did not accept the token; run `modal token new`, or set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET",
  ],
};

/** Turns what the client threw into an error of our own: its message may hold what it was given. */
export function launchFailure(error: unknown, where: string): SecretError {
  if (error instanceof SecretError) return error;
  const [code, nextStep] = meanings[statusOf(error) ?? -1] ?? byName(error);
  return new SecretError(code, `${where}: ${nextStep}`);
}

/** The client's own errors that stand for no gRPC status. */
function byName(error: unknown): Meaning {
  const name = error instanceof Error ? error.name : "";
  if (name === "RemoteError" || name === "ExecutionError" || name === "InternalFailure") {
    return ["LAUNCH_FAILED", "it failed on Modal; see its log in Modal's dashboard"];
  }
  if (name.startsWith("SandboxFilesystem")) {
    return ["LAUNCH_FAILED", "the file cannot be written there"];
  }
  return broken;
}

/** Whether trying again may help: the network, a restart, an overload. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== undefined) return [1, 2, 4, 8, 13, 14].includes(status);
  return !(error instanceof SecretError) && byName(error) === broken;
}

/** Runs a step of the start; what it throws is safe to print. */
export async function named<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw launchFailure(error, where);
  }
}
