import type { CodeInput } from "../launch/index.ts";
import type { MonitorSettings } from "../monitor/index.ts";
import type { MountSpec } from "../paths/index.ts";
import type { RandomOptions } from "../rotate/index.ts";
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
  /** Who is called when something leaked, and where business days are counted. */
  readonly incidents?: ConfigIncidents | undefined;
  /** What is done about leaks, in every launch that says nothing else. */
  readonly monitor?: MonitorSettings | undefined;
  /** Where jobs can run, by the name that `--on` takes. */
  readonly runtimes?: Readonly<Record<string, ConfigRuntime>> | undefined;
  /** What can be run as `nopeek run NAME`. */
  readonly launches?: Readonly<Record<string, ConfigLaunch>> | undefined;
  /** What can be rotated as `nopeek rotate NAME`. */
  readonly rotations?: Readonly<Record<string, ConfigRotation>> | undefined;
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

/** A credential that is replaced now and then. */
export interface ConfigRotation {
  /** A reference, or the name of a declared secret, whose first source is then meant. */
  readonly secret: string;
  readonly target: ConfigTarget;
  /** Copies to update afterwards: references with a field, or whole secrets with their keys. */
  readonly publish?:
    | readonly (
        | string
        | { readonly to: string; readonly keys: { readonly id?: string; readonly secret: string } }
      )[]
    | undefined;
  /** Nothing is done while the current credential is younger. */
  readonly minAgeMs?: number | undefined;
  /** How long the old credential goes on working: longer than the longest job. */
  readonly overlapMs: number;
}

/** What accepts the credential, as data. */
export type ConfigTarget =
  | ({ readonly type: "random" } & RandomOptions)
  | {
      readonly type: "command";
      /** Programs that get the value on their standard input. */
      readonly set?: readonly string[] | undefined;
      readonly works: readonly string[];
      readonly revoke?: readonly string[] | undefined;
      readonly generate?: RandomOptions | undefined;
      readonly strategy?: "issuer" | "static" | undefined;
      /** Variables that the programs get besides PATH, HOME and the like. */
      readonly pass?: readonly string[] | undefined;
      readonly timeoutMs?: number | undefined;
    }
  | {
      readonly type: "pasted";
      readonly works: readonly string[];
      readonly revokeAt: string;
    }
  | {
      readonly type: "postgres";
      readonly host: string;
      readonly port?: number | undefined;
      readonly database?: string | undefined;
      readonly ssl?: boolean | { readonly ca: string } | undefined;
      /** `password` is a reference. */
      readonly admin?: { readonly user: string; readonly password: string } | undefined;
      readonly roles: readonly [string] | readonly [string, string];
      readonly fields?: { readonly id: string; readonly secret: string } | undefined;
      readonly password?: RandomOptions | undefined;
    }
  | {
      readonly type: "iam";
      readonly user: string;
      readonly region?: string | undefined;
      readonly profile?: string | undefined;
      readonly endpoint?: string | undefined;
      readonly fields?: { readonly id: string; readonly secret: string } | undefined;
    };

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

/** What `nopeek incident` needs to know. */
export interface ConfigIncidents {
  /** Whom to call, by role, such as `{ "on call": "+49 ...", "security team": "security@..." }`. */
  readonly contacts?: Readonly<Record<string, string>> | undefined;
  /** A name of the IANA database (default: `UTC`). */
  readonly timeZone?: string | undefined;
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
  /**
   * Formats that are masked beside the secrets: `none`, or packs by name (`seed`, `review`) and JSON
   * files, relative to the configuration, which are added to the default rules.
   */
  readonly rules?: string | readonly string[] | undefined;
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
