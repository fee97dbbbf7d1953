import { isCredentialName, Secret } from "../secrets/index.ts";

/**
 * The launcher's variables that a job gets without being asked: what programs need to run at all,
 * and what training frameworks read. `*` stands for any rest of a name.
 */
export const allowedVariables: readonly string[] = [
  ..."PATH HOME USER LOGNAME SHELL LANG LC_* TERM TZ TMPDIR XDG_*".split(" "),
  ..."COLORTERM COLUMNS LINES NO_COLOR FORCE_COLOR CI".split(" "),
  ..."VIRTUAL_ENV CONDA_* PYTHON* LD_LIBRARY_PATH".split(" "),
  ..."CUDA_* NVIDIA_* NCCL_* OMP_* SLURM_*".split(" "),
  ..."MASTER_ADDR MASTER_PORT RANK WORLD_SIZE LOCAL_RANK".split(" "),
  ..."HF_HOME HF_HUB_* HF_DATASETS_* TORCH_* PYTORCH_* TRANSFORMERS_* TOKENIZERS_*".split(" "),
  ..."HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY".split(" "),
  ..."http_proxy https_proxy no_proxy all_proxy".split(" "),
  ..."SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS".split(" "),
];

/** Variables that would load foreign code into every program of the job. */
export const neverPassed: readonly string[] = ["LD_PRELOAD", "NODE_OPTIONS"];

export interface EnvironmentOptions {
  /** The launcher's own environment. */
  readonly from: Readonly<Record<string, string | undefined>>;
  /** Whether the allow-list applies: on another machine this one's PATH and HOME mean nothing. */
  readonly inherits: boolean;
  /** Names that stay here and are not worth telling of, with `*`. */
  readonly kept?: readonly string[] | undefined;
  /** Further names to pass, with `*` and `?`. */
  readonly pass: readonly string[];
  /** Plain variables to set. */
  readonly set: Readonly<Record<string, string>>;
  /** Names that are declared as secrets: they come from their declaration only. */
  readonly declared: readonly string[];
  readonly runId: string;
}

export interface JobEnvironment {
  readonly variables: Readonly<Record<string, string>>;
  /** Names of credentials that the launcher has and the job does not get, sorted. */
  readonly withheld: readonly string[];
  /** Credentials inside variables that must be passed: the password of a proxy. */
  readonly found: readonly Secret[];
}

/** Builds the plain part of a job's environment from nothing. */
export function buildEnvironment(options: EnvironmentOptions): JobEnvironment {
  const allowed = [...(options.inherits ? allowedVariables : []), ...options.pass].map(globPattern);
  const kept = (options.kept ?? []).map(globPattern);
  const declared = new Set(options.declared);
  const variables: Record<string, string> = Object.create(null);
  const withheld: string[] = [];
  const found: Secret[] = [];
  for (const [name, value] of Object.entries(options.from)) {
    if (value === undefined || declared.has(name) || name.startsWith("NOPEEK_")) continue;
    if (kept.some((pattern) => pattern.test(name))) continue;
    if (
      !isCredentialName(name) &&
      !neverPassed.includes(name) &&
      allowed.some((p) => p.test(name))
    ) {
      variables[name] = value;
      if (/^[a-z0-9+.-]+:\/\/[^/]*@/i.test(value)) found.push(new Secret(value, { name }));
    } else if (isCredentialName(name) && !(name in options.set)) {
      withheld.push(name);
    }
  }
  // A piped Python holds its output back for seconds otherwise.
  variables["PYTHONUNBUFFERED"] ??= "1";
  Object.assign(variables, options.set);
  variables["NOPEEK_RUN_ID"] = options.runId;
  variables["NOPEEK_SECRETS"] = options.declared.join(",");
  const parents = [options.from["NOPEEK_PARENT_RUNS"], options.from["NOPEEK_RUN_ID"]];
  const parentRuns = parents.filter((id) => id !== undefined && id !== "").join(",");
  if (parentRuns !== "") variables["NOPEEK_PARENT_RUNS"] = parentRuns;
  return { variables, withheld: withheld.sort(), found };
}

/** A pattern for a glob of names: `*` for any characters, `?` for one. */
export function globPattern(glob: string): RegExp {
  const literal = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
