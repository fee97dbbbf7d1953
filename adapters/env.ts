/**
 * Environment variables and dotenv files as a provider, exported as `nopeek/adapters/env`.
 *
 * @module
 */
import { resolve } from "node:path";
import {
  type ReadOutcome,
  type Reference,
  SecretError,
  type SecretProvider,
} from "../src/secrets/index.ts";

export interface EnvOptions {
  /** dotenv files that `env://NAME` also looks into, below the environment; the last one wins. */
  readonly files?: readonly string[] | undefined;
  /** Instead of `process.env`, which is read at the time of each call. */
  readonly vars?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * Told once of each file that other users can read, or that has lines which are left out; default:
   * a process warning.
   */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** A provider that can also list what its files hold. */
export interface EnvProvider extends SecretProvider {
  /**
   * The keys and values of one of its dotenv files. They are not secrets yet: handle with care.
   *
   * @throws SecretError `FILE_NOT_FOUND`, `SECRET_ACCESS_DENIED`, or `SECRET_MALFORMED` for what is
   *   no text, and for a name that can be none of a variable.
   */
  readFile(path: string): Promise<ReadonlyMap<string, string>>;
}

/**
 * Reads `env://NAME` from the environment (then from `files`) and `dotenv://path#KEY` from a file.
 * A variable that is set but empty does not exist. `$` in a value means nothing. Keys of files can be
 * written: the rest of the file, its mode and its owner stay.
 *
 * @example
 * const secrets = createSecrets({ providers: [env({ files: [".env"] })] });
 * await secrets.get("env://HF_TOKEN");
 * await secrets.get("dotenv://deploy/.env#HF_TOKEN");
 */
export function env(options: EnvOptions = {}): EnvProvider {
  const { files = [], onWarning = (message) => process.emitWarning(message) } = options;
  // Each file is read once: it may be a pipe, and all names come from one state of it.
  const contents = new Map<string, Promise<Content>>();
  const readContent = (path: string) => {
    const absolute = resolve(path);
    const content = contents.get(absolute) ?? readDotenv(path, absolute, onWarning);
    contents.set(absolute, content);
    return content;
  };
  const read = async (path: string) => (await readContent(path)).values;
  /** All keys are about to be declared, and shown. */
  const list = async (path: string) => {
    const { values, nameless } = await readContent(path);
    if (nameless === undefined) return values;
    throw new SecretError(
      "SECRET_MALFORMED",
      `${path}: the name in line ${nameless} cannot be an environment variable; use letters, digits and _, not a digit first`,
    );
  };
  const forget = (file: string) => contents.delete(resolve(file));

  /** Files whose lock this provider holds already. */
  const locked = new Set<string>();

  async function fromEnvironment({ path, options: given }: Reference): Promise<ReadOutcome> {
    assertNoOptions(given);
    const vars = options.vars ?? process.env;
    // Not what objects inherit: there is no variable "constructor".
    const value = Object.hasOwn(vars, path) ? vars[path] : undefined;
    if (value !== undefined && value !== "") return { value, origin: "the environment" };
    for (const file of [...files].reverse()) {
      const found = (await read(file)).get(path);
      if (found !== undefined && found !== "") return { value: found, origin: file };
    }
    return null;
  }

  async function fromFile({ path, field, base, options: given }: Reference): Promise<ReadOutcome> {
    assertNoOptions(given);
    if (field === undefined) {
      throw new SecretError(
        "REFERENCE_INVALID",
        "a dotenv reference names its key: dotenv://path#KEY (in a .env file in quotes, since # begins a comment there)",
      );
    }
    const { values, text } = await readContent(fileOf(path, base));
    const value = values.get(field);
    if (value === undefined || value === "") return null;
    const createdAtMs = text.includes(noteMark) ? await writtenAt(text, field) : undefined;
    return { value, origin: path, ...(createdAtMs !== undefined && { createdAtMs }) };
  }

  return {
    name: "env",
    schemes: ["env", "dotenv"],
    ownFields: ["dotenv"],
    local: true,
    capabilities: ["read", "write"],
    readFile: list,
    async write(reference, change) {
      const { scheme, path, base, options: given } = reference;
      assertNoOptions(given);
      assertFile(scheme);
      const { changeDotenv, realFile } = await import("./shared/dotenv-file.ts");
      const { lockFile } = await import("./shared/file-lock.ts");
      const file = await realFile(reference);
      await using _lock = locked.has(file) ? undefined : await lockFile(file);
      await changeDotenv(reference, change);
      forget(fileOf(path, base));
      return {};
    },
    async lock(reference) {
      assertFile(reference.scheme);
      const { realFile } = await import("./shared/dotenv-file.ts");
      const { lockFile } = await import("./shared/file-lock.ts");
      const file = await realFile(reference);
      const lock = await lockFile(file);
      locked.add(file);
      // What was read before may have been changed by who held the lock.
      forget(fileOf(reference.path, reference.base));
      return {
        async [Symbol.asyncDispose]() {
          locked.delete(file);
          await lock[Symbol.asyncDispose]();
        },
      };
    },
    read: (references) =>
      Promise.all(
        references.map((reference) => {
          const outcome =
            reference.scheme === "env" ? fromEnvironment(reference) : fromFile(reference);
          return outcome.catch(asOutcome);
        }),
      ),
  };
}

const noteMark = "# nopeek: ";

/** A dotenv file as it was read. */
interface Content {
  readonly values: ReadonlyMap<string, string>;
  readonly text: string;
  /** The first line of which the name can be no variable, and may be a part of a value. */
  readonly nameless: number | undefined;
}

function fileOf(path: string, base: string | undefined): string {
  return base === undefined ? path : resolve(base, path);
}

async function writtenAt(text: string, key: string): Promise<number | undefined> {
  const { writtenAtMs } = await import("./shared/dotenv-file.ts");
  return writtenAtMs(text, key);
}

function assertFile(scheme: string): void {
  if (scheme === "dotenv") return;
  throw new SecretError(
    "SECRET_NOT_WRITABLE",
    "a variable of the environment ends with the process; write to a dotenv file: dotenv://path#KEY",
  );
}

/** One reference that fails does not fail the others. */
function asOutcome(error: unknown): SecretError {
  if (error instanceof SecretError) return error;
  throw error;
}

function assertNoOptions(given: Reference["options"]): void {
  if (Object.keys(given).length === 0) return;
  throw new SecretError("REFERENCE_INVALID", "env:// and dotenv:// references take no ?options");
}

async function readDotenv(
  path: string,
  absolute: string,
  warn: (message: string) => void,
): Promise<Content> {
  const { readDotenvBytes } = await import("./shared/dotenv-bytes.ts");
  const { bytes, mode, isFile } = await readDotenvBytes(path, absolute);
  if (isFile && (mode & 0o006) !== 0) {
    const what = (mode & 0o002) !== 0 ? "changed" : "read";
    warn(`${path} can be ${what} by every user of this machine; run: chmod 600 ${path}`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    text = "\0";
  }
  if (text.includes("\0")) {
    throw new SecretError(
      "SECRET_MALFORMED",
      `${path} is not a UTF-8 text file with NAME=value lines`,
    );
  }
  const { parse } = await import("dotenv");
  const values = new Map(Object.entries(parse(text)));
  const { isShownName, lineFaults } = await import("./shared/dotenv-lines.ts");
  for (const [key, value] of values) {
    // Its further lines would be taken for keys, and shown as such.
    if (/^-----BEGIN [^-]+-----\s*$/.test(value)) throw goesOn(path, isShownName(key) ? key : null);
  }
  const faults = lineFaults(text);
  if (faults.goesOn !== undefined) throw goesOn(path, faults.goesOn.key, faults.goesOn.line);
  if (faults.leftOut.length > 0) {
    warn(`${path}: ${linesOf(faults.leftOut)} left out, being no NAME=value`);
  }
  return { values, text, nameless: faults.nameless };
}

function goesOn(path: string, key: string | null, line?: number): SecretError {
  const whose = key === null ? "a value" : `the value of ${key}`;
  const where = key === null && line !== undefined ? `${path}: line ${line}` : path;
  return new SecretError(
    "SECRET_MALFORMED",
    `${where}: ${whose} goes on after its first line; put all of it in double quotes`,
  );
}

/** `line 3 is`, or `lines 3, 5 and 2 more are`. */
function linesOf(lines: readonly number[]): string {
  if (lines.length === 1) return `line ${lines[0]} is`;
  const more = lines.length > 5 ? ` and ${lines.length - 5} more` : "";
  return `lines ${lines.slice(0, 5).join(", ")}${more} are`;
}
