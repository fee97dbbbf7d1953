import type { Redactor } from "../redact/index.ts";

const literal = /"(?:[^"\\]|\\.)*"/g;

/**
 * A line of a logger without secrets. In JSON, an encoded value may have been escaped once more,
 * such as a shell-quoted one: text with escapes is looked at as it was before, too.
 */
export function maskLine(line: string, redactor: Redactor): string {
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
