import { commonKind } from "../../secrets/index.ts";
import { hasCrc32, hasGitLabCrc32 } from "./crc32.ts";
import { isPlaceholder } from "./placeholders.ts";
import type { Check, Confidence, Rule } from "./rule.ts";
import { hasEntropy, looksRandom } from "./variety.ts";

/** Says how sure a match is, by the text of its secret part; null if it is none. */
export type Judge = (text: string) => Confidence | null;

/**
 * A checksum says how sure a match is; it does not refuse one. Each answers null for text that holds
 * none.
 */
type Checksum = "crc32" | "gitlab-crc32";
const checksums: Readonly<Record<Checksum, (text: string) => boolean | null>> = {
  crc32: hasCrc32,
  "gitlab-crc32": (text) => (text.includes(".") ? hasGitLabCrc32(text) : null),
};

/** So much of a value shows whether it is random. A long one may hold the next, and that another one. */
const maxJudgedChars = 128;

/** The other checks refuse what does not pass. */
type Condition = (text: string) => boolean;
const conditions: Readonly<Record<Exclude<Check, object | Checksum>, Condition>> = {
  "mixed-case": (text) => {
    const body = text.replace(/^[A-Za-z0-9]{1,8}[-_]/, "");
    return /[a-z]/.test(body) && /[A-Z]/.test(body);
  },
  "letter-and-digit": (text) => /[A-Za-z]/.test(text) && /[0-9]/.test(text),
  uncommon: (text) => commonKind(text) === null,
  random: (text) => looksRandom(text.slice(0, maxJudgedChars)),
  varied: isVaried,
  literal: isLiteral,
  value: isValue,
  basic: isBasic,
  json: isJson,
  jwt: isJwt,
};

/** The checks that are words. */
export const checkNames: readonly string[] = [
  ...Object.keys(checksums),
  ...Object.keys(conditions),
];

/**
 * What a rule makes of a match. Its text has a character for each byte; of an overlong match it is the
 * first bytes.
 */
export function judgeOf({ checks = [], confidence = "format" }: Rule): Judge {
  const needed = checks.flatMap((check) => (isChecksum(check) ? [] : [conditionOf(check)]));
  const checksum = checks.find(isChecksum);
  return (text) => {
    for (const passes of needed) if (!passes(text)) return null;
    if (isPlaceholder(text)) return "placeholder";
    const isRight = checksum === undefined ? null : checksums[checksum](text);
    if (isRight === null) return confidence;
    return isRight ? "checksum" : "heuristic";
  };
}

function isChecksum(check: Check): check is Checksum {
  return typeof check === "string" && check in checksums;
}

function conditionOf(check: Exclude<Check, Checksum>): Condition {
  if (typeof check === "string") return conditions[check];
  if ("contains" in check) return (text) => text.includes(check.contains);
  return (text) => hasEntropy(text.slice(0, maxJudgedChars), check.entropy);
}

/** Templates, references, special tokens and masks begin with these. */
const reference =
  /^(?:[$<*[{`#]|%[({A-Z_s]|\.\.\.|\\|__|(?:env|os|process|args?|config|conf|settings|self|this|cfg|vars?|secrets?|inputs|params|opts?|options|arn|modal|aws-sm|gcp-sm|dotenv|local|module|data|steps|github|request|kwargs|getenv|getpass|input|str|len|type|lambda|vault|sm|op)[.:([])/i;
/** Code in the place of a value: a call, an index, an arrow. */
const code = /^[A-Za-z_][\w.]*[([]|=>|->|\]\(|[({[]$/;
/** One of these is in all code; most values have none. */
const codeSign = /[([{>]/;
const dottedName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/;
const noValue =
  /^(?:null|none|nil|undefined|true|false|not[ _-]?(?:set|found|given|provided)|unset|empty|missing|required|optional|redacted|filtered|hidden|masked|string|change[_-]?me|replace[_-]?me|todo|fixme|tbd|n\/a|dummy|fake|placeholder|x+|\*+|\.+|-+|_+)$/i;
/** What people write where a value belongs: "your-key-here", "<token>", "my_secret". */
const invitation =
  /^(?:your|(?:my|insert|enter|put|paste|add|replace|set|use|the|an?|some|change|type|example|sample|dummy|fake)[ _.-])[a-z _-]|[_ -]here$|^(?:api|access|secret|auth|hf|wandb)?[_-]?(?:key|token|secret|password|passwd|value)$/i;

function isLiteral(text: string): boolean {
  if (reference.test(text) || isCode(text) || noValue.test(text)) return false;
  if (isDottedName(text)) return false;
  if (text.length > maxJudgedChars) return true;
  return !(invitation.test(text) && !/\d{2}/.test(text));
}

function isDottedName(text: string): boolean {
  return text.includes(".") && dottedName.test(text) && !looksRandom(text);
}

function isCode(text: string): boolean {
  return codeSign.test(text.slice(0, maxJudgedChars)) && code.test(text);
}

/** Anything but a reference, code, or a word for nothing; an example such as `xxx` is a value too. */
function isValue(text: string): boolean {
  if (/^x{3,}$/i.test(text)) return true;
  return !isDottedName(text) && !reference.test(text) && !isCode(text) && !noValue.test(text);
}

/** The name of a type with a number in it, as `Str50Type`: its last word says so, as no password's does. */
const numberedType =
  /^(?:[A-Z][a-z]+){1,6}\d{1,4}(?:[A-Z][a-z]+){0,5}(?:Type|Form|Component|Field|Input|Model|Schema|Provider|Validator|Service|Request|Response|Config)$/;

/** A password: a sign or a digit beside letters, or letters of both cases; not an ordinary word. */
function isVaried(text: string): boolean {
  if (numberedType.test(text)) return false;
  return /[A-Za-z]/.test(text) && /[^A-Za-z_. -]/.test(text) && !/^[a-z]+[:,.)]$/i.test(text);
}

/** RFC 7617: base64 of `user:password`. */
function isBasic(text: string): boolean {
  return /^[\x20-\x7e]{0,255}:[\x20-\x7e]+$/.test(Buffer.from(text, "base64").toString("latin1"));
}

function isJson(text: string): boolean {
  return /^\{\s*"/.test(Buffer.from(text.slice(0, 16), "base64").toString("latin1"));
}

/** RFC 7515: the part before the first dot is a JSON object with `alg`. */
function isJwt(text: string): boolean {
  const begin = text.indexOf("eyJ");
  const header = text.slice(begin, text.indexOf("."));
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
    return typeof parsed === "object" && parsed !== null && "alg" in parsed;
  } catch {
    return false;
  }
}
