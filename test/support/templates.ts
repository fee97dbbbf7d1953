import { randomInt } from "node:crypto";

/** Makes text from a rule's template: `{A-Z*16}` is 16 random characters of the class. */
export function fromTemplate(template: string): string {
  return template.replace(/\{([^{}]+)\*(\d+)\}/g, (_, chars: string, count: string) => {
    const alphabet = alphabetOf(chars);
    return Array.from({ length: Number(count) }, () => alphabet[randomInt(alphabet.length)]).join(
      "",
    );
  });
}

function alphabetOf(chars: string): string[] {
  const alphabet: string[] = [];
  for (let i = 0; i < chars.length; i++) {
    const from = chars.charCodeAt(i);
    const isRange = chars[i + 1] === "-" && i + 2 < chars.length;
    const to = isRange ? chars.charCodeAt(i + 2) : from;
    for (let code = from; code <= to; code++) alphabet.push(String.fromCharCode(code));
    if (isRange) i += 2;
  }
  return alphabet;
}
