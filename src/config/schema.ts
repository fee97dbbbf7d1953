/** The schema of a configuration. Imports zod, so it is itself imported only when one is read. */
import { z } from "zod";
import { checkMonitorSettings } from "../monitor/index.ts";
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

// `checkMonitorOptions` checks it, and says what is wrong and what is expected.
const monitor = z.record(z.string(), z.unknown()).optional();

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
  on: z.string().optional(),
  code: z
    .strictObject({
      dir: z.string(),
      to: z.string().optional(),
      include: z.array(z.string()).optional(),
      exclude: z.array(z.string()).optional(),
      maxBytes: z.number().int().positive().optional(),
    })
    .optional(),
  timeoutMs: milliseconds.optional(),
  graceMs: milliseconds.optional(),
  refuseRoot: z.boolean().optional(),
  hold: z.enum(["pause", "strict"]).optional(),
  rules: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  monitor,
});

const argv = z.array(z.string()).min(1);
const fields = z.strictObject({ id: z.string(), secret: z.string() });
const randomOptions = { length: z.number().int().optional(), alphabet: z.string().optional() };

// What an option may be is checked by the target itself, which says why not.
const target = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("random"), ...randomOptions }),
  z.strictObject({
    type: z.literal("command"),
    set: argv.optional(),
    works: argv,
    revoke: argv.optional(),
    generate: z.strictObject(randomOptions).optional(),
    strategy: z.enum(["issuer", "static"]).optional(),
    pass: z.array(z.string()).optional(),
    timeoutMs: milliseconds.optional(),
  }),
  z.strictObject({ type: z.literal("pasted"), works: argv, revokeAt: z.string() }),
  z.strictObject({
    type: z.literal("postgres"),
    host: z.string(),
    port: z.number().int().optional(),
    database: z.string().optional(),
    ssl: z.union([z.boolean(), z.strictObject({ ca: z.string() })]).optional(),
    admin: z.strictObject({ user: z.string(), password: z.string() }).optional(),
    roles: z.array(z.string()).min(1).max(2),
    fields: fields.optional(),
    password: z.strictObject(randomOptions).optional(),
  }),
  z.strictObject({
    type: z.literal("iam"),
    user: z.string(),
    region: z.string().optional(),
    profile: z.string().optional(),
    endpoint: z.string().optional(),
    fields: fields.optional(),
  }),
]);

const copy = z.strictObject({
  to: z.string(),
  keys: z.strictObject({ id: z.string().optional(), secret: z.string() }),
});

const rotation = z.strictObject({
  secret: z.string(),
  target,
  publish: z.array(z.union([z.string(), copy])).optional(),
  minAgeMs: z.number().int().nonnegative().optional(),
  overlapMs: z.number().int().nonnegative(),
});

const config = z.strictObject({
  $schema: z.string().optional(),
  environment: z.string().optional(),
  secrets: z.record(z.string(), secret).optional(),
  // `defineMounts` checks each of them, and says which and why.
  mounts: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  audit: z
    .strictObject({
      dir: z.string().min(1),
      anchors: z.string().min(1).optional(),
      key: z.string().optional(),
      onFailure: z.enum(["continue", "halt"]).optional(),
    })
    .optional(),
  incidents: z
    .strictObject({
      contacts: z.record(z.string().min(1).max(100), z.string().min(1).max(500)).optional(),
      timeZone: z.string().optional(),
    })
    .optional(),
  monitor,
  // The adapter of each kind checks the options.
  runtimes: z.record(z.string(), z.looseObject({ kind: z.string().optional() })).optional(),
  launches: z.record(z.string(), launch).optional(),
  rotations: z.record(z.string(), rotation).optional(),
});

/**
 * Checks what a configuration file gave.
 *
 * @param file - For messages.
 * @throws SecretError `CONFIG_INVALID`: where it is wrong and what is expected, never what stands there.
 */
export function checkConfig(value: unknown, file: string): Config {
  const result = config.safeParse(value);
  if (result.success) {
    const checked = result.data as Config;
    const launches = Object.values(checked.launches ?? {});
    for (const part of [checked, ...launches]) checkMonitorSettings(part.monitor ?? {}, file);
    return checked;
  }
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
      if (issue.path[0] === "rotations" && issue.path[2] === "target")
        return [`${place}: \`type\` is random, command, pasted, postgres or iam`];
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
