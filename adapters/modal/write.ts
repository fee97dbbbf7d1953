import { type Change, SecretError } from "../../src/secrets/index.ts";
import { checkEntries, checkKeys, type Entries } from "./entries.ts";
import { failureOf, statusOf } from "./failures.ts";
import type { SecretRpc } from "./internal-rpc.ts";
import type { Target } from "./target.ts";

/** A change that has passed every check. */
export interface CheckedChange {
  readonly mode: "replace" | "merge";
  readonly entries: Entries;
  readonly removed: readonly string[];
}

/**
 * Checks a change before the client sees any of it.
 *
 * @throws SecretError `SECRET_REQUEST_INVALID`, `SECRET_NOT_TEXT`, `SECRET_EMPTY`.
 */
export function checkChange(target: Target, change: Change): CheckedChange {
  const { key, text } = target;
  if ("value" in change) {
    if (key === undefined) {
      throw invalid(text, "a Modal secret holds keys; name one after #, or give a record of them");
    }
    // The reference stands for this one key, so the others stay.
    return { mode: "merge", entries: checkEntries(text, one(key, change.value)), removed: [] };
  }
  if (key !== undefined) {
    throw invalid(
      text,
      "a record of keys is written to the whole secret; leave out what follows #",
    );
  }
  const kept: Record<string, unknown> = Object.create(null);
  const removed: string[] = [];
  for (const [name, value] of Object.entries(change.fields)) {
    if (value === null) removed.push(name);
    else kept[name] = value;
  }
  const entries = checkEntries(text, kept);
  checkKeys(text, removed);
  const { mode } = change;
  if (Object.keys(entries).length === 0 && (mode === "replace" || removed.length === 0)) {
    throw invalid(text, "there is no key to write");
  }
  return { mode, entries, removed };
}

/**
 * Writes a checked change to a named secret.
 *
 * @throws SecretError `SECRET_CONFLICT` if the secret was deleted meanwhile; for other failures the
 *   code that stands for them.
 */
export async function writeSecret(
  rpc: SecretRpc,
  target: Target,
  change: CheckedChange,
): Promise<void> {
  if (change.mode === "replace") return rpc.replace(target, change.entries);
  const id = (await find(rpc, target)) ?? (await createOrFind(rpc, target, change));
  if (id === null) return;
  const changes = [
    ...Object.entries(change.entries),
    ...change.removed.map((key) => [key, null] as const),
  ];
  try {
    await rpc.update(id, changes);
  } catch (error) {
    if (statusOf(error) !== 5) throw error;
    throw new SecretError(
      "SECRET_CONFLICT",
      `${target.text}: the secret was deleted meanwhile; try again`,
    );
  }
}

async function find(rpc: SecretRpc, target: Target): Promise<string | null> {
  try {
    return await rpc.lookUp(target);
  } catch (error) {
    if (statusOf(error) === 5) return null;
    throw error;
  }
}

/**
 * Creates the secret with what the change sets, and gives its id only if the change is still to be
 * made: the client repeats a call whose answer was lost, so "already exists" may be our own doing.
 */
async function createOrFind(
  rpc: SecretRpc,
  target: Target,
  { entries }: CheckedChange,
): Promise<string | null> {
  if (Object.keys(entries).length === 0) return null;
  try {
    await rpc.create(target, entries);
    return null;
  } catch (error) {
    if (statusOf(error) !== 6) throw failureOf(error, target.text);
    return rpc.lookUp(target);
  }
}

/** Why this client cannot write, and the command that can. */
export function notWritable({ text, name, environment }: Target): SecretError {
  const where = environment === undefined ? "" : ` --env ${environment}`;
  return new SecretError(
    "SECRET_NOT_WRITABLE",
    `${text}: this version of Modal's client cannot write secrets (0.11 can); write the whole secret with: modal secret create ${name} --from-dotenv FILE --force${where}`,
  );
}

function one(key: string, value: unknown): Record<string, unknown> {
  return Object.assign(Object.create(null), { [key]: value });
}

function invalid(where: string, why: string): SecretError {
  return new SecretError("SECRET_REQUEST_INVALID", `${where}: ${why}`);
}
