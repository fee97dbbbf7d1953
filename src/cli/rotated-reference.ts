import { baseOf, type ConfigRotation, type LoadedConfig } from "../config/index.ts";
import { looksLikeName, parseReference, type Reference } from "../secrets/index.ts";

/** What a rotation of the configuration replaces. */
export function referenceOf(config: LoadedConfig | null, { secret }: ConfigRotation): Reference {
  const base = config === null ? undefined : baseOf(config);
  return parseReference(sourceOf(config, secret), { base });
}

/** The first source of a declared secret, or the reference itself. */
function sourceOf(config: LoadedConfig | null, text: string): string {
  const declared = config?.secrets ?? {};
  if (!looksLikeName(text) || !Object.hasOwn(declared, text)) return text;
  const given = declared[text];
  const [first = text] = typeof given === "string" ? [given] : [given?.from ?? []].flat();
  return first;
}
