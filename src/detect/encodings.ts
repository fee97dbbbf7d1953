/**
 * The encodings in which programs print a value. Each function gives every variant that is in use;
 * equal ones are dropped later.
 */

const base64Alphabet = "base64";

/**
 * Base64 of the value at the three alignments it can have inside longer data: the characters that
 * depend on the value alone, and, where the value ends the data, all up to the end.
 */
export function base64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const data = Buffer.concat([Buffer.alloc(before), bytes]);
    const text = data.toString(base64Alphabet).slice(Math.ceil((before * 8) / 6));
    const decided = Math.floor((data.length * 8) / 6) - Math.ceil((before * 8) / 6);
    return [text, text.replace(/=+$/, ""), text.slice(0, decided)];
  });
}

/** The same in the URL-safe alphabet of RFC 4648 section 5. */
export function base64url(bytes: Buffer): string[] {
  return base64(bytes).map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
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

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
/** What each function leaves as it is, beside letters and digits. */
const percentSafe = {
  rfc3986: unreserved,
  encodeURIComponent: `${unreserved}!'()*`,
  encodeURI: `${unreserved}!'()*;/?:@&=+$,#`,
  pythonQuote: `${unreserved}/`,
};

/** Percent-encoding as RFC 3986, browsers, Python and HTML forms (`+`) do it, and encoded twice. */
export function percent(bytes: Buffer): string[] {
  const variants: string[] = [];
  for (const safe of Object.values(percentSafe)) {
    const upper = percentEncode(bytes, safe);
    for (const text of [upper, lowerHex(upper)]) {
      variants.push(text, text.replaceAll("%20", "+"));
    }
  }
  const twice = percentEncode(bytes, percentSafe.rfc3986).replaceAll("%", "%25");
  variants.push(twice, lowerHex(twice));
  return variants;
}

function percentEncode(bytes: Buffer, safe: string): string {
  let text = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += safe.includes(character) ? character : `%${hexByte(byte).toUpperCase()}`;
  }
  return text;
}

function lowerHex(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

/** JSON strings as JavaScript, Python (`ensure_ascii`), PHP (`\/`) and Go (`<`) write them, and twice. */
export function json(text: string): string[] {
  const plain = inJson(text);
  const ascii = escapeNonAscii(plain, false);
  return [
    plain,
    ascii,
    escapeNonAscii(plain, true),
    plain.replaceAll("/", "\\/"),
    plain.replace(/[&<>]/g, (character) => `\\u00${hexByte(character.charCodeAt(0))}`),
    inJson(plain),
    inJson(ascii),
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

/** Python's `repr()` of text and of bytes, with either quote escaped. */
export function python(bytes: Buffer, text: string | null): string[] {
  const variants: string[] = [];
  const bodies = [escapeControls(bytes.toString("latin1"), /[\0-\x1f\x7f-\xff]/g)];
  if (text !== null) bodies.push(escapeControls(text, /[\0-\x1f\x7f]/g));
  for (const body of bodies) {
    variants.push(body, body.replaceAll("'", "\\'"), body.replaceAll('"', '\\"'));
  }
  return variants;
}

function escapeControls(text: string, controls: RegExp): string {
  const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return text.replaceAll("\\", "\\\\").replace(controls, (character) => {
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

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
