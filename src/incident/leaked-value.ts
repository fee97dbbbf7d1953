import type { AuditLog } from "../audit/index.ts";
import {
  codeOf,
  parseReference,
  Secret,
  type SecretErrorCode,
  type Secrets,
} from "../secrets/index.ts";
import type { LeakedCredential } from "./incident.ts";

/** The value of a leaked credential, or why it is missing. */
export type FoundValue =
  | { readonly secret: Secret; readonly how: "read" | "given" }
  | { readonly code: SecretErrorCode };

/**
 * Finds the value that leaked. Whatever a store answers, only a value with the fingerprint in the log
 * is the one; where the log has none, the version has to do.
 *
 * @param isOnly - The incident has no other credential: a value that was given must be this one's.
 */
export async function readLeaked(
  { name, reference, version, fingerprint }: LeakedCredential,
  isOnly: boolean,
  options: {
    readonly audit: AuditLog;
    readonly from?: Secrets | undefined;
    readonly given?: readonly Secret[] | undefined;
    readonly base?: string | undefined;
  },
): Promise<FoundValue> {
  const { audit, from, given = [], base } = options;
  const isKeyed = fingerprint?.startsWith("audit:") === true;
  const isIt = (secret: Secret) => audit.fingerprint(secret.revealBytes()) === fingerprint;
  const byHand = given.find((secret) => (isKeyed ? isIt(secret) : isOnly));
  if (byHand !== undefined) return { secret: named(byHand, name), how: "given" };
  if (from === undefined || reference === undefined) return { code: "SECRET_NOT_READABLE" };
  let code: SecretErrorCode = "SECRET_NOT_FOUND";
  for (const text of spellings(reference, version)) {
    try {
      const secret = await from.find(parseReference(text, { base }), { name, maxAgeMs: 0 });
      if (secret === null || (isKeyed && !isIt(secret))) continue;
      return { secret, how: "read" };
    } catch (error) {
      // The first answer tells most: later ones are of guesses.
      if (code === "SECRET_NOT_FOUND") code = codeOf(error, "SECRET_UNREACHABLE");
    }
  }
  return { code };
}

/** The version that leaked, then the secret as it was named: some stores keep one value only. */
function spellings(reference: string, version: string | undefined): string[] {
  if (version === undefined) return [reference];
  const [, place = "", query = "", field = ""] = /^([^?#]*)(\?[^#]*)?(#.*)?$/.exec(reference) ?? [];
  const others = query
    .slice(1)
    .split("&")
    .filter((part) => part !== "" && !/^(?:stage|version)=/.test(part));
  return [`${place}?${[...others, `version=${version}`].join("&")}${field}`, reference];
}

function named(secret: Secret, name: string | undefined): Secret {
  return secret.name !== undefined || name === undefined
    ? secret
    : new Secret(secret.revealBytes(), { name });
}
