import {
  assertUnmasked,
  type Change,
  parseReference,
  type Reference,
  type Secret,
  SecretError,
} from "../secrets/index.ts";
import type { Copy } from "./options.ts";
import type { Run } from "./run.ts";
import type { Credential } from "./target.ts";

/**
 * Writes the credential to every copy and looks whether it is there. All are tried.
 *
 * @throws SecretError `ROTATION_INCOMPLETE` that names the copies that were not updated.
 */
export async function updateCopies(run: Run, credential: Credential): Promise<void> {
  const failures: string[] = [];
  for (const copy of run.options.publish ?? []) {
    const text = textOf(copy);
    try {
      await updateCopy(run, copy, credential);
      run.tell({ type: "copy-updated", copy: text });
    } catch (error) {
      const known = error instanceof SecretError;
      run.tell({
        type: "copy-failed",
        copy: text,
        code: known ? error.code : "SECRET_UNREACHABLE",
      });
      failures.push(known ? error.message : `${text} cannot be written`);
    }
  }
  if (failures.length === 0) return;
  throw run.incomplete(
    `the new credential is current and works, but ${failures.length === 1 ? "a copy was" : `${failures.length} copies were`} not updated, so the old one is not revoked; run it again when this is repaired: ${failures.join("; ")}`,
  );
}

/** Where a copy is, as it was written. */
export function textOf(copy: string | Reference | Copy): string {
  if (typeof copy === "string") return copy;
  const to = "to" in copy ? copy.to : copy;
  return typeof to === "string" ? to : to.text;
}

/**
 * @throws SecretError `DECLARATION_INVALID` or `REFERENCE_INVALID` for a copy that cannot be one,
 *   before anything is changed.
 */
export function checkCopies(run: Run): void {
  for (const copy of run.options.publish ?? []) {
    const isKeyed = typeof copy === "object" && "to" in copy;
    const to = isKeyed ? copy.to : copy;
    const reference = typeof to === "string" ? parseReference(to) : to;
    const provider = run.from.providerOf(reference);
    if (provider.write === undefined) {
      const why = provider.whyNot?.write ?? "name one that can be written";
      throw new SecretError(
        "SECRET_NOT_WRITABLE",
        `${reference.text}: ${provider.name} cannot write values; ${why}`,
      );
    }
    if (isKeyed && reference.field !== undefined) {
      throw new SecretError(
        "DECLARATION_INVALID",
        `${reference.text}: a copy with keys names the whole secret; leave #${reference.field} out`,
      );
    }
  }
}

async function updateCopy(
  run: Run,
  copy: string | Reference | Copy,
  { id, secret }: Credential,
): Promise<void> {
  if (typeof copy === "string" || !("to" in copy)) {
    await run.from.put(copy, secret);
    await verify(run, copy, secret);
    return;
  }
  const { keys } = copy;
  const to = typeof copy.to === "string" ? parseReference(copy.to) : copy.to;
  assertUnmasked(secret);
  // Not through `put`: the id is no secret, and would be masked from then on.
  const fields: Record<string, string> = { [keys.secret]: secret.reveal() };
  if (id !== undefined && keys.id !== undefined) fields[keys.id] = id;
  const change: Change = { mode: "merge", fields };
  try {
    await run.from.providerOf(to).write?.(to, change, run.context);
  } finally {
    run.from.invalidate(to);
  }
  await verify(run, { ...to, text: `${to.text}#${keys.secret}`, field: keys.secret }, secret);
}

/** Reads it back, or where that is not possible, looks whether its key is there. */
async function verify(run: Run, copy: string | Reference, secret: Secret): Promise<void> {
  const reference = typeof copy === "string" ? parseReference(copy) : copy;
  const provider = run.from.providerOf(reference);
  if (provider.capabilities.includes("read")) {
    const found = await run.from.find(reference, { name: secret.name, maxAgeMs: 0 });
    if (found?.fingerprint === secret.fingerprint) return;
  } else if (provider.attach !== undefined && provider.capabilities.includes("attach")) {
    const [outcome] = await provider.attach([reference], run.context);
    if (outcome instanceof SecretError) throw outcome;
    if (outcome !== null && outcome !== undefined) return;
  } else {
    return;
  }
  throw new SecretError(
    "SECRET_CONFLICT",
    `${reference.text} was written, but does not hold the new value; somebody else changed it`,
  );
}
