import { existsSync } from "node:fs";
import { env } from "../../adapters/env.ts";
import {
  type ConfiguredLaunch,
  type LoadedConfig,
  launchOptions,
  loadConfig,
} from "../config/index.ts";
import type { LaunchOptions } from "../launch/index.ts";
import type { MonitorOptions } from "../monitor/index.ts";
import {
  assertVariableName,
  createSecrets,
  looksLikeName,
  parseReference,
  Secret,
  SecretError,
  type SecretInput,
  type Secrets,
} from "../secrets/index.ts";
import { readFiles } from "./dotenv-files.ts";
import { webhookReferences } from "./monitor-flags.ts";
import { providersFor } from "./providers.ts";
import type { Arguments, Option } from "./verb.ts";

/** The options by which every verb learns what is declared. */
export const declaringOptions = {
  config: { value: "FILE", about: "configuration (default: ./nopeek.config.ts or .json)" },
  "env-file": {
    value: "FILE",
    repeatable: true,
    about: "declare every key of a dotenv file; a later file wins",
  },
  secret: {
    value: "NAME[=REFERENCE]",
    repeatable: true,
    about: "declare one secret; NAME alone means env://NAME",
  },
  plain: {
    value: "GLOB",
    repeatable: true,
    about: "keys of dotenv files that are no secrets",
  },
  environment: {
    value: "NAME",
    about: "the environment of this launch; secrets of another are refused",
  },
} as const satisfies Record<string, Option>;

/** What a command line, its configuration and its dotenv files declare. */
export interface Declared {
  readonly options: Omit<LaunchOptions, "monitor"> & { readonly runtime?: string | undefined };
  readonly monitor: MonitorOptions | undefined;
  readonly secrets: Record<string, SecretInput>;
  /** Variables from dotenv files that are no secrets. */
  readonly plain: Record<string, string>;
  readonly from: Secrets;
  /** Every value of every dotenv file that may be a secret, also those that others override. */
  readonly inFiles: readonly Secret[];
  /** What was read: dotenv files and the configuration. */
  readonly files: readonly string[];
  readonly config: LoadedConfig | null;
  /** Nothing was declared at all. */
  readonly isEmpty: boolean;
}

/**
 * Collects what is declared: `--secret` before the configuration, before dotenv files.
 *
 * @param options - `launch`: its name in the configuration; `execute`: whether a configuration may
 *   be code.
 * @throws SecretError `USAGE` or `CONFIG_INVALID`, `FILE_NOT_FOUND`, `SECRET_MALFORMED`, ...
 */
export async function collect(
  args: Arguments,
  warn: (message: string) => void,
  { launch, execute = true }: { launch?: string | undefined; execute?: boolean } = {},
): Promise<Declared> {
  const given = secretsOf(args.values("secret"));
  // Who names what to mask does not need the configuration that happens to be here.
  const named = given.size > 0 || args.values("env-file").length > 0;
  const config =
    !execute && named && args.value("config") === undefined
      ? null
      : await loadConfig({ file: args.value("config"), execute });
  if (config === null && launch !== undefined) {
    throw new SecretError(
      "USAGE",
      "a launch was named, but there is no nopeek.config.ts or .json here",
    );
  }
  const configured = config === null ? null : launchOptions(config, launch);
  const files = [...(configured?.envFiles ?? []), ...args.values("env-file")];
  const nothingNamed = config === null && files.length === 0 && given.size === 0;
  if (nothingNamed && existsSync(".env")) files.push(".env");
  else if (isUnused(".env", configured) && files.length === 0 && given.size === 0) {
    warn(`./.env is not used, since there is a configuration; name it: --env-file .env`);
  }
  const provider = env({ files, onWarning: warn });
  const fromFiles = await readFiles(provider, files, [
    ...(configured?.plain ?? []),
    ...args.values("plain"),
  ]);
  const secrets: Record<string, SecretInput> = {
    ...fromFiles.secrets,
    ...(configured?.secrets as Record<string, SecretInput> | undefined),
    ...Object.fromEntries(given),
  };
  for (const name of Object.keys(secrets)) delete fromFiles.plain[name];
  const environment = args.value("environment") ?? config?.environment;
  const references = [
    ...Object.values(secrets).flatMap(sourcesOf),
    ...webhookReferences(args, configured?.monitor),
  ];
  const providers = [provider, ...(await providersFor(references))];
  return {
    options: configured ?? { command: [] },
    monitor: configured?.monitor,
    config,
    secrets,
    plain: fromFiles.plain,
    inFiles: fromFiles.values,
    files: [...files, ...(config === null ? [] : [config.file])],
    from: createSecrets({ providers, environment, onWarning: warn }),
    isEmpty: nothingNamed && files.length === 0,
  };
}

/** A file of secrets that who wrote a configuration without any may have meant. */
function isUnused(file: string, configured: ConfiguredLaunch | null): boolean {
  return (
    configured !== null && Object.keys(configured.secrets ?? {}).length === 0 && existsSync(file)
  );
}

function sourcesOf(secret: SecretInput): readonly string[] {
  if (secret instanceof Secret) return [];
  return typeof secret === "string" ? [secret] : [secret.from].flat();
}

/** `--secret NAME=REFERENCE` and `--secret NAME`; a value in its place is refused unechoed. */
function secretsOf(given: readonly string[]): Map<string, string> {
  const secrets = new Map<string, string>();
  for (const item of given) {
    const equals = item.indexOf("=");
    const name = equals === -1 ? item : item.slice(0, equals);
    const reference = equals === -1 ? `env://${name}` : item.slice(equals + 1);
    if (equals === -1 && !looksLikeName(name) && !Object.hasOwn(process.env, name)) {
      throw literal("--secret");
    }
    assertVariableName(name);
    if (secrets.has(name)) throw new SecretError("USAGE", `--secret ${name} stands twice`);
    if (!/^[a-z][a-z0-9-]*:\/\//.test(reference)) {
      throw literal(`--secret ${looksLikeName(name) ? name : "NAME"}`);
    }
    parseReference(reference);
    secrets.set(name, reference);
  }
  return secrets;
}

function literal(option: string): SecretError {
  return new SecretError(
    "USAGE",
    `${option}: a value on the command line can be read by everybody; give the name of a variable, or a reference such as NAME=env://NAME`,
  );
}
