import { realpath, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { openRoot, PathError } from "../../src/paths/index.ts";
import { type Change, type Reference, SecretError } from "../../src/secrets/index.ts";
import { removeDeadCopies } from "./dead-copies.ts";
import { assignment } from "./dotenv-lines.ts";

/** The line above a key that a rotation wrote. */
const noteOf = (key: string) =>
  new RegExp(`^# nopeek: ${key.replaceAll(".", "\\.")} written (\\S+)$`, "m");

/**
 * Changes keys of a dotenv file: everything else in it, its mode and its owner stay. The file is
 * replaced as a whole, so that a reader sees the old one or the new one.
 *
 * @throws SecretError `SECRET_REQUEST_INVALID` for what a dotenv file cannot hold.
 */
export async function changeDotenv(reference: Reference, change: Change): Promise<void> {
  const fields = fieldsOf(reference, change);
  const file = await realFile(reference);
  const root = await openRoot(dirname(file), { names: "native", weak: "allow" }).catch((error) => {
    throw unwritable(reference, error);
  });
  try {
    const name = basename(file);
    const info = await stat(file);
    await removeDeadCopies(root, info.uid);
    const text = (await root.readFile(name)).toString("utf8");
    const { parse } = await import("dotenv");
    const changed = applied(reference, text, fields, parse);
    await root.writeFile(name, changed, { mode: info.mode & 0o7777 });
    // A file of another user's that root has changed stays theirs.
    if (process.getuid?.() === 0 && (info.uid !== 0 || info.gid !== 0)) {
      const opened = await root.open(name, "r");
      try {
        await opened.chown(info.uid, info.gid);
      } finally {
        await opened.close();
      }
    }
  } catch (error) {
    throw unwritable(reference, error);
  } finally {
    await root.close();
  }
}

/** The file that a reference leads to, also over links. */
export async function realFile({ path, base }: Reference): Promise<string> {
  try {
    return await realpath(base === undefined ? resolve(path) : resolve(base, path));
  } catch {
    throw new SecretError("FILE_NOT_FOUND", `${path} does not exist; check the path`);
  }
}

/** When `nopeek` wrote the key, in milliseconds since 1970. */
export function writtenAtMs(text: string, key: string): number | undefined {
  const ms = Date.parse(noteOf(key).exec(text)?.[1] ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

function fieldsOf({ text, field }: Reference, change: Change): Record<string, string | null> {
  if ("value" in change) {
    if (field === undefined || typeof change.value !== "string") {
      throw invalid(text, "a dotenv file holds keys with text; name one after #");
    }
    return { [field]: change.value };
  }
  if (change.mode === "replace") {
    throw invalid(text, "a dotenv file is changed key by key; use the mode merge");
  }
  return { ...change.fields };
}

type Parse = (text: string) => Record<string, string>;

function applied(
  { text: where }: Reference,
  before: string,
  fields: Readonly<Record<string, string | null>>,
  parse: Parse,
): string {
  const expected = new Map(Object.entries(parse(before)));
  let text = before;
  for (const [key, value] of Object.entries(fields)) {
    if (!/^[\w.-]+$/.test(key))
      throw invalid(where, "the name of a key holds letters, digits and _.-");
    if (value === null) expected.delete(key);
    else expected.set(key, value);
    text = withKey(where, text, key, value, parse);
  }
  // What dotenv would read now: neither more nor less than was meant.
  const found = parse(text);
  const isExact =
    Object.keys(found).length === expected.size &&
    [...expected].every(([key, value]) => Object.hasOwn(found, key) && found[key] === value);
  if (isExact) return text;
  throw invalid(
    where,
    "the file cannot take this change without changing another key; change it by hand",
  );
}

function withKey(
  where: string,
  text: string,
  key: string,
  value: string | null,
  parse: Parse,
): string {
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const line = value === null ? null : `${key}=${quoted(where, value, parse)}`;
  const note = `# nopeek: ${key} written ${new Date().toISOString()}`;
  let isWritten = false;
  const withoutNote = text.replace(new RegExp(`${noteOf(key).source}\\r?\\n?`, "m"), "");
  // All of them: dotenv takes the last, and an old value must not stay in the others.
  const changed = withoutNote.replace(assignment, (found, name: string, _, rest = "") => {
    if (name !== key) return found;
    const [lead = ""] = /^\s*/.exec(found) ?? [];
    if (line === null || isWritten) return lead;
    isWritten = true;
    return `${lead}${note}${end}${/^\s*export\s/.test(found) ? "export " : ""}${line}${rest.startsWith("#") ? ` ${rest}` : rest}`;
  });
  if (line === null || isWritten) return changed;
  const join = changed === "" || changed.endsWith("\n") ? "" : end;
  return `${changed}${join}${note}${end}${line}${end}`;
}

/** In the first quotes that dotenv gives back unchanged. */
function quoted(where: string, value: string, parse: Parse): string {
  for (const quote of ["", "'", '"', "`"]) {
    const written = `${quote}${value}${quote}`;
    const isBare = quote === "" && !/^[\w./:@+=-]+$/.test(value);
    if (!isBare && parse(`K=${written}\n`)["K"] === value) return written;
  }
  throw invalid(where, "the value cannot be written in any quotes of a dotenv file");
}

function unwritable({ path }: Reference, error: unknown): SecretError {
  if (error instanceof SecretError) return error;
  const why =
    error instanceof PathError
      ? error.message
      : ((error as NodeJS.ErrnoException | undefined)?.code ?? "no detail");
  return new SecretError(
    "SECRET_NOT_WRITABLE",
    `${path} cannot be written (${why}); check its owner and mode`,
  );
}

function invalid(where: string, why: string): SecretError {
  return new SecretError("SECRET_REQUEST_INVALID", `${where}: ${why}`);
}
