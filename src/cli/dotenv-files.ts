import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { EnvProvider } from "../../adapters/env.ts";
import { globPattern } from "../launch/index.ts";
import {
  assertVariableName,
  isCredentialName,
  looksLikeReference,
  parseReference,
  plainReason,
  Secret,
  SecretError,
  type SecretInput,
} from "../secrets/index.ts";
import { knownSchemes } from "./providers.ts";

/** What dotenv files declare. */
export interface FromFiles {
  readonly secrets: Record<string, SecretInput>;
  /** Variables that are no secrets. */
  readonly plain: Record<string, string>;
  /** Every value that may be a secret, also those that others override. */
  readonly values: readonly Secret[];
}

interface Content {
  readonly file: string;
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Every key of the files is declared. The environment comes before the files, a later file before
 * an earlier one; what is set but empty does not count.
 *
 * @throws SecretError `DECLARATION_INVALID` for a key that cannot be a variable; what reading throws.
 */
export async function readFiles(
  provider: EnvProvider,
  files: readonly string[],
  plainGlobs: readonly string[],
): Promise<FromFiles> {
  const patterns = plainGlobs.map(globPattern);
  const contents: Content[] = [];
  for (const file of files) contents.push({ file, values: await provider.readFile(file) });
  const names = new Set(contents.flatMap(({ values }) => [...values.keys()]));
  const values = contents.flatMap(({ values }) =>
    [...values].flatMap(([name, value]) =>
      value === "" || looksLikeReference(value, knownSchemes) || isPlain(name, value, patterns)
        ? []
        : [new Secret(value, { name })],
    ),
  );
  const result: FromFiles = { secrets: {}, plain: {}, values };
  for (const name of names) {
    assertKey(name, contents);
    const inFile = contents.findLast(({ values }) => (values.get(name) ?? "") !== "");
    const own = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
    const value = own || inFile?.values.get(name);
    if (value === undefined) {
      result.secrets[name] = { from: whereItMayBe(name, contents) };
    } else if (isPlain(name, value, patterns)) {
      result.plain[name] = value;
    } else if (looksLikeReference(value, knownSchemes)) {
      result.secrets[name] = { from: value, base: inFile && resolve(dirname(inFile.file)) };
    } else {
      // Not plain by its name: masked although the value is an ordinary one.
      const from = (own ? null : inFile && fileReference(inFile.file, name)) ?? `env://${name}`;
      result.secrets[name] = { from, allowWeak: true };
    }
  }
  return result;
}

/** The places of a name that is empty in every one, for the error that names them. */
function whereItMayBe(name: string, files: readonly Content[]): string[] {
  const references = files
    .filter(({ values }) => values.has(name))
    .flatMap(({ file }) => fileReference(file, name) ?? []);
  return [`env://${name}`, ...references];
}

/**
 * Where the value is, so that it can be found again: `null` if no reference can spell the path, or if
 * the file, such as a pipe, can be read only once.
 */
function fileReference(file: string, name: string): string | null {
  if (!statSync(file).isFile()) return null;
  try {
    const reference = parseReference(`dotenv://${file}#${name}`);
    return reference.path === file && reference.field === name ? `dotenv://${file}#${name}` : null;
  } catch {
    return null;
  }
}

function isPlain(name: string, value: string, patterns: readonly RegExp[]): boolean {
  if (patterns.some((pattern) => pattern.test(name))) return true;
  if (looksLikeReference(value, knownSchemes)) return false;
  const reason = plainReason(value);
  // A password may look like the name of a region or a host; a number it is not.
  return reason !== null && !(isCredentialName(name) && ambiguous.has(reason));
}

const ambiguous: ReadonlySet<string> = new Set([
  "cloud region",
  "time zone",
  "locale",
  "path",
  "URL without a password",
  "host and port",
]);

/** @throws SecretError `DECLARATION_INVALID` that names the file. */
function assertKey(name: string, contents: readonly Content[]): void {
  try {
    assertVariableName(name);
  } catch (error) {
    const file = contents.find(({ values }) => values.has(name))?.file;
    throw new SecretError("DECLARATION_INVALID", `${file}: ${(error as Error).message}`);
  }
}
