import { base36Crc32, base62Crc32 } from "./crc32.ts";

/** What a template can do with the text in its braces. */
const functions: Readonly<Record<string, (text: string) => string>> = {
  base64: (text) => Buffer.from(text, "latin1").toString("base64"),
  base64url: (text) => Buffer.from(text, "latin1").toString("base64url"),
  crc32: (text) => text + base62Crc32(text.slice(text.indexOf("_") + 1)),
  "gitlab-crc32": (text) => text + base36Crc32(text),
};

/**
 * Makes text from a template of an example, so that no credential stands in a file:
 *
 * - `{A-Z0-9*16}`: 16 random characters of the class.
 * - `{=base64 TEMPLATE}`, `{=base64url TEMPLATE}`: its encoding.
 * - `{=crc32 TEMPLATE}`, `{=gitlab-crc32 TEMPLATE}`: the text with its checksum behind it.
 * - any other brace: itself.
 *
 * @param below - Gives a whole number from 0 to one less than its argument.
 *
 * @example
 * expandTemplate("acme_{a-f0-9*32}", (count) => randomInt(count));
 */
export function expandTemplate(template: string, below: (count: number) => number): string {
  let made = "";
  for (let at = 0; at < template.length; at++) {
    const end = template[at] === "{" ? closingOf(template, at) : -1;
    const inner = end === -1 ? "" : template.slice(at + 1, end);
    const run = /^([^{}]+)\*(\d{1,5})$/.exec(inner);
    const call = /^=([a-z0-9-]+) /.exec(inner);
    const apply = call === null ? undefined : functions[call[1] ?? ""];
    if (run !== null) {
      made += randomText(run[1] ?? "", Number(run[2]), below);
      at = end;
    } else if (call !== null && apply !== undefined) {
      made += apply(expandTemplate(inner.slice(call[0].length), below));
      at = end;
    } else {
      made += template[at];
    }
  }
  return made;
}

/** The brace that closes the one at `from`; -1 if none does. */
function closingOf(template: string, from: number): number {
  let depth = 0;
  for (let i = from; i < template.length; i++) {
    if (template[i] === "{") depth++;
    if (template[i] === "}" && --depth === 0) return i;
  }
  return -1;
}

function randomText(chars: string, length: number, below: (count: number) => number): string {
  const alphabet: string[] = [];
  for (let i = 0; i < chars.length; i++) {
    const from = chars.charCodeAt(i);
    const isRange = chars[i + 1] === "-" && i + 2 < chars.length;
    const to = isRange ? chars.charCodeAt(i + 2) : from;
    for (let code = from; code <= to; code++) alphabet.push(String.fromCharCode(code));
    if (isRange) i += 2;
  }
  return Array.from({ length }, () => alphabet[below(alphabet.length)]).join("");
}
