import {
  parseReference,
  type ReadOutcome,
  type Reference,
  SecretError,
  type SecretProvider,
  type StoredValue,
  selectField,
} from "../../src/secrets/index.ts";
import { MemoryStage } from "./memory-stage.ts";

/**
 * A provider with the given values, for any scheme: tests of your launcher need no cloud. What is
 * given without a field can be rotated.
 *
 * @param values - By reference; one without a field may hold a JSON document of fields.
 *
 * @example
 * const secrets = createSecrets({ providers: [memory({ "aws-sm://ml/hf#token": token })] });
 */
export function memory(values: Readonly<Record<string, string | Uint8Array>>): SecretProvider {
  const stored = new Map<string, StoredValue>();
  const schemes = new Set<string>();
  for (const [text, value] of Object.entries(values)) {
    const reference = parseReference(text);
    schemes.add(reference.scheme);
    stored.set(keyOf(reference), { value, origin: "memory" });
  }
  const whole = (reference: Reference) => keyOf({ ...reference, field: undefined });
  const stage = new MemoryStage((reference) => stored.get(whole(reference)) ?? null, whole);
  return {
    name: "memory",
    schemes: [...schemes],
    ownFields: [...schemes],
    capabilities: ["read", "stage"],
    read: async (references) =>
      references.map((reference) => {
        const rotated = stage.current(reference);
        const exact = stored.get(keyOf(reference));
        if (reference.field === undefined) return rotated ?? exact ?? null;
        if (exact !== undefined && rotated === undefined) return exact;
        return selected(rotated ?? stored.get(whole(reference)), reference.field, reference.text);
      }),
    stage,
  };
}

function selected(document: StoredValue | undefined, field: string, of: string): ReadOutcome {
  if (document === undefined) return null;
  try {
    const value = selectField(document.value, field, { of });
    return value === null ? null : { ...document, value };
  } catch (error) {
    if (error instanceof SecretError) return error;
    throw error;
  }
}

/** Options in any order name the same secret. */
function keyOf({ scheme, path, options, field }: Reference): string {
  return JSON.stringify([scheme, path, Object.entries(options).sort(), field ?? null]);
}
