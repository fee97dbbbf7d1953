import { resolve } from "node:path";
import type { LaunchOptions } from "../launch/index.ts";
import type { MonitorOptions } from "../monitor/index.ts";
import type { MountSpec } from "../paths/index.ts";
import { defineSecrets, looksLikeName, SecretError, type SecretInput } from "../secrets/index.ts";
import { baseOf, type LoadedConfig } from "./load.ts";
import { readRuleChoice } from "./rule-files.ts";

/** The part of `launch`'s options that a configuration decides. */
export type ConfiguredLaunch = Overridable & {
  /** dotenv files of the launch, absolute; their keys are declared by who reads them. */
  readonly envFiles: readonly string[];
  readonly plain: readonly string[];
  /** The name of the launch's runtime. */
  readonly runtime: string | undefined;
};

/** A monitor that is made already has its options behind it: give it to `launch` instead. */
type Overridable = Omit<LaunchOptions, "monitor"> & {
  readonly monitor?: MonitorOptions | undefined;
};

/**
 * What `launch` takes for a launch of the configuration; `override` wins, names of secrets are
 * those of the configuration.
 *
 * @param name - Without it: all secrets of the configuration and no more.
 * @throws SecretError `CONFIG_INVALID` for an unknown launch or secret.
 *
 * @example
 * await launch({ ...launchOptions(config, "train"), from: secrets });
 */
export function launchOptions(
  config: LoadedConfig,
  name: string | undefined,
  override: Partial<Overridable> = {},
): ConfiguredLaunch {
  const launches = config.launches ?? {};
  if (name !== undefined && !Object.hasOwn(launches, name)) {
    const known = Object.keys(launches).join(", ") || "none";
    throw new SecretError("CONFIG_INVALID", `${config.file} has no such launch; it has: ${known}`);
  }
  const chosen = name === undefined ? {} : (launches[name] ?? {});
  const {
    secrets: names,
    mounts: mountNames,
    command = [],
    envFiles = [],
    plain = [],
    cwd,
    monitor = config.monitor,
    on,
    rules,
    ...rest
  } = chosen;
  const base = baseOf(config);
  return {
    ...rest,
    command,
    cwd: cwd === undefined ? undefined : resolve(base, cwd),
    envFiles: envFiles.map((file) => resolve(base, file)),
    plain,
    ...(monitor && { monitor }),
    runtime: on,
    ...(rules === undefined ? {} : { rules: readRuleChoice([rules].flat(), base) }),
    secrets: pickSecrets(config, names),
    mounts: pickMounts(config, mountNames),
    base,
    ...override,
  };
}

function pickMounts(
  config: LoadedConfig,
  paths: readonly string[] | undefined,
): Record<string, MountSpec> {
  const declared = config.mounts ?? {};
  return Object.fromEntries(
    (paths ?? Object.keys(declared)).map((path) => {
      const mount = Object.hasOwn(declared, path) ? declared[path] : undefined;
      if (mount !== undefined) return [path, mount];
      throw new SecretError(
        "CONFIG_INVALID",
        `${config.file}: a launch names a mount that is not declared`,
      );
    }),
  );
}

function pickSecrets(
  config: LoadedConfig,
  names: readonly string[] | undefined,
): Record<string, SecretInput> {
  const declared = config.secrets ?? {};
  const picked: Record<string, SecretInput> = {};
  for (const name of names ?? Object.keys(declared)) {
    const given = Object.hasOwn(declared, name) ? declared[name] : undefined;
    if (given === undefined) {
      throw new SecretError(
        "CONFIG_INVALID",
        `${config.file}: a launch names ${looksLikeName(name) ? name : "a secret"}, which is not declared`,
      );
    }
    const declaration = typeof given === "string" ? { from: given } : given;
    picked[name] = { ...declaration, base: baseOf(config) };
  }
  defineSecrets(picked);
  return picked;
}
