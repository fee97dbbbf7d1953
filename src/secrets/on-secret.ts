/**
 * The process-wide list of secrets: how redactors, loggers and audit learn of every value without
 * being told of each one.
 */
import type { Secret } from "./secret.ts";

/** Called with a secret while its constructor runs, so before anybody else can hold it. */
export type SecretListener = (secret: Secret) => void;

const known = new Map<string, Secret>();
const listeners = new Set<SecretListener>();

/**
 * Calls `listener` for every secret that exists and, from then on, for every new one, until the
 * returned handle is disposed. Secrets stay listed until they are disposed.
 *
 * @example
 * using watch = onSecret((secret) => redactor.add(secret));
 */
export function onSecret(listener: SecretListener): Disposable {
  for (const secret of known.values()) listener(secret);
  listeners.add(listener);
  return { [Symbol.dispose]: () => void listeners.delete(listener) };
}

/** Lists a new secret and tells the listeners; a listener's error reaches who made the secret. */
export function announce(secret: Secret): void {
  known.set(key(secret), secret);
  for (const listener of listeners) listener(secret);
}

/** Takes a disposed secret off the list. */
export function forget(secret: Secret): void {
  if (known.get(key(secret)) === secret) known.delete(key(secret));
}

/** One entry for a value under a name: resolving the same secret a thousand times lists it once. */
function key(secret: Secret): string {
  return `${secret.fingerprint} ${secret.name ?? ""}`;
}
