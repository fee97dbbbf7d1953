import type { Redactor } from "../redact/index.ts";

/** A string, also one that lacks its end: looked for again from each quote in it, it would cost the square. */
const literal = /"[^"\\]*(?:\\[\s\S]?[^"\\]*)*"?/g;

/**
 * A line of a logger without secrets. In JSON, an encoded value may have been escaped once more,
 * such as a shell-quoted one: text with escapes is looked at as it was before, too.
 */
export function maskLine(line: string, redactor: Redactor): string {
  const masked = maskText(line, redactor);
  return masked !== line && line.startsWith("{") ? withQuotes(masked) : masked;
}

function maskText(line: string, redactor: Redactor): string {
  if (!line.includes("\\")) return redactor.redact(line);
  const unescaped = line.replace(literal, (quoted) => {
    if (!quoted.includes("\\")) return quoted;
    const text = parsed(quoted);
    const clean = text === null ? null : redactor.redact(text);
    return clean === text ? quoted : JSON.stringify(clean);
  });
  return redactor.redact(unescaped);
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
