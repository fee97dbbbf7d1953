import { type Reference, SecretError, type StoredValue } from "../secrets/index.ts";
import { credentialIn } from "./credential.ts";
import type { Run } from "./run.ts";
import type { Credential } from "./target.ts";

/** What a store of one value holds. */
export interface Current {
  readonly credential: Credential;
  /** In milliseconds since 1970; `undefined` where the store does not know. */
  readonly createdAtMs: number | undefined;
}

/**
 * Reads the credential and what belongs to it.
 *
 * @returns `null` where the store gives no value back.
 * @throws SecretError `SECRET_NOT_FOUND`, and what the store throws.
 */
export async function readCurrent(run: Run): Promise<Current | null> {
  const { place, provider, reference } = run;
  if (provider.read === undefined || !provider.capabilities.includes("read")) return null;
  const isOwn = provider.ownFields?.includes(reference.scheme) === true;
  if (place.keys === undefined || !isOwn) {
    const stored = await readOne(run, { ...reference, field: undefined });
    return { credential: credentialIn(place, stored.value), createdAtMs: stored.createdAtMs };
  }
  const { id, secret } = place.keys;
  const [path = ""] = reference.text.split("#");
  const read = (key: string) => readOne(run, { ...reference, field: key, text: `${path}#${key}` });
  const stored = await read(secret);
  const whole = { ...place, keys: undefined };
  const name = id === undefined ? undefined : Buffer.from((await read(id)).value).toString();
  const { createdAtMs } = stored;
  return { credential: { ...credentialIn(whole, stored.value), id: name }, createdAtMs };
}

async function readOne(run: Run, reference: Reference): Promise<StoredValue> {
  const [outcome] = (await run.provider.read?.([reference], run.context)) ?? [];
  if (outcome instanceof SecretError) throw outcome;
  if (outcome !== null && outcome !== undefined) return outcome;
  throw new SecretError(
    "SECRET_NOT_FOUND",
    `${reference.text} does not exist; store the first credential there by hand`,
  );
}
