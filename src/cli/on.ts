import { statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import type { CodeInput, Runtime } from "../launch/index.ts";
import { isLocalPath } from "../paths/index.ts";
import { SecretError } from "../secrets/index.ts";
import type { Declared } from "./declared.ts";
import { readDuration } from "./duration.ts";
import { makeRuntime, type Named, namedRuntime } from "./runtimes.ts";
import type { Arguments } from "./verb.ts";

/** Options of the command line that only a remote runtime takes. */
const remoteOptions = ["app", "image", "gpu"] as const;

/** What a runtime is that the configuration does not declare. */
const defaults = { app: "nopeek", image: "python:3.12-slim" } as const;
/** The launcher's own limit comes first; this one is for a launcher that died. */
const slackMs = 60_000;

/**
 * The runtime of a run: `--on`, else that of the launch, else this machine.
 *
 * @throws SecretError `USAGE`, `DECLARATION_INVALID`.
 */
export async function chooseRuntime(
  args: Arguments,
  { options, config }: Declared,
  say: (message: string) => void,
): Promise<{ on: Runtime; code: CodeInput | undefined }> {
  const named = namedRuntime(args.value("on") ?? options.runtime ?? "local", config);
  const given = remoteOptions.filter((name) => args.value(name) !== undefined);
  if (named.kind === "local" && given.length > 0) {
    throw new SecretError("USAGE", `--${given[0]} needs --on modal, or a runtime of that kind`);
  }
  const dir = args.value("code");
  // What the command line names is meant from here, not from the configuration.
  const code = dir === undefined ? options.code : { ...options.code, dir: resolve(dir) };
  if (named.kind === "local") return { on: await makeRuntime(named, {}), code };
  const over = Object.fromEntries(given.map((name) => [name, args.value(name)]));
  const timeoutMs = limitOf(args, options.timeoutMs, named);
  return {
    on: await makeRuntime(named, { ...defaults, ...named.options, ...over, timeoutMs }),
    code: code ?? codeHere(args.rest ?? options.command, say),
  };
}

/**
 * Without a word about the code: if the command names a file of this folder, the folder is meant, as
 * it would be locally. A home folder is never meant.
 */
function codeHere(
  command: readonly string[],
  say: (message: string) => void,
): CodeInput | undefined {
  const dir = process.cwd();
  const named = command.find((item) => isLocalPath(item) && isFile(item));
  if (named === undefined) return undefined;
  if (dir === homedir() || dirname(dir) === dir) {
    throw new SecretError(
      "USAGE",
      "the command names a file here, but this folder is too much to upload; name the folder of the program with --code DIR",
    );
  }
  say(
    "the command names a file here, so the files of this folder are uploaded (--code DIR chooses)",
  );
  return { dir };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** @throws SecretError `USAGE` if nobody says how long the job may run. */
function limitOf(args: Arguments, ofLaunch: number | undefined, { options }: Named): number {
  const given = args.value("timeout");
  const wanted = given === undefined ? ofLaunch : readDuration("--timeout", given);
  const declared = options["timeoutMs"];
  if (wanted === undefined && typeof declared === "number") return declared;
  if (wanted !== undefined) return Math.ceil(wanted / 1000) * 1000 + slackMs;
  throw new SecretError(
    "USAGE",
    "say how long the job may run at most, such as --timeout 8h: a sandbox must end by itself",
  );
}
