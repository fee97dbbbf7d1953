import type { MountSpec } from "../paths/index.ts";
import type { SecretDeclaration } from "../secrets/index.ts";

/** What `nopeek.config.ts` exports, or `nopeek.config.json` holds. */
export interface Config {
  /** The environment of this configuration, such as `training`; secrets of another are refused. */
  readonly environment?: string | undefined;
  /** Where secrets are, by the name of the variable that a job finds them under. */
  readonly secrets?: Readonly<Record<string, string | ConfigSecret>> | undefined;
  /** What jobs may find at which path of a container; a local `dir` is relative to the configuration. */
  readonly mounts?: Readonly<Record<string, MountSpec>> | undefined;
  /** What can be run as `nopeek run NAME`. */
  readonly launches?: Readonly<Record<string, ConfigLaunch>> | undefined;
}

/** A declaration of a secret; paths in `from` are relative to the configuration. */
export type ConfigSecret = Omit<SecretDeclaration, "base">;

/** What `nopeek run` takes on the command line. */
export interface ConfigLaunch {
  /** Program and arguments; what follows `--` on the command line replaces it. */
  readonly command?: readonly string[] | undefined;
  /** Which of the declared secrets the job gets (default: all). */
  readonly secrets?: readonly string[] | undefined;
  /** Which of the declared mounts the job gets (default: all). */
  readonly mounts?: readonly string[] | undefined;
  /** Options of the command whose operand is a path, such as `--data-path`. */
  readonly paths?: readonly string[] | undefined;
  /** dotenv files, relative to the configuration. */
  readonly envFiles?: readonly string[] | undefined;
  /** Names from the dotenv files that are no secrets, with `*` and `?`. */
  readonly plain?: readonly string[] | undefined;
  /** Plain variables to set. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Further variables of the launcher to pass on, with `*` and `?`. */
  readonly pass?: readonly string[] | undefined;
  /** Working directory, relative to the configuration. */
  readonly cwd?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly graceMs?: number | undefined;
  readonly refuseRoot?: boolean | undefined;
  readonly hold?: "pause" | "strict" | undefined;
  /**
   * Formats that are masked beside the secrets: `none`, or packs by name (`seed`, `review`) and JSON
   * files, relative to the configuration, which are added to the default rules.
   */
  readonly rules?: string | readonly string[] | undefined;
}

/**
 * Gives a configuration its type; it changes nothing.
 *
 * @example
 * export default defineConfig({
 *   secrets: { HF_TOKEN: "env://HF_TOKEN" },
 *   launches: { train: { command: ["python", "train.py"] } },
 * });
 */
export function defineConfig(config: Config): Config {
  return config;
}
