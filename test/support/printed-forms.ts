/**
 * How programs print a value, written without the code under test: by Node's own functions where
 * there is one, else by hand. The leak matrix is made of these.
 */
export interface PrintedForm {
  readonly title: string;
  /** The value it is tried with. */
  readonly value: "token" | "password" | "pem";
  readonly print: (value: string) => string;
}

const utf8 = (value: string) => Buffer.from(value);
const b64 = (value: string) => utf8(value).toString("base64");

const hexBytes = (value: string) =>
  [...utf8(value)].map((byte) => byte.toString(16).padStart(2, "0"));

/** Base64 of the value behind some bytes, cut to the characters that only the value decides. */
function base64Inside(value: string, before: number, after: number): string {
  const text = b64(`${"x".repeat(before)}${value}${"y".repeat(after)}`);
  const bits = (before + utf8(value).length) * 8;
  return text.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6));
}

const percentAll = (value: string, lower: boolean) =>
  encodeURIComponent(value)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%../g, (code) => (lower ? code.toLowerCase() : code));

const asciiJson = (value: string) =>
  JSON.stringify(value).replace(
    /[^ -~]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

const wrapped = (text: string, width: number) => text.match(new RegExp(`.{1,${width}}`, "g")) ?? [];
const middleLine = (pem: string) => pem.split("\n")[3] ?? "";

export const printedForms: readonly PrintedForm[] = [
  { title: "raw", value: "token", print: (v) => v },
  { title: "raw, with quotes, spaces and non-ASCII", value: "password", print: (v) => v },
  { title: "raw, several lines", value: "pem", print: (v) => v },
  { title: "several lines with CRLF", value: "pem", print: (v) => v.replaceAll("\n", "\r\n") },
  {
    title: "several lines joined by spaces",
    value: "pem",
    print: (v) => v.trim().replaceAll("\n", " "),
  },
  { title: "base64", value: "token", print: b64 },
  { title: "base64 of user:value", value: "token", print: (v) => base64Inside(v, 5, 0) },
  { title: "base64, one byte before it", value: "token", print: (v) => base64Inside(v, 1, 0) },
  {
    title: "base64, two bytes before and one after it",
    value: "token",
    print: (v) => base64Inside(v, 2, 1),
  },
  {
    title: "base64 behind other base64, with all characters that hold bits of it",
    value: "token",
    print: (v) => Buffer.from(`x${v}`).toString("base64").slice(1),
  },
  { title: "base64 of text with every kind of character", value: "password", print: b64 },
  { title: "base64url", value: "password", print: (v) => utf8(v).toString("base64url") },
  { title: "base64 in lines of 64", value: "pem", print: (v) => wrapped(b64(v), 64).join("\n") },
  {
    title: "base64 in lines of 76 with CRLF",
    value: "pem",
    print: (v) => wrapped(b64(v), 76).join("\r\n"),
  },
  {
    title: "base64 of more than the value, in lines of 76",
    value: "pem",
    print: (v) => wrapped(base64Inside(v, 40, 2), 76).join("\n"),
  },
  { title: "hex", value: "token", print: (v) => utf8(v).toString("hex") },
  {
    title: "hex, upper case",
    value: "password",
    print: (v) => utf8(v).toString("hex").toUpperCase(),
  },
  { title: "UTF-16", value: "token", print: (v) => [...v].join("\0") },
  { title: "hex with colons", value: "token", print: (v) => hexBytes(v).join(":") },
  { title: "hex with blanks", value: "password", print: (v) => hexBytes(v).join(" ") },
  {
    title: "list of byte values",
    value: "token",
    print: (v) => JSON.stringify([...utf8(v)]).slice(1, -1),
  },
  {
    title: "object of byte values",
    value: "token",
    print: (v) => JSON.stringify(Uint8Array.from(utf8(v))).slice(1, -1),
  },
  { title: "percent-encoded", value: "password", print: (v) => percentAll(v, false) },
  { title: "percent-encoded, lower case", value: "password", print: (v) => percentAll(v, true) },
  { title: "percent-encoded by encodeURIComponent", value: "password", print: encodeURIComponent },
  { title: "percent-encoded by encodeURI", value: "password", print: encodeURI },
  {
    title: "form-encoded",
    value: "password",
    print: (v) => percentAll(v, false).replaceAll("%20", "+"),
  },
  {
    title: "percent-encoded twice",
    value: "password",
    print: (v) => encodeURIComponent(percentAll(v, false)),
  },
  { title: "JSON string", value: "password", print: (v) => JSON.stringify(v).slice(1, -1) },
  {
    title: "JSON string of several lines",
    value: "pem",
    print: (v) => JSON.stringify(v).slice(1, -1),
  },
  { title: "JSON string, ASCII only", value: "password", print: (v) => asciiJson(v).slice(1, -1) },
  {
    title: "JSON in JSON",
    value: "password",
    print: (v) => JSON.stringify(JSON.stringify(v)).slice(3, -3),
  },
  {
    title: "JSON string with escaped slashes",
    value: "password",
    print: (v) => JSON.stringify(v).slice(1, -1).replaceAll("/", "\\/"),
  },
  {
    title: "Python repr",
    value: "password",
    print: (v) => v.replaceAll("\\", "\\\\").replaceAll("'", "\\'"),
  },
  { title: "Python repr of bytes", value: "password", print: pythonBytes },
  { title: "shell, single quotes", value: "password", print: (v) => v.replaceAll("'", "'\\''") },
  { title: "shell, double quotes", value: "password", print: (v) => v.replace(/[\\"$`]/g, "\\$&") },
  { title: "shell, $'...' quotes", value: "pem", print: (v) => v.replaceAll("\n", "\\n") },
  {
    title: "HTML",
    value: "password",
    print: (v) =>
      v
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
        .replaceAll('"', "&quot;")
        .replaceAll("'", "&#39;"),
  },
  { title: "one line of several", value: "pem", print: middleLine },
  {
    title: "cut by a terminal after 20 columns",
    value: "token",
    print: (v) => wrapped(v, 20).join("\n"),
  },
  { title: "cut by indented lines", value: "token", print: (v) => wrapped(v, 9).join("\n    ") },
  {
    title: "cut by a backslash at the end of the line",
    value: "token",
    print: (v) => wrapped(v, 15).join("\\\n"),
  },
  {
    title: "coloured from the middle on",
    value: "token",
    print: (v) => `${v.slice(0, 11)}\x1b[1;31m${v.slice(11)}`,
  },
  {
    title: "every character coloured",
    value: "token",
    print: (v) => [...v].join("\x1b[0m\x1b[38;5;9m"),
  },
];

function pythonBytes(value: string): string {
  let text = "";
  for (const byte of utf8(value)) {
    const character = String.fromCharCode(byte);
    if (byte > 0x7e || byte < 0x20) text += `\\x${byte.toString(16).padStart(2, "0")}`;
    else text += "\\'".includes(character) ? `\\${character}` : character;
  }
  return text;
}
