/** Loaded at the first secret: it is a third of what importing the core would cost. */
let crypto: typeof import("node:crypto") | undefined;
/** Fingerprints of one process cannot be compared with those of another, nor guessed offline. */
let processKey: Uint8Array | undefined;

/**
 * A keyed hash of a value, by which a log can say that two places held the same secret without
 * saying which. Under the process's own random key it begins with `process:` and is that of
 * `Secret.fingerprint`. Under a key that is given it can be compared with later processes, and with
 * guesses by whoever has the key.
 *
 * HMAC-SHA-256, 128 bits of it in hex.
 *
 * @param key - At least 16 random bytes.
 *
 * @example
 * fingerprint(token.reveal()) === token.fingerprint; // true
 */
export function fingerprint(value: string | Uint8Array, key?: Uint8Array): string {
  crypto ??= process.getBuiltinModule("node:crypto");
  if (key !== undefined && key.length < 16) {
    throw new RangeError("the key of a fingerprint has at least 16 bytes");
  }
  processKey ??= crypto.randomBytes(32);
  const digest = crypto
    .createHmac("sha256", key ?? processKey)
    .update(value)
    .digest("hex");
  return `${key === undefined ? "process" : "key"}:${digest.slice(0, 32)}`;
}
