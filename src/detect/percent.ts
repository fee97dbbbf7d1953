/** Percent-encoding (RFC 3986): every program leaves other characters as they are. */
import { type Base64Core, base64Alphabet, base64Cores, hexByte } from "./encodings.ts";

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/** What each encoder leaves as it is. */
const percentSafe = {
  /** RFC 3986, "unreserved". */
  rfc3986: `${alphanumeric}-_.~`,
  encodeURIComponent: `${alphanumeric}-_.~!'()*`,
  encodeURI: `${alphanumeric}-_.~!'()*;/?:@&=+$,#`,
  /** Python's `quote`, and `urlencode` with `+`. */
  pythonQuote: `${alphanumeric}-_.~/`,
  /** HTML forms and `URLSearchParams`: the URL standard's application/x-www-form-urlencoded. */
  form: `${alphanumeric}-_.*`,
  /** `url.password`: the URL standard's userinfo set, which leaves "%" alone. */
  userinfo: `${alphanumeric}-_.~!$%&'()*+,`,
  /** `url.search` of http URLs: the special-query set. */
  query: `${alphanumeric}-_.~!$%&()*+,/:;=?@[\\]^\`{|}`,
  /** The legacy `escape()`. */
  escape: `${alphanumeric}@*_+-./`,
};

/**
 * Percent-encoding as browsers, Python and HTML forms (`+`) do it, and encoded twice by the same
 * encoder.
 */
export function percent(bytes: Buffer): string[] {
  const once: string[] = [];
  const twice: string[] = [];
  for (const safe of Object.values(percentSafe)) {
    const upper = percentEncode(bytes, safe);
    for (const [text, plus] of [
      [upper, "%2B"],
      [lowerHex(upper), "%2b"],
    ] as const) {
      const form = text.replaceAll("%20", "+");
      once.push(text, form);
      // What leaves "%" alone gives the same again.
      if (safe.includes("%")) continue;
      twice.push(text.replaceAll("%", "%25"));
      const formTwice = form.replaceAll("%", "%25");
      twice.push(safe.includes("+") ? formTwice : formTwice.replaceAll("+", plus));
    }
  }
  return [...once, ...new Set(twice)];
}

/** Base64 in a query: its +, / and = are encoded. */
export function percentBase64(bytes: Buffer): (string | Base64Core)[] {
  const encoded = (text: string) => {
    const upper = percentEncode(Buffer.from(text), percentSafe.rfc3986);
    return [upper, lowerHex(upper)];
  };
  return [
    ...encoded(bytes.toString(base64Alphabet)),
    ...base64Cores(bytes).flatMap((core) => encoded(core.text).map((text) => ({ ...core, text }))),
  ];
}

function percentEncode(bytes: Buffer, safe: string): string {
  return bytes
    .toString("latin1")
    .replace(outside(safe), (character) => percentCodes[character.charCodeAt(0)] as string);
}

const percentCodes = Array.from({ length: 256 }, (_, byte) => `%${hexByte(byte).toUpperCase()}`);
const patterns = new Map<string, RegExp>();

/** Every character but these. */
function outside(safe: string): RegExp {
  const known = patterns.get(safe);
  if (known !== undefined) return known;
  const pattern = new RegExp(`[^${safe.replace(/[\\\]^-]/g, "\\$&")}]`, "g");
  patterns.set(safe, pattern);
  return pattern;
}

function lowerHex(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}
