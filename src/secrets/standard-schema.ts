/**
 * The part of the Standard Schema interface (https://standardschema.dev, version 1) that nopeek
 * calls. zod, valibot and arktype schemas have it; none of them is imported here.
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}

type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly object[] };

/** What a schema made of a text: the text to use, or what it objects to, safe to print. */
export type Checked = { readonly text: string } | { readonly objection: string };

/**
 * Runs a schema over the text of a secret. Of an issue only its code is kept (`invalid_format`):
 * messages may quote the value.
 */
export async function checkText(schema: StandardSchema, text: string): Promise<Checked> {
  let result: SchemaResult<unknown>;
  try {
    result = await schema["~standard"].validate(text);
  } catch {
    return { objection: "the schema threw an error" };
  }
  if (result.issues === undefined) {
    return { text: typeof result.value === "string" ? result.value : text };
  }
  const words = result.issues.flatMap((issue) => issueWords(issue, text));
  return { objection: words.length === 0 ? "no detail" : [...new Set(words)].join(", ") };
}

/** The machine-readable words of an issue; zod has `code` and, for formats, `format`. */
function issueWords(issue: object, text: string): string[] {
  const { code, format } = issue as { code?: unknown; format?: unknown };
  const words = [code, format].filter(
    (word): word is string =>
      typeof word === "string" && /^[a-z][a-z_]{0,30}$/.test(word) && !text.includes(word),
  );
  return words.length === 0 ? [] : [words.join(" ")];
}
