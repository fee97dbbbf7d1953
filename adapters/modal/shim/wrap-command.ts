import {
  allowedVariables,
  credentialParts,
  credentialWords,
  neverPassed,
} from "../../../src/launch/index.ts";
import { SecretError } from "../../../src/secrets/index.ts";
import { findPython, type Kept } from "./find-python.ts";
import { shimKeyVariable } from "./key.ts";
import { shimSource } from "./source.ts";

/** A declared variable whose content the job gets as a private file. */
interface ShimFile {
  readonly name: string;
  /** How the variable holds the bytes: as text, or as base64 where text cannot hold them. */
  readonly encoding: "text" | "base64";
}

export interface WrapOptions {
  /** What the user wants to run. */
  readonly command: readonly string[];
  /** Names of the secret variables: the job gets them, and they are masked. */
  readonly declared: readonly string[];
  /**
   * Further variables that the job gets, with `*` and `?`; a name without them also if it looks like
   * a credential's. The rest of what an attached secret holds is removed.
   */
  readonly keep?: readonly string[] | undefined;
  readonly runId: string;
  /** Those of `declared` that become files. */
  readonly files?: readonly ShimFile[] | undefined;
  /** Those of `declared` that are masked even if their values are short or common. */
  readonly allowWeak?: readonly string[] | undefined;
  /** `strict` holds back every byte until it is decided, also at a pause. */
  readonly hold?: "pause" | "strict" | undefined;
  /**
   * Without Python 3.8 or later in the image: `refuse` (default) ends with {@link noShimExitCode}
   * before the command starts; `run` starts it without the shim, but with the same environment.
   * Either way there is no start record, which tells it apart from a command that ends so itself.
   */
  readonly fallback?: "refuse" | "run" | undefined;
}

/** What a sandbox exits with when its image has no Python and it may not go on without. */
export const noShimExitCode = 78;

/** Variables of images and of Modal that programs need; credentials among them are withheld. */
const containerVariables = "MODAL_* NOPEEK_* HOSTNAME PWD SHLVL DEBIAN_FRONTEND NV_* LIBRARY_PATH";

/** Modal takes fewer than 65,536 characters of arguments for a process. */
const maxArgumentChars = 65_000;

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const globPattern = /^[A-Za-z0-9_*?]{1,128}$/;

/**
 * The command of a sandbox that runs a command inside the shim. It holds no secret; the key of
 * {@link shimKeyVariable} and the declared variables come by the environment.
 *
 * @throws SecretError `DECLARATION_INVALID` for a name that is no variable's; `COMMAND_INVALID` if
 *   the arguments are too long for Modal.
 *
 * @example
 * wrapCommand({ command: ["python", "train.py"], declared: ["HF_TOKEN"], runId });
 */
export function wrapCommand(options: WrapOptions): string[] {
  const { command, declared, runId, files = [], allowWeak = [], hold = "pause" } = options;
  const keep = options.keep ?? [];
  for (const name of [...declared, ...files.map((file) => file.name)])
    assertName(name, namePattern);
  for (const glob of keep) assertName(glob, globPattern);
  const isGlob = (name: string) => /[*?]/.test(name);
  const kept: Kept = {
    named: [...declared, ...keep.filter((name) => !isGlob(name))],
    allowed: [...allowedVariables, ...containerVariables.split(" "), ...keep.filter(isGlob)],
    never: [...neverPassed, shimKeyVariable],
    credentials: [credentialWords, credentialParts],
  };
  const config = {
    ...{ runId, hold, declared, weak: allowWeak, keep: kept.named },
    ...{ allowed: kept.allowed, never: kept.never, credentials: kept.credentials },
    files: Object.fromEntries(files.map(({ name, encoding }) => [name, encoding])),
  };
  // A file cannot be written without the shim.
  const fallback = files.length > 0 ? "refuse" : (options.fallback ?? "refuse");
  const { boot, packed } = shimSource();
  const wrapped = [
    ...["/bin/sh", "-c", findPython(fallback, kept), "nopeek"],
    ...[boot, packed, JSON.stringify(config), ...command],
  ];
  const chars = wrapped.reduce((sum, item) => sum + item.length + 1, 0);
  if (chars > maxArgumentChars) {
    throw new SecretError(
      "COMMAND_INVALID",
      `the command is too long for Modal by ${chars - maxArgumentChars} characters; put the arguments into a file`,
    );
  }
  return wrapped;
}

function assertName(name: string, pattern: RegExp): void {
  if (pattern.test(name)) return;
  throw new SecretError(
    "DECLARATION_INVALID",
    "a variable of a job on Modal has letters, digits and _ in its name, and does not begin with a digit",
  );
}
