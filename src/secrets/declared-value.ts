import type { SecretDeclaration } from "./declaration.ts";
import { SecretError } from "./errors.ts";
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
