import { resolve } from "node:path";
import { SecretError } from "../secrets/index.ts";

/** The program's own files. A runtime that is not local gets a copy of them before the job starts. */
export interface CodeInput {
  /** The folder of the program, relative to `base` of the launch; a local job works in it. */
  readonly dir: string;
  /** Where it goes in the container (default: `/work`); the job works in it. */
  readonly to?: string | undefined;
  /** What to take: globs with `*`, `**` and `?` relative to `dir` (default: everything). */
  readonly include?: readonly string[] | undefined;
  /** What to leave out, by the same globs; it wins. A name without `/` is meant in every folder. */
  readonly exclude?: readonly string[] | undefined;
  /** The most that all files together may have (default: 64 MiB). */
  readonly maxBytes?: number | undefined;
}

/** Checked, with an absolute folder and the defaults. */
export interface Code {
  readonly dir: string;
  readonly to: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly maxBytes: number;
}

const knownOptions = ["dir", "to", "include", "exclude", "maxBytes"];
const defaultMaxBytes = 64 * 1024 * 1024;

/** @throws SecretError `DECLARATION_INVALID`. */
export function checkCode(given: CodeInput | undefined, base: string): Code | undefined {
  if (given === undefined) return undefined;
  const { dir, to = "/work", include = ["**"], exclude = [], maxBytes = defaultMaxBytes } = given;
  const unknown = Object.keys(given).some((name) => !knownOptions.includes(name));
  if (unknown) throw invalid(`has an unknown option; known are ${knownOptions.join(", ")}`);
  if (typeof dir !== "string" || dir === "" || dir.includes("\0")) throw invalid("needs a dir");
  for (const list of [include, exclude]) {
    if (!Array.isArray(list) || !list.every((glob) => typeof glob === "string" && glob !== "")) {
      throw invalid("include and exclude must be lists of globs, such as src/**");
    }
  }
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1) {
    throw invalid("maxBytes must be a whole number of bytes above zero");
  }
  return { dir: resolve(base, dir), to, include, exclude, maxBytes };
}

function invalid(why: string): SecretError {
  return new SecretError("DECLARATION_INVALID", `code of the launch ${why}`);
}
