/**
 * The encodings in which programs print a value. Each function gives every variant that is in use;
 * equal ones are dropped later.
 */

export const base64Alphabet = "base64";

/** Six bits of which some are known: a character whose others belong to what stands beside the value. */
export interface KnownBits {
  readonly mask: number;
  readonly bits: number;
}

/** Base64 that depends on the value alone, and the characters beside it that hold some of its bits. */
export interface Base64Core {
  readonly text: string;
  readonly before: KnownBits | null;
  readonly after: KnownBits | null;
}

/** Base64 of the value at the three alignments that it can have inside longer data. */
export function base64Cores(bytes: Buffer): Base64Core[] {
  return [0, 1, 2].map((shift) => {
    const data = Buffer.concat([Buffer.alloc(shift), bytes]);
    const text = data.toString(base64Alphabet);
    const first = Math.ceil((shift * 8) / 6);
    const end = Math.floor((data.length * 8) / 6);
    // Bits of the character before that are the value's: its last ones; of the one behind, the first.
    const bitsBefore = first * 6 - shift * 8;
    const bitsAfter = data.length * 8 - end * 6;
    const maskAfter = 63 & ~(63 >> bitsAfter);
    return {
      text: text.slice(first, end),
      before: bitsBefore === 0 ? null : knownBits(text[first - 1], (1 << bitsBefore) - 1),
      after: bitsAfter === 0 ? null : knownBits(text[end], maskAfter),
    };
  });
}

function knownBits(character: string | undefined, mask: number): KnownBits {
  return { mask, bits: sextetOf((character ?? "A").charCodeAt(0)) & mask };
}

/** Whether a byte is a character of base64 with these bits. */
export function agrees(byte: number, { mask, bits }: KnownBits): boolean {
  const sextet = sextetOf(byte);
  return sextet !== -1 && (sextet & mask) === bits;
}

/** The six bits of a character of either base64 alphabet; -1 for another byte. */
function sextetOf(byte: number): number {
  return sextets[byte] as number;
}

const sextets = new Int8Array(256).fill(-1);
for (const alphabet of ["+/", "-_"]) {
  const all = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${alphabet}`;
  for (const [index, byte] of Buffer.from(all).entries()) sextets[byte] = index;
}

/** Text in the URL-safe alphabet of RFC 4648 section 5. */
export function urlSafe(text: string): string {
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

/**
 * UTF-16 as PowerShell's `>` writes it, in either byte order: the zero byte that one has at the start
 * and the other at the end is left to stand.
 */
export function utf16(text: string): Buffer[] {
  const bytes = Buffer.from(text, "utf16le");
  return [bytes.at(-1) === 0 ? bytes.subarray(0, -1) : bytes];
}

/** Longer values are printed as one kind of list at most: the others cost more than they find. */
const maxListedBytes = 256;

/** Lists of byte values: `104,117`, and of short values `68:75`, `68 75`, `104, 117`, `"0":104`. */
export function byteLists(bytes: Buffer): string[] {
  const decimal = Array.from(bytes, (byte) => String(byte));
  const lists = [decimal.join(",")];
  if (bytes.length > maxListedBytes) return lists;
  const hexBytes = Array.from(bytes, (byte) => hexByte(byte));
  const colons = hexBytes.join(":");
  lists.push(colons, colons.toUpperCase(), hexBytes.join(" "));
  const indexed = decimal.map((byte, index) => `"${index}":${byte}`);
  return [...lists, decimal.join(", "), indexed.join(",")];
}

/** Base64 broken into lines of 64 (PEM, openssl) or 76 characters (MIME, `base64`). */
export function base64Lines(bytes: Buffer): string[] {
  const text = bytes.toString(base64Alphabet);
  const variants: string[] = [];
  for (const width of [64, 76]) {
    if (text.length <= width) continue;
    const lines = text.match(new RegExp(`.{1,${width}}`, "g")) ?? [];
    variants.push(lines.join("\n"), lines.join("\r\n"));
  }
  return variants;
}

/** Hexadecimal in lower and upper case. */
export function hex(bytes: Buffer): string[] {
  const text = bytes.toString("hex");
  return [text, text.toUpperCase()];
}

/** The legacy `escape()` of JavaScript, for text beyond Latin-1. */
export function escapeSequences(text: string): string[] {
  return [
    text.replace(/[^A-Za-z0-9@*_+\-./]/g, (character) => {
      const code = character.charCodeAt(0);
      return code > 0xff
        ? `%u${code.toString(16).toUpperCase().padStart(4, "0")}`
        : `%${hexByte(code).toUpperCase()}`;
    }),
  ];
}

/**
 * JSON strings as JavaScript, Python (`ensure_ascii`), PHP (`\/`) and Go (`\u003c`) write them, up
 * to three levels deep, and as a string of a `repr`.
 */
export function json(text: string): string[] {
  const plain = inJson(text);
  const ascii = escapeNonAscii(plain, false);
  const php = ascii.replaceAll("/", "\\/");
  return [
    plain,
    ascii,
    escapeNonAscii(plain, true),
    plain.replaceAll("/", "\\/"),
    php,
    plain.replace(/[&<>]/g, (character) => `\\u00${hexByte(character.charCodeAt(0))}`),
    inJson(plain),
    inJson(ascii),
    inJson(inJson(plain)),
    inJson(inJson(ascii)),
    ...reprs(plain, controls),
    ...reprs(ascii, controls),
  ];
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escapeNonAscii(text: string, upper: boolean): string {
  return text.replace(/[\u007f-\uffff]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return `\\u${upper ? code.toUpperCase() : code}`;
  });
}

/** Python's `repr()` of text and of bytes, `ascii()`, with either quote escaped, and as JSON. */
export function python(bytes: Buffer, text: string | null): string[] {
  const variants = reprs(bytes.toString("latin1"), /[\0-\x1f\x7f-\xff]/g);
  if (text !== null) {
    variants.push(...reprs(text, controls));
    for (const repr of reprs(text, controls)) {
      variants.push(inJson(repr), escapeNonAscii(inJson(repr), false));
    }
    const ascii = escapeControls(text, controls).replace(/[\u0080-\u{10ffff}]/gu, pythonEscape);
    variants.push(ascii, ascii.replaceAll("'", "\\'"));
  }
  return variants;
}

const controls = /[\0-\x1f\x7f]/g;

function reprs(text: string, escaped: RegExp): string[] {
  const body = escapeControls(text, escaped);
  return [body, body.replaceAll("'", "\\'"), body.replaceAll('"', '\\"')];
}

/** `\xe4`, `\u20ac` or `\U0001f600`. */
function pythonEscape(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${hexByte(code)}`;
  return code <= 0xffff
    ? `\\u${code.toString(16).padStart(4, "0")}`
    : `\\U${code.toString(16).padStart(8, "0")}`;
}

function escapeControls(text: string, escaped: RegExp): string {
  const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return text.replaceAll("\\", "\\\\").replace(escaped, (character) => {
    return named[character] ?? `\\x${hexByte(character.charCodeAt(0))}`;
  });
}

/** Shell words: single quotes both ways, double quotes, backslashes (`printf %q`), `$'...'`. */
export function shell(text: string): string[] {
  const dollarQuoted = text
    .replace(/[\\']/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return [
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replace(/["\\$`]/g, "\\$&"),
    text.replace(/["\\$`!]/g, "\\$&"),
    text.replace(/[^A-Za-z0-9_.,:@%/+=\u0080-\u{10ffff}-]/gu, "\\$&"),
    dollarQuoted,
    dollarQuoted.replace(/[\u0080-\u{10ffff}]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `\\${byte.toString(8)}`).join(""),
    ),
  ];
}

/** HTML and XML text and attributes. */
export function html(text: string): string[] {
  const body = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const variants = [body];
  for (const double of ["&quot;", "&#34;"]) {
    for (const single of ["'", "&#39;", "&#x27;", "&apos;"]) {
      variants.push(body.replaceAll('"', double).replaceAll("'", single));
    }
  }
  return variants;
}

export function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
