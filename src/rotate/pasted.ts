import { type Secret, SecretError } from "../secrets/index.ts";
import { worksBy } from "./command.ts";
import { askHidden } from "./prompt.ts";
import type { RotationTarget } from "./target.ts";

export interface PastedOptions {
  /** Whether a token works: a function, or a program as for `command`. */
  readonly works: ((token: Secret) => Promise<boolean>) | readonly string[];
  /** The page where the old one is to be revoked, and the new one was made. */
  readonly revokeAt: string;
  /** Where the new one comes from; default: a prompt on the terminal that shows nothing. */
  readonly read?: (() => Promise<Secret>) | undefined;
}

/**
 * A token that no API issues, such as Hugging Face's: a person makes it, pastes it, and revokes the
 * old one. It is tested before it is stored.
 *
 * @example
 * pasted({ works: isAccepted, revokeAt: "https://huggingface.co/settings/tokens" });
 */
export function pasted({ works, revokeAt, read }: PastedOptions): RotationTarget {
  return {
    name: "pasted",
    strategy: "issuer",
    reminder: `revoke the old token at ${revokeAt}`,
    async propose(current) {
      const secret = await (read ?? (() => askHidden(`new token (make it at ${revokeAt}): `)))();
      if (current?.secret.fingerprint === secret.fingerprint) {
        throw new SecretError(
          "ROTATION_REFUSED",
          "this is the token that is stored already; make a new one",
        );
      }
      return { secret };
    },
    works: ({ secret }, { signal }) =>
      typeof works === "function" ? works(secret) : worksBy(works, secret, {}, signal),
  };
}
