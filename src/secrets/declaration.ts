import type { Attached } from "./attached.ts";
import { SecretError } from "./errors.ts";
import { Secret } from "./secret.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** What one name of a launch stands for. */
export interface SecretDeclaration {
  /** Where the value is; of several references the first one that exists is taken. */
  readonly from: string | readonly string[];
  /**
   * Checks the text of the value; any Standard Schema, such as one of zod. If it gives text back,
   * that is the value.
   */
  readonly schema?: StandardSchema | undefined;
  /** Missing is no failure. */
  readonly optional?: boolean | undefined;
  /** `env` (default): the variable holds the value. `file`: it holds the path of a private file. */
  readonly as?: "env" | "file" | undefined;
  /** Only a resolver of this environment may resolve it, such as `production`. */
  readonly environment?: string | undefined;
  /** Accepts a value that is short or common; it will be masked wherever it occurs. */
  readonly allowWeak?: boolean | undefined;
  /** Accepts a number or boolean in a field of a JSON document. */
  readonly coerce?: boolean | undefined;
  /** The folder that relative paths in `from` are meant from. */
  readonly base?: string | undefined;
}

/** What `defineSecrets` and `launch` take for a name: a reference, a declaration, a secret. */
export type SecretInput = string | SecretDeclaration | Secret;

/** Checked declarations by name, in order. */
export type Declarations<Input extends Record<string, SecretInput> = Record<string, SecretInput>> =
  ReadonlyMap<string, SecretDeclaration | Secret> & { readonly input?: Input };

/**
 * What `load` gives for the declarations: `null` only where a declaration is optional, `Attached`
 * only where every source is one that is never read.
 */
export type LoadedSecrets<Input extends Record<string, SecretInput>> = {
  -readonly [Name in keyof Input]:
    | LoadedFrom<Input[Name] extends { from: infer From } ? From : Input[Name]>
    | (Input[Name] extends { optional: true } ? null : never);
};
type LoadedFrom<From> = From extends AttachedOnly | readonly AttachedOnly[] ? Attached : Secret;
type AttachedOnly = `modal://${string}`;

/** Refuses options that do not exist, which a type parameter alone would let through. */
type KnownOptions<Input> = { [Name in keyof Input]: Known<Input[Name]> };
type Known<Given> = Given extends string | Secret
  ? Given
  : { [Key in keyof Given]: Key extends keyof SecretDeclaration ? Given[Key] : never };

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const knownKeys = new Set<string>([
  "from",
  "schema",
  "optional",
  "as",
  "environment",
  "allowWeak",
  "coerce",
  "base",
] satisfies (keyof SecretDeclaration)[]);

/**
 * Declares secrets by the name of the environment variable that a job finds them under.
 *
 * @throws {@link SecretError} `DECLARATION_INVALID` for a name that is no environment variable, an
 *   unknown option or a missing source.
 *
 * @example
 * const declared = defineSecrets({
 *   HF_TOKEN: { from: "env://HF_TOKEN", schema: z.string().startsWith("hf_") },
 *   WANDB_API_KEY: { from: ["aws-sm://ml/wandb#key", "env://WANDB_API_KEY"], optional: true },
 * });
 * const { HF_TOKEN } = await secrets.load(declared);
 */
export function defineSecrets<const Input extends Record<string, SecretInput>>(
  input: Input & KnownOptions<Input>,
): Declarations<Input> {
  const declared = new Map<string, SecretDeclaration | Secret>();
  for (const [name, given] of Object.entries<SecretInput>(input)) {
    assertVariableName(name);
    declared.set(name, given instanceof Secret ? given : checkDeclaration(name, given));
  }
  return declared;
}

/**
 * Refuses a name that cannot be, or must not be, a declared environment variable.
 *
 * @throws {@link SecretError} `DECLARATION_INVALID`.
 */
export function assertVariableName(name: string): void {
  if (!namePattern.test(name)) {
    throw new SecretError(
      "DECLARATION_INVALID",
      `${quoteName(name)} cannot be an environment variable; use letters, digits and _, not a digit first`,
    );
  }
  if (name.startsWith("NOPEEK_")) {
    throw new SecretError("DECLARATION_INVALID", `${name}: names with NOPEEK_ are nopeek's own`);
  }
}

function checkDeclaration(name: string, given: unknown): SecretDeclaration {
  const declaration = typeof given === "string" ? { from: given } : given;
  if (typeof declaration !== "object" || declaration === null || Array.isArray(declaration)) {
    throw invalid(name, "declare it with a reference or with { from: reference }");
  }
  for (const key of Object.keys(declaration)) {
    if (!knownKeys.has(key)) {
      throw invalid(name, `unknown option; known are ${[...knownKeys].join(", ")}`);
    }
  }
  const checked = { ...declaration } as SecretDeclaration;
  const sources: readonly unknown[] = [checked.from].flat();
  if (sources.length === 0 || !sources.every((source) => typeof source === "string")) {
    throw invalid(name, "`from` must be a reference or a list of references");
  }
  if (checked.as !== undefined && checked.as !== "env" && checked.as !== "file") {
    throw invalid(name, '`as` must be "env" or "file"');
  }
  return Object.freeze(checked);
}

function invalid(name: string, why: string): SecretError {
  return new SecretError("DECLARATION_INVALID", `${name}: ${why}`);
}

/** A wrong name may be a value that was pasted in the wrong place: words of a name are short. */
function quoteName(name: string): string {
  return looksLikeName(name) ? `"${name}"` : "a declared name";
}

/** Whether text is safely shown as a name: it has none of the long mixed words that values have. */
export function looksLikeName(text: string): boolean {
  const words = text.split(/[_.-]/);
  return (
    text.length <= 64 && words.every((word) => /^(?:[A-Z0-9]{0,14}|[A-Za-z]{0,14})$/.test(word))
  );
}
