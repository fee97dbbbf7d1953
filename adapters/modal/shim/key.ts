import { createHmac, randomBytes } from "node:crypto";
import { Secret } from "../../../src/secrets/index.ts";

/** The variable in which the key travels, among the secrets of the sandbox. */
export const shimKeyVariable = "NOPEEK_SHIM_KEY";

/**
 * A new key for the records of a shim. One serves every run of a runtime, since each run has a key
 * of its own that is derived from it: so a stored bundle of secrets can be used again.
 *
 * @example
 * const key = newShimKey();
 * const variables = { ...values, [shimKeyVariable]: key };
 */
export function newShimKey(): Secret {
  return new Secret(randomBytes(32).toString("hex"), { name: shimKeyVariable });
}

/** The key of one run. */
export function runKeyOf(key: Secret, runId: string): Buffer {
  const master = Buffer.from(key.reveal(), "hex");
  return createHmac("sha256", master).update(`nopeek shim\0${runId}`).digest();
}
