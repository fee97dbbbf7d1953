/** The schema of a configuration. Imports zod, so it is itself imported only when one is read. */
import { z } from "zod";
import { SecretError } from "../secrets/index.ts";
import type { Config } from "./types.ts";

const milliseconds = z.number().int().positive();

const secret = z.union([
  z.string(),
  z.strictObject({
    from: z.union([z.string(), z.array(z.string()).min(1)]),
    // A Standard Schema can only come from a TypeScript configuration.
    schema: z
      .custom<NonNullable<unknown>>(
        (value) => typeof value === "object" && value !== null && "~standard" in value,
      )
      .optional(),
    optional: z.boolean().optional(),
    as: z.enum(["env", "file"]).optional(),
    environment: z.string().optional(),
    allowWeak: z.boolean().optional(),
    coerce: z.boolean().optional(),
  }),
]);

const launch = z.strictObject({
  command: z.array(z.string()).min(1).optional(),
  secrets: z.array(z.string()).optional(),
  mounts: z.array(z.string()).optional(),
  paths: z.array(z.string()).optional(),
  envFiles: z.array(z.string()).optional(),
  plain: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  pass: z.array(z.string()).optional(),
  cwd: z.string().optional(),
  timeoutMs: milliseconds.optional(),
  graceMs: milliseconds.optional(),
  refuseRoot: z.boolean().optional(),
  hold: z.enum(["pause", "strict"]).optional(),
  rules: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
});

const config = z.strictObject({
  $schema: z.string().optional(),
  environment: z.string().optional(),
  secrets: z.record(z.string(), secret).optional(),
  // `defineMounts` checks each of them, and says which and why.
  mounts: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  launches: z.record(z.string(), launch).optional(),
});

/**
 * Checks what a configuration file gave.
 *
 * @param file - For messages.
 * @throws SecretError `CONFIG_INVALID`: where it is wrong and what is expected, never what stands there.
 */
export function checkConfig(value: unknown, file: string): Config {
  const result = config.safeParse(value);
  if (result.success) return result.data as Config;
  const lines = result.error.issues.flatMap(describe).map((line) => `  ${line}`);
  throw new SecretError(
    "CONFIG_INVALID",
    `${file} is not valid:\n${[...new Set(lines)].join("\n")}`,
  );
}

type Issue = z.core.$ZodIssue;

function describe(issue: Issue): string[] {
  const place = placeOf(issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return [`${place}: unknown ${issue.keys.map(quoteKey).join(", ")}`];
    case "invalid_type":
      return [`${place}: expected ${issue.expected}`];
    case "invalid_value":
      return [`${place}: expected one of ${issue.values.join(", ")}`];
    case "invalid_union":
      return [`${place}: expected a reference, or an object with \`from\` and known options`];
    default:
      return [`${place}: not valid (${issue.code})`];
  }
}

function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "the configuration";
  return path
    .map((part) => (typeof part === "number" ? String(part) : quoteKey(String(part))))
    .join(".");
}

/** A key may be a value that was pasted in the wrong place: only what looks like a word is shown. */
function quoteKey(key: string): string {
  return /^[A-Za-z_$-]{1,32}$/.test(key) || /^[A-Z][A-Z0-9_]{1,32}$/.test(key) ? key : "(a key)";
}
