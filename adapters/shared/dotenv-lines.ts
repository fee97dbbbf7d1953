import { looksLikeName } from "../../src/secrets/index.ts";

/** An assignment as dotenv itself reads it: name, then the value with its quotes. */
export const assignment =
  /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?(\s*(?:#.*)?)$/gm;

/** What the lines of a dotenv file hold that dotenv does not read as it was meant. */
export interface LineFaults {
  /** The first line that goes on with a value, and the key of that: `null` if it is none to show. */
  readonly goesOn: { readonly key: string | null; readonly line: number } | undefined;
  /** Lines, from 1, that are no assignment, so that dotenv leaves them out. */
  readonly leftOut: readonly number[];
  /** The first line, from 1, of which the name is none to show. */
  readonly nameless: number | undefined;
}

/** Longer words without a `_` are no names; a tail of base64 may be one for dotenv. */
const maxWord = 40;
const maxNameLength = 128;

/** Whether the name of a key can be shown: others may be a part of a value. */
export function isShownName(name: string): boolean {
  return name.length <= maxNameLength && /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name);
}

/**
 * Finds values with line breaks that stand in no quotes: dotenv cuts them after the first line, leaves
 * out the others, and takes the end of wrapped base64, which is padded with `=`, for a name.
 */
export function lineFaults(text: string): LineFaults {
  const lines = text.split(/\r\n|\n|\r/);
  const found = assignmentsOf(text);
  const leftOut: number[] = [];
  let nameless: number | undefined;
  /** The unquoted assignment that stands right above. */
  let above: { readonly name: string; readonly value: string } | undefined;
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? "").trim();
    const given = found.get(index);
    if (given === undefined) {
      if (line === "" || line.startsWith("#")) above = undefined;
      else if (above !== undefined && isRest(line))
        return { ...faultAt(above.name, index), leftOut };
      else if (!isOfShell.test(line)) leftOut.push(index + 1);
      continue;
    }
    if (isTail(line, above?.value)) return { ...faultAt(above?.name, index), leftOut };
    if (!isShownName(given.name)) nameless ??= index + 1;
    // A comment below it may count as its end.
    above = given.isQuoted || given.lastLine > index ? undefined : given;
    index = given.lastLine;
  }
  return { goesOn: undefined, leftOut, nameless };
}

function faultAt(name: string | undefined, index: number) {
  const key = name !== undefined && isShownName(name) ? name : null;
  return { goesOn: { key, line: index + 1 }, nameless: undefined };
}

interface Assignment {
  readonly name: string;
  readonly value: string;
  readonly isQuoted: boolean;
  readonly lastLine: number;
}

/** By the index of the line that they begin in. */
function assignmentsOf(text: string): ReadonlyMap<number, Assignment> {
  const found = new Map<number, Assignment>();
  let line = 0;
  let counted = 0;
  const lineAt = (offset: number) => {
    line += text.slice(counted, offset).match(/\r\n|\n|\r/g)?.length ?? 0;
    counted = offset;
    return line;
  };
  for (const match of text.matchAll(assignment)) {
    const [whole, name = "", given = ""] = match;
    const begin = match.index + whole.length - whole.trimStart().length;
    const first = lineAt(begin);
    // dotenv looks for the = over line breaks as well: such a name is a line of something else.
    const isApart = /^(?:export\s+)?[\w.-]+[^\S\r\n]*[\r\n]/.test(whole.trimStart());
    const lastLine = lineAt(begin + whole.trim().length);
    const value = given.trim();
    const isQuoted = /^(['"`])[\s\S]*\1$/.test(value) && value.length > 1;
    if (!isApart) found.set(first, { name, value, isQuoted, lastLine });
  }
  return found;
}

/** What shells are told in files that they read as well; no value is lost with it. */
const isOfShell = /^(?:export(?:\s+[A-Za-z_]\w*)+|set\s+[-+]\w+)$/;

/** Whether a line that is no assignment goes on with a value, and is not an assignment gone wrong. */
function isRest(line: string): boolean {
  if (isOfShell.test(line) || /^(?:source|\.|unset)\s/.test(line)) return false;
  return !line.includes("=") || /^[\w+/-]+={1,2}$/.test(line);
}

/** Whether an assignment is the padded end of base64: nothing but that stands in the line. */
function isTail(line: string, above: string | undefined): boolean {
  const [, word = ""] = /^([A-Za-z0-9+/]+)={1,2}$/.exec(line) ?? [];
  if (word === "") return false;
  if (word.length > maxWord) return true;
  if (above === undefined || !isWrapped(above) || line.length > above.length) return false;
  if (line.length % 4 !== 0) return false;
  // The widths of base64(1) and of PEM; others may be the whole of a value.
  const isUsual = above.length === 76 || above.length === 64;
  return isUsual || line.endsWith("==") || !looksLikeName(word);
}

/** Whether a value may be a whole line of base64, and is no checksum. */
function isWrapped(value: string): boolean {
  const isLong = value.length >= maxWord && value.length % 4 === 0;
  return isLong && /^[A-Za-z0-9+/]+$/.test(value) && !/^[0-9a-fA-F]+$/.test(value);
}
