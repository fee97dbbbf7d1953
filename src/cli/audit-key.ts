import { env } from "../../adapters/env.ts";
import { createSecrets, parseReference, type Secret, SecretError } from "../secrets/index.ts";
import type { NamedAudit } from "./audit-options.ts";
import { providersFor } from "./providers.ts";

/**
 * Reads the key of an audit log from its store, before anything else is read.
 *
 * @throws SecretError `SECRET_NOT_FOUND`, and as the store answers.
 */
export async function readAuditKey({ key, base }: NamedAudit): Promise<Secret> {
  const reference = parseReference(key, { base });
  const secrets = createSecrets({ providers: [env(), ...(await providersFor([key]))] });
  try {
    const found = await secrets.find(reference, { name: "NOPEEK_AUDIT_KEY" });
    if (found !== null) return found;
  } finally {
    await secrets.close();
  }
  throw new SecretError(
    "SECRET_NOT_FOUND",
    `there is no key for the audit log at ${key}; make one with openssl rand -hex 32 and keep it there`,
  );
}
