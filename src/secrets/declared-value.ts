import type { SecretDeclaration } from "./declaration.ts";
import { codeOf, SecretError, type SecretFailure } from "./errors.ts";
import { plainReason } from "./plain.ts";
import type { StoredValue } from "./provider.ts";
import { assertUnmasked, Secret } from "./secret.ts";
import { checkText } from "./standard-schema.ts";

/**
 * Makes the secret of a declaration from what its store holds. A weak value is refused before it
 * becomes a secret: from then on it would be masked everywhere.
 *
 * @throws {@link SecretError} `SECRET_WEAK`, `SECRET_INVALID`, `SECRET_MASKED`.
 */
export async function makeSecret(
  name: string,
  declaration: SecretDeclaration,
  stored: StoredValue,
): Promise<Secret> {
  assertStrong(stored.value, declaration);
  let secret = new Secret(stored.value, { name });
  if (declaration.schema !== undefined) {
    const checked = await checkText(declaration.schema, secret.reveal());
    if ("objection" in checked) {
      throw new SecretError(
        "SECRET_INVALID",
        `the value does not match its schema (${checked.objection})`,
      );
    }
    assertStrong(checked.text, declaration);
    secret = new Secret(checked.text, { name });
  }
  assertUnmasked(secret);
  return secret;
}

function assertStrong(value: string | Uint8Array, declaration: SecretDeclaration): void {
  const reason = plainReason(value);
  if (reason === null || declaration.allowWeak === true) return;
  throw new SecretError(
    "SECRET_WEAK",
    `the value is no secret to mask (${reason}): pass it as a plain variable, or declare it with allowWeak`,
  );
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
