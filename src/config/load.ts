import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, resolve } from "node:path";
import { openRootSync } from "../paths/index.ts";
import { kindOf, SecretError } from "../secrets/index.ts";
import { assertSafe } from "./safety.ts";
import type { Config } from "./types.ts";

/** A configuration and where it came from. */
export interface LoadedConfig extends Config {
  /** Absolute path of the file. */
  readonly file: string;
  /** SHA-256 of the file when it was loaded. */
  readonly sha256: string;
}

/** The files that are looked for, in the working directory only. */
export const configFiles = ["nopeek.config.ts", "nopeek.config.json"] as const;

/**
 * Loads the configuration: the named file, or the one in the working directory.
 *
 * @param options - `execute: false` refuses a TypeScript configuration, which is code.
 * @returns `null` if there is none and none was named.
 * @throws SecretError `FILE_NOT_FOUND`, `FILE_UNSAFE` or `CONFIG_INVALID`.
 */
export async function loadConfig(
  options: { file?: string | undefined; cwd?: string; execute?: boolean } = {},
): Promise<LoadedConfig | null> {
  const { cwd = process.cwd(), execute = true } = options;
  const file = options.file === undefined ? findConfig(cwd) : resolve(cwd, options.file);
  if (file === null) return null;
  if (!existsSync(file)) {
    throw new SecretError("FILE_NOT_FOUND", `the configuration ${options.file} does not exist`);
  }
  assertSafe(file, { named: options.file !== undefined });
  const isJson = extname(file) === ".json";
  if (!isJson && !execute) {
    throw new SecretError(
      "CONFIG_INVALID",
      `${file} is code, which this command does not execute; use nopeek.config.json, --env-file or --secret`,
    );
  }
  const sha256 = await hashConfig(file);
  const value = isJson ? readJson(file) : await importTypeScript(file);
  const { checkConfig } = await import("./schema.ts");
  try {
    return { ...checkConfig(value, file), file, sha256 };
  } catch (error) {
    if (error instanceof SecretError) throw error;
    // A getter of the configuration threw.
    throw new SecretError("CONFIG_INVALID", `${file} threw ${kindOf(error)} when it was read`);
  }
}

function findConfig(cwd: string): string | null {
  const found = configFiles.map((name) => join(cwd, name)).filter((file) => existsSync(file));
  if (found.length > 1) {
    throw new SecretError(
      "CONFIG_INVALID",
      `there are two configurations, ${configFiles.join(" and ")}; delete one or name one with --config`,
    );
  }
  return found[0] ?? null;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readBeneath(file).toString("utf8"));
  } catch {
    // The parser's message quotes the text.
    throw new SecretError("CONFIG_INVALID", `${file} is not valid JSON`);
  }
}

/**
 * The SHA-256 of a configuration as it is on the disk now.
 *
 * @throws SecretError `CONFIG_INVALID` if it cannot be read.
 */
export async function hashConfig(file: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  try {
    return createHash("sha256").update(readBeneath(file)).digest("hex");
  } catch {
    throw new SecretError("CONFIG_INVALID", `${file} cannot be read`);
  }
}

function readBeneath(file: string): Buffer {
  const real = realpathSync(file);
  const root = openRootSync(dirname(real));
  try {
    return root.readFileSync(basename(real));
  } finally {
    root.closeSync();
  }
}

async function importTypeScript(file: string): Promise<unknown> {
  const { createJiti } = await import("jiti");
  // By our own name: works also where nopeek is not installed in the project.
  const self = createRequire(import.meta.url);
  const jiti = createJiti(file, {
    // A cache in a shared folder could be written by others.
    fsCache: false,
    moduleCache: false,
    interopDefault: true,
    alias: { "nopeek/config": self.resolve("nopeek/config"), nopeek: self.resolve("nopeek") },
  });
  try {
    return await jiti.import(file, { default: true });
  } catch (error) {
    if (error instanceof SecretError) throw error;
    throw new SecretError(
      "CONFIG_INVALID",
      `${file} threw ${kindOf(error)} when it was loaded; run it alone to see it: npx jiti ${file}`,
    );
  }
}

/** The folder that the paths of a configuration are relative to. */
export function baseOf(config: LoadedConfig): string {
  return dirname(config.file);
}
