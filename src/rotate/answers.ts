import { Secret, SecretError } from "../secrets/index.ts";
import type { Credential, Issued, RotationTarget } from "./target.ts";

/**
 * What the functions of a target answered, looked at before it is used: a target may be written
 * without types. No message holds what was answered.
 */
const kinds = {
  propose: {
    is: isCredential,
    wanted: "a credential, { secret: new Secret(value) } with the text of an id where it has one",
  },
  works: { is: (answer: unknown) => typeof answer === "boolean", wanted: "true or false" },
  list: {
    is: (answer: unknown) => Array.isArray(answer) && answer.every(isIssued),
    wanted: "a list of { id }, with times as numbers",
  },
} as const;

interface Answers {
  readonly propose: Credential;
  readonly works: boolean;
  readonly list: readonly Issued[];
}

/**
 * @throws SecretError `DECLARATION_INVALID` that says which function answered with what it may not.
 */
export function answerOf<Method extends keyof Answers>(
  { name }: RotationTarget,
  method: Method,
  answer: unknown,
): Answers[Method] {
  const { is, wanted } = kinds[method];
  if (is(answer)) return answer as Answers[Method];
  throw new SecretError(
    "DECLARATION_INVALID",
    `${method} of the target ${name} returned something else than ${wanted}; correct the target`,
  );
}

function isCredential(answer: unknown): boolean {
  if (typeof answer !== "object" || answer === null) return false;
  const { id, secret } = answer as { id?: unknown; secret?: unknown };
  return secret instanceof Secret && (id === undefined || typeof id === "string");
}

function isIssued(answer: unknown): boolean {
  if (typeof answer !== "object" || answer === null) return false;
  const { id, createdAtMs, lastUsedAtMs } = answer as { [key in keyof Issued]?: unknown };
  return typeof id === "string" && isTime(createdAtMs) && isTime(lastUsedAtMs);
}

const isTime = (value: unknown) =>
  value === undefined || (typeof value === "number" && !Number.isNaN(value));
