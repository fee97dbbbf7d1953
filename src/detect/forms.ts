import { maskOf, minMaskedBytes, plainReason, type Secret } from "../secrets/index.ts";
import * as encode from "./encodings.ts";

/** A value, ready to be encoded. `text` is null for bytes that are not UTF-8. */
interface Value {
  readonly bytes: Buffer;
  readonly text: string | null;
}

/** One way a value can stand in text. */
export interface Form {
  readonly id: FormId;
  /** For the table in the README. */
  readonly title: string;
  /** Every variant of the form; those that equal an earlier form are dropped. */
  readonly variants: (value: Value) => readonly (string | Buffer)[];
}

export type FormId =
  | "raw"
  | "base64"
  | "base64url"
  | "base64-lines"
  | "hex"
  | "percent"
  | "json"
  | "python"
  | "shell"
  | "html"
  | "line"
  | "leaf";

const ofText =
  (variants: (text: string) => readonly string[]) =>
  ({ text }: Value): readonly string[] =>
    text === null ? [] : variants(text);

/** The forms of a whole value: strong when the value is. */
export const wholeForms: readonly Form[] = [
  { id: "raw", title: "as it is, with CRLF, on one line, trimmed", variants: rawVariants },
  {
    id: "base64",
    title: "base64, at the three alignments inside longer data",
    variants: ({ bytes }) => encode.base64(bytes),
  },
  {
    id: "base64url",
    title: "base64url, at the three alignments",
    variants: ({ bytes }) => encode.base64url(bytes),
  },
  {
    id: "base64-lines",
    title: "base64 broken into lines of 64 or 76",
    variants: ({ bytes }) => encode.base64Lines(bytes),
  },
  {
    id: "hex",
    title: "hexadecimal, lower and upper case",
    variants: ({ bytes }) => encode.hex(bytes),
  },
  {
    id: "percent",
    title: "percent-encoded (URL, form, Python), lower and upper case, twice",
    variants: ({ bytes }) => encode.percent(bytes),
  },
  { id: "json", title: "JSON string, ASCII-only, JSON in JSON", variants: ofText(encode.json) },
  {
    id: "python",
    title: "Python repr of text and bytes",
    variants: ({ bytes, text }) => encode.python(bytes, text),
  },
  { id: "shell", title: "shell-quoted, five ways", variants: ofText(encode.shell) },
  { id: "html", title: "HTML and XML escaped", variants: ofText(encode.html) },
];

/** The forms of parts of a value: always weak. */
export const partForms: readonly Form[] = [
  { id: "line", title: "each line of a multi-line value", variants: ofText(lines) },
  {
    id: "leaf",
    title: "text leaves of a JSON value and the password of a URL, in every form above",
    variants: leafVariants,
  },
];

/** A form of a secret, as the bytes to look for. */
export interface Needle {
  readonly bytes: Buffer;
  readonly form: FormId;
  /** The whole value, long and varied enough that it does not occur by chance. */
  readonly strong: boolean;
  readonly secret: NeedleSource;
}

/** What a finding may say of a secret. */
export interface NeedleSource {
  readonly name: string | undefined;
  readonly mask: string;
  readonly fingerprint: string;
}

const minStrongBytes = 12;
const minStrongBitsPerByte = 3;
/** Encoded forms of shorter values are so short that they occur by chance. */
const minEncodedValueBytes = 6;
const minLineBytes = 12;
const minLeafBytes = 8;
/** Every form of larger values would cost too much memory. */
const maxFullBytes = 64 * 1024;
const formsOfLarge: ReadonlySet<FormId> = new Set(["raw", "base64", "json", "line"]);
const maxLeaves = 1000;

/**
 * Every form of a secret, without duplicates; of a value above 64 KiB only raw, base64, JSON and its
 * lines.
 *
 * @returns Nothing for a value below 4 bytes: it would mask half of every text.
 */
export function needlesOf(secret: Secret): Needle[] {
  const bytes = Buffer.from(secret.revealBytes());
  const source = {
    name: secret.name,
    mask: maskOf(secret.name),
    fingerprint: secret.fingerprint,
  };
  const strong = isStrong(bytes);
  const seen = new Set<string>();
  const needles: Needle[] = [];
  const value = toValue(bytes);
  for (const form of [...wholeForms, ...partForms]) {
    const whole = wholeForms.includes(form);
    if (form.id !== "raw" && bytes.length < minEncodedValueBytes) continue;
    if (bytes.length > maxFullBytes && !formsOfLarge.has(form.id)) continue;
    for (const variant of form.variants(value)) {
      const needle = Buffer.from(variant as string);
      const key = needle.toString("latin1");
      if (needle.length < minMaskedBytes || isBlank(key) || seen.has(key)) continue;
      seen.add(key);
      needles.push({ bytes: needle, form: form.id, strong: whole && strong, secret: source });
    }
  }
  return needles;
}

/** At least 12 bytes and 3 bits of Shannon entropy a byte. */
function isStrong(bytes: Buffer): boolean {
  if (bytes.length < minStrongBytes) return false;
  const counts = new Map<number, number>();
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= (count / bytes.length) * Math.log2(count / bytes.length);
  return bits >= minStrongBitsPerByte;
}

function toValue(bytes: Buffer): Value {
  const text = bytes.toString("utf8");
  return { bytes, text: Buffer.from(text).equals(bytes) ? text : null };
}

function isBlank(latin1: string): boolean {
  return latin1.trim() === "";
}

function rawVariants({ bytes, text }: Value): readonly (string | Buffer)[] {
  if (text === null) return [bytes];
  const trimmed = text.trim();
  const variants = trimmed.length < minLeafBytes ? [text] : [text, trimmed];
  return variants.flatMap((variant) => {
    if (!/[\r\n]/.test(variant)) return [variant];
    const parts = variant.split(/\r*\n/);
    return [variant, ...["\n", "\r\n", " ", ""].map((separator) => parts.join(separator))];
  });
}

function lines(text: string): readonly string[] {
  if (!/[\r\n]/.test(text)) return [];
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => isTelling(line, minLineBytes) && !/^-----(?:BEGIN|END) /.test(line));
}

function leafVariants({ text }: Value): readonly (string | Buffer)[] {
  if (text === null) return [];
  const leaves = [...jsonLeaves(text), ...urlPasswords(text)];
  return leaves.flatMap((leaf) => {
    const value = { bytes: Buffer.from(leaf), text: leaf };
    return [...wholeForms.flatMap((form) => form.variants(value)), ...lines(leaf)];
  });
}

/** Keys of service account files whose values are no secrets. */
const publicKeys = /^(?:type|project_id|client_email|.*_uri|.*_url)$/;

function jsonLeaves(text: string): string[] {
  if (!/^\s*[[{]/.test(text)) return [];
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return [];
  }
  const leaves: string[] = [];
  const stack: unknown[] = [document];
  while (stack.length > 0 && leaves.length < maxLeaves) {
    const node = stack.pop();
    if (typeof node === "string") {
      if (isTelling(node, minLeafBytes)) leaves.push(node);
    } else if (typeof node === "object" && node !== null) {
      for (const [key, child] of Object.entries(node)) if (!publicKeys.test(key)) stack.push(child);
    }
  }
  return leaves;
}

/** The password of `scheme://user:password@host`, as written and percent-decoded. */
function urlPasswords(text: string): string[] {
  const password = /^\s*[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:([^\s/?#]+)@/i.exec(text)?.[1];
  if (password === undefined) return [];
  const passwords = [password];
  try {
    passwords.push(decodeURIComponent(password));
  } catch {
    // Not percent-encoded: taken as written.
  }
  return passwords.filter((leaf) => isTelling(leaf, minLeafBytes));
}

function isTelling(text: string, minBytes: number): boolean {
  return Buffer.byteLength(text) >= minBytes && plainReason(text) === null;
}
