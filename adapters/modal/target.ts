import { type Reference, SecretError } from "../../src/secrets/index.ts";
import { keyObjection } from "./entries.ts";

/** What a reference names: a named secret of an environment, and perhaps one of its keys. */
export interface Target {
  /** `undefined`: the environment that the client is set to. */
  readonly environment: string | undefined;
  readonly name: string;
  readonly key: string | undefined;
  /** The reference as it was written, for messages. */
  readonly text: string;
}

/** What Modal's own clients accept as the name of an object. */
const namePattern = /^(?!ap-[a-zA-Z0-9]{22}$)[a-zA-Z0-9._-]{1,64}$/;

/** Whether Modal takes the text as the name of an environment or a secret. */
export function isObjectName(text: string): boolean {
  return namePattern.test(text);
}

/**
 * Reads `modal://[environment/]name#KEY`.
 *
 * @throws SecretError `REFERENCE_INVALID`.
 */
export function targetOf(reference: Reference, environment: string | undefined): Target {
  const { path, options, field, text } = reference;
  const parts = path.split("/");
  const name = parts.pop() ?? "";
  if (Object.keys(options).length > 0) throw invalid("modal:// references take no ?options");
  if (parts.length > 1) throw invalid("it must have the form modal://[environment/]name#KEY");
  for (const part of [...parts, name]) {
    if (isObjectName(part)) continue;
    throw invalid(
      "the names of a Modal environment and secret have letters, digits, dots, dashes and underscores, at most 64",
    );
  }
  if (field !== undefined) {
    const objection = keyObjection(field);
    if (objection !== null) throw invalid(`what follows # ${objection}`);
  }
  return { environment: parts[0] ?? environment, name, key: field, text };
}

/** As {@link targetOf}, for calls that need to know the key. */
export function keyedTargetOf(
  reference: Reference,
  environment: string | undefined,
): Target & { readonly key: string } {
  const target = targetOf(reference, environment);
  if (target.key !== undefined) return { ...target, key: target.key };
  throw new SecretError(
    "REFERENCE_INVALID",
    `${target.text} must name its key: modal://[environment/]name#KEY`,
  );
}

/** Never quotes the reference: what is wrong with it may be that it holds a value. */
function invalid(why: string): SecretError {
  return new SecretError("REFERENCE_INVALID", `the modal:// reference is not valid: ${why}`);
}
