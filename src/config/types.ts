import type { CodeInput } from "../launch/index.ts";
import type { MonitorSettings } from "../monitor/index.ts";
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
  /** Where `nopeek run` records what it does. */
  readonly audit?: ConfigAudit | undefined;
  /** What is done about leaks, in every launch that says nothing else. */
  readonly monitor?: MonitorSettings | undefined;
  /** Where jobs can run, by the name that `--on` takes. */
  readonly runtimes?: Readonly<Record<string, ConfigRuntime>> | undefined;
  /** What can be run as `nopeek run NAME`. */
  readonly launches?: Readonly<Record<string, ConfigLaunch>> | undefined;
}

/**
 * A runtime: its kind, `local` or `modal`, and its options, which the adapter of the kind checks: for
 * `modal` those of `modalRuntime`.
 */
export interface ConfigRuntime {
  /** Default: the name of the runtime. */
  readonly kind?: string | undefined;
  readonly [option: string]: unknown;
}

/** A declaration of a secret; paths in `from` are relative to the configuration. */
export type ConfigSecret = Omit<SecretDeclaration, "base">;

/** The audit log; paths are relative to the configuration. */
export interface ConfigAudit {
  /** The folder of the records, outside the folders of the runs. */
  readonly dir: string;
  /** The folder of the anchors (default: below `~/.local/state/nopeek`); best on another disk. */
  readonly anchors?: string | undefined;
  /** Where the key is (default: `env://NOPEEK_AUDIT_KEY`). */
  readonly key?: string | undefined;
  /** When the log cannot be written any more (default: `continue`). */
  readonly onFailure?: "continue" | "halt" | undefined;
}

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
  /** The runtime of the launch (default: `local`). */
  readonly on?: string | undefined;
  /** The program's files, relative to the configuration. */
  readonly code?: CodeInput | undefined;
  readonly timeoutMs?: number | undefined;
  readonly graceMs?: number | undefined;
  readonly refuseRoot?: boolean | undefined;
  readonly hold?: "pause" | "strict" | undefined;
  /** Whether formats of credentials are masked beside the secrets (default: `default`). */
  readonly rules?: "default" | "none" | undefined;
  /** In place of the configuration's own. */
  readonly monitor?: MonitorSettings | undefined;
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
