import { maskOf, minMaskedBytes, type Secret } from "../secrets/index.ts";
import * as encode from "./encodings.ts";
import { credentialParts, isTelling, jsonLeaves, minLeafBytes } from "./leaves.ts";
import { percent, percentBase64 } from "./percent.ts";

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
  readonly variants: (value: Value) => readonly Variant[];
}

type Variant = string | Buffer | encode.Base64Core;

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
  | "utf16"
  | "bytes"
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
    variants: ({ bytes }) => encode.base64Cores(bytes),
  },
  {
    id: "base64url",
    title: "base64url, at the three alignments",
    variants: ({ bytes }) =>
      encode.base64Cores(bytes).map((core) => ({ ...core, text: encode.urlSafe(core.text) })),
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
    title: "percent-encoded (URL, form, Python, escape), lower and upper case, twice",
    variants: ({ bytes, text }) => [
      ...percent(bytes),
      ...percentBase64(bytes),
      ...(text === null ? [] : encode.escapeSequences(text)),
    ],
  },
  { id: "json", title: "JSON string, ASCII-only, JSON in JSON", variants: ofText(encode.json) },
  {
    id: "python",
    title: "Python repr of text and bytes",
    variants: ({ bytes, text }) => encode.python(bytes, text),
  },
  { id: "shell", title: "shell-quoted, five ways", variants: ofText(encode.shell) },
  { id: "html", title: "HTML and XML escaped", variants: ofText(encode.html) },
  {
    id: "utf16",
    title: "UTF-16, little-endian and big-endian",
    variants: ({ text }) => (text === null ? [] : encode.utf16(text)),
  },
  {
    id: "bytes",
    title: "lists of byte values, hexadecimal and decimal",
    variants: ({ bytes }) => (bytes.length > maxListedBytes ? [] : encode.byteLists(bytes)),
  },
];

/** The forms of parts of a value: always weak. */
export const partForms: readonly Form[] = [
  { id: "line", title: "each line of a multi-line value", variants: ofText(lines) },
  {
    id: "leaf",
    title:
      "text leaves of a JSON value, passwords of URLs and connection strings, in every form above",
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
  /** The base64 characters beside a match that hold some of the value's bits. */
  readonly before: encode.KnownBits | undefined;
  readonly after: encode.KnownBits | undefined;
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
/** Every form of larger values would cost too much memory. */
const maxFullBytes = 64 * 1024;
const formsOfLarge: ReadonlySet<FormId> = new Set(["raw", "base64", "json", "line"]);
/** Lists of bytes are up to eight times as long as the value. */
const maxListedBytes = 4096;
const maxWrappedBlanks = 16;

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
  // Most variants equal the value: these are known as texts, and the others as their bytes.
  const seenTexts = new Set<string>();
  const seen = new Set<string>();
  const needles: Needle[] = [];
  const add = (variant: Variant, form: FormId, strong: boolean) => {
    const core = typeof variant === "object" && "text" in variant ? variant : null;
    const given = core?.text ?? (variant as string | Buffer);
    if (typeof given === "string") {
      if (seenTexts.has(given)) return;
      seenTexts.add(given);
    }
    const needle = Buffer.from(given as string);
    // Of ASCII alone the text is as long as its bytes, and the same in Latin-1.
    const isAscii = typeof given === "string" && given.length === needle.length;
    const key = isAscii ? given : needle.toString("latin1");
    if (needle.length < minMaskedBytes || key.trim() === "" || seen.has(key)) return;
    seen.add(key);
    const before = core?.before ?? undefined;
    const after = core?.after ?? undefined;
    needles.push({ bytes: needle, form, strong, secret: source, before, after });
  };
  for (const value of withoutEdges(toValue(bytes))) {
    const strong = isStrong(value.bytes);
    for (const form of formsFor(wholeForms, value)) {
      for (const variant of form.variants(value)) add(variant, form.id, strong);
    }
  }
  const value = toValue(bytes);
  for (const form of formsFor(partForms, value)) {
    for (const variant of form.variants(value)) add(variant, form.id, false);
  }
  return needles;
}

function formsFor(forms: readonly Form[], { bytes }: Value): readonly Form[] {
  if (bytes.length < minEncodedValueBytes) return forms.filter(({ id }) => id === "raw");
  if (bytes.length > maxFullBytes) return forms.filter(({ id }) => formsOfLarge.has(id));
  return forms;
}

/** The value, and what is left of it without blanks at its edges: programs strip what they read. */
function withoutEdges(value: Value): Value[] {
  if (value.text === null) return [value];
  const texts = new Set([value.text, value.text.trimEnd(), value.text.trim()]);
  const [whole = value.text, ...stripped] = texts;
  return [whole, ...stripped.filter((text) => Buffer.byteLength(text) >= minLeafBytes)].map(
    (text) => ({ bytes: Buffer.from(text), text }),
  );
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

function rawVariants({ bytes, text }: Value): readonly (string | Buffer)[] {
  if (text === null) return [bytes];
  if (!/[\r\n]/.test(text)) return [text, ...wordWrapped(text)];
  const parts = text.split(/\r*\n/);
  return [text, ...["\n", "\r\n", " ", ""].map((separator) => parts.join(separator))];
}

/**
 * A value with blanks that is wrapped at one of them: the line break stands in its place, and the
 * unwrapped view has neither.
 */
function wordWrapped(text: string): string[] {
  const blanks = [...text.matchAll(/ /g)].map(({ index }) => index);
  if (blanks.length > maxWrappedBlanks) return [];
  return blanks.map((at) => text.slice(0, at) + text.slice(at + 1));
}

function lines(text: string): readonly string[] {
  if (!/[\r\n]/.test(text)) return [];
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => isTelling(line, minLineBytes) && !/^-----(?:BEGIN|END) /.test(line));
}

function leafVariants({ text }: Value): readonly Variant[] {
  if (text === null) return [];
  const leaves = [...jsonLeaves(text), ...credentialParts(text)];
  return leaves.flatMap((leaf) => {
    const values = withoutEdges({ bytes: Buffer.from(leaf), text: leaf });
    // A document that is written anew and encoded holds the leaf as JSON wrote it.
    const escaped = JSON.stringify(leaf).slice(1, -1);
    return [
      ...values.flatMap((value) => wholeForms.flatMap((form) => form.variants(value))),
      ...(escaped === leaf ? [] : encode.base64Cores(Buffer.from(escaped))),
      ...lines(leaf),
    ];
  });
}
