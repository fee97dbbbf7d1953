import { type AttachOutcome, type Reference, SecretError } from "../../src/secrets/index.ts";
import type { ModalClientLike } from "./client.ts";
import { failureOf, missingKeysOf, statusOf } from "./failures.ts";
import { keyedTargetOf, type Target } from "./target.ts";

type KeyedTarget = Target & { readonly key: string };

/**
 * Checks references with one lookup for each named secret.
 *
 * @param run - Runs the lookups of one named secret within the limits of the call.
 * @returns One outcome for each reference; `null` where the secret or the key does not exist.
 */
export async function attachAll(
  references: readonly Reference[],
  environment: string | undefined,
  run: <T>(where: string, work: (client: ModalClientLike) => Promise<T>) => Promise<T>,
): Promise<AttachOutcome[]> {
  const outcomes: AttachOutcome[] = references.map(() => null);
  const groups = new Map<string, { target: KeyedTarget; index: number }[]>();
  references.forEach((reference, index) => {
    try {
      const target = keyedTargetOf(reference, environment);
      const id = `${target.environment ?? ""}/${target.name}`;
      const group = groups.get(id) ?? [];
      groups.set(id, [...group, { target, index }]);
    } catch (error) {
      outcomes[index] = failureOf(error, reference.text);
    }
  });
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const [first] = group;
      if (first === undefined) return;
      const keys = [...new Set(group.map(({ target }) => target.key))];
      // A failure is one of the secret, whichever key was asked for.
      const where = first.target.text.replace(/#.*$/, "");
      const found = await run(where, (client) => existingKeys(client, first.target, keys)).catch(
        (error: unknown) => error,
      );
      for (const { target, index } of group) outcomes[index] = outcomeOf(target, found);
    }),
  );
  return outcomes;
}

function outcomeOf(target: KeyedTarget, found: unknown): AttachOutcome {
  if (!(found instanceof Set)) return failureOf(found, target.text);
  if (!found.has(target.key)) return null;
  const { environment, name, key } = target;
  return Object.freeze({ provider: "modal", environment, name, keys: Object.freeze([key]) });
}

/**
 * Which of the wanted keys a named secret has. The service tells of keys only by refusing a lookup
 * that requires missing ones; whether it names all of those at once is not documented.
 */
async function existingKeys(
  client: ModalClientLike,
  target: Target,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  let wanted = [...keys];
  while (wanted.length > 0) {
    const missing = await lookup(client, target, wanted);
    if (missing === "none") return new Set(wanted);
    if (missing === "secret") return new Set();
    if (missing.length > 0) wanted = wanted.filter((key) => !missing.includes(key));
    else if (wanted.length === 1) return new Set();
    else return oneByOne(client, target, wanted);
  }
  return new Set();
}

async function oneByOne(
  client: ModalClientLike,
  target: Target,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const key of keys) if ((await lookup(client, target, [key])) === "none") found.add(key);
  return found;
}

async function lookup(
  client: ModalClientLike,
  { name, environment }: Target,
  requiredKeys: string[],
): Promise<"none" | "secret" | string[]> {
  try {
    await client.secrets.fromName(name, {
      requiredKeys,
      ...(environment !== undefined && { environment }),
    });
    return "none";
  } catch (error) {
    if (error instanceof SecretError) throw error;
    const missing = missingKeysOf(error, requiredKeys);
    if (missing !== null) return missing;
    if (statusOf(error) === 5) return "secret";
    throw error;
  }
}
