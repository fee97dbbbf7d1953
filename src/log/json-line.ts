import type { Redactor } from "../redact/index.ts";

/** A string, also one that lacks its end. */
const literal = /"[^"\\]*(?:\\[\s\S]?[^"\\]*)*"?/y;

/**
 * A line of a logger without secrets. In JSON, an encoded value may have been escaped once more,
 * such as a shell-quoted one: text with escapes is looked at as it was before, too.
 */
export function maskLine(line: string, redactor: Redactor): string {
  const masked = redactor.redact(line.includes("\\") ? maskEscaped(line, redactor) : line);
  return masked !== line && line.startsWith("{") ? withQuotes(masked) : masked;
}

/**
 * Masks what is found in strings once their escapes are undone. A string is looked for only around a
 * backslash: the last quote before the first one begins it, in text of which only a part is JSON too.
 * Linear: in what turned out to be no string, quotes that are escaped are skipped, and no other one
 * stands there.
 */
function maskEscaped(line: string, redactor: Redactor): string {
  const parts: string[] = [];
  let taken = 0;
  let at = 0;
  let readTo = 0;
  for (let slash = line.indexOf("\\"); slash !== -1; slash = line.indexOf("\\", at)) {
    const start = at + line.slice(at, slash).lastIndexOf('"');
    if (start < at) {
      at = slash < readTo ? slash + 2 : slash + 1;
      continue;
    }
    const quoted = stringAt(line, start);
    readTo = start + quoted.length;
    const text = parsed(quoted);
    at = text === null ? slash + 2 : readTo;
    const masked = text === null ? null : redactor.redact(text);
    if (masked === text) continue;
    parts.push(line.slice(taken, start), JSON.stringify(masked));
    taken = readTo;
  }
  return taken === 0 ? line : parts.join("") + line.slice(taken);
}

function stringAt(line: string, start: number): string {
  literal.lastIndex = start;
  return literal.exec(line)?.[0] ?? "";
}

/** The text of a JSON string; `null` where quotes stand for something else. */
function parsed(quoted: string): string | null {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return null;
  }
}

/** A string, which may lack its end, or a run of masks and of what may stand in a number or word. */
const token = /"[^"\\]*(?:\\[\s\S]?[^"\\]*)*"?|(?:\[REDACTED[^[\]"]*\]|[-+.\w])+/g;

/** JSON whose masks in place of numbers became strings; the line as it is where that is no JSON. */
function withQuotes(line: string): string {
  let isQuoted = false;
  const quoted = line.replace(token, (text, at: number) => {
    if (text.startsWith('"') || !text.includes("[")) return text;
    isQuoted = true;
    const string = JSON.stringify(text);
    // Bytes that were listed as properties.
    return line[at - 1] === "{" ? `${string}:${string}` : string;
  });
  return isQuoted && isJson(quoted) ? quoted : line;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
