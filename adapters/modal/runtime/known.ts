import { createRedactor, type Redactor } from "../../../src/redact/index.ts";

let known: Redactor | undefined;

/**
 * Finds every secret of this process. One for all launches: what it looks for is prepared once, and
 * again only when a secret is added.
 */
export function knownSecrets(): Redactor {
  known ??= createRedactor();
  return known;
}
