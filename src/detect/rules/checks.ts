import { plainReason } from "../../secrets/index.ts";
import { hasCrc32, hasGitLabCrc32 } from "./crc32.ts";
import { isPlaceholder } from "./placeholders.ts";
import type { Check, Confidence, Rule } from "./rule.ts";
import { entropyOf, looksRandom } from "./variety.ts";

/** A checksum says how sure a match is; it does not refuse one. */
type Checksum = "crc32" | "gitlab-crc32";
const checksums: Readonly<Record<Checksum, (text: string) => boolean>> = {
  crc32: hasCrc32,
  "gitlab-crc32": hasGitLabCrc32,
};

/** The other checks refuse what does not pass. */
const conditions: Readonly<Record<Exclude<Check, object | Checksum>, (text: string) => boolean>> = {
  "mixed-case": (text) => {
    const body = text.replace(/^[A-Za-z0-9]{1,8}[-_]/, "");
    return /[a-z]/.test(body) && /[A-Z]/.test(body);
  },
  "letter-and-digit": (text) => /[A-Za-z]/.test(text) && /[0-9]/.test(text),
  uncommon: (text) => {
    const reason = plainReason(Buffer.from(text, "latin1"));
    return reason === null || reason === "short";
  },
  random: looksRandom,
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
 * Says how sure a match of a rule is, or null if it is none.
 *
 * @param bytes - The secret part; of an overlong one its first bytes.
 */
export function confidenceOf(rule: Rule, bytes: Buffer): Confidence | null {
  const text = bytes.toString("latin1");
  let confidence: Confidence = rule.confidence ?? "format";
  for (const check of rule.checks ?? []) {
    if (check === "crc32" || check === "gitlab-crc32") {
      if (check === "crc32" || text.includes(".")) {
        confidence = checksums[check](text) ? "checksum" : "heuristic";
      }
    } else if (!passes(check, text)) {
      return null;
    }
  }
  return isPlaceholder(text) ? "placeholder" : confidence;
}

function passes(check: Exclude<Check, Checksum>, text: string): boolean {
  if (typeof check === "object") {
    return "contains" in check ? text.includes(check.contains) : entropyOf(text) >= check.entropy;
  }
  return conditions[check](text);
}

/** Templates, references, special tokens and masks begin with these. */
const reference =
  /^(?:[$<*[{`#]|%[({A-Z_s]|\.\.\.|\\|__|(?:env|os|process|args?|config|conf|settings|self|this|cfg|vars?|secrets?|inputs|params|opts?|options|arn|modal|aws-sm|gcp-sm|dotenv|local|module|data|steps|github|request|kwargs|getenv|getpass|input|str|len|type|lambda|vault|sm|op)[.:([])/i;
/** Code in the place of a value: a call, an index, an arrow. */
const code = /^[A-Za-z_][\w.]*[([]|=>|->|\]\(|[({[]$/;
const dottedName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/;
const noValue =
  /^(?:null|none|nil|undefined|true|false|not[ _-]?(?:set|found|given|provided)|unset|empty|missing|required|optional|redacted|filtered|hidden|masked|string|change[_-]?me|replace[_-]?me|todo|fixme|tbd|n\/a|dummy|fake|placeholder|x+|\*+|\.+|-+|_+)$/i;
/** What people write where a value belongs: "your-key-here", "<token>", "my_secret". */
const invitation =
  /^(?:your|(?:my|insert|enter|put|paste|add|replace|set|use|the|an?|some|change|type|example|sample|dummy|fake)[ _.-])[a-z _-]|[_ -]here$|^(?:api|access|secret|auth|hf|wandb)?[_-]?(?:key|token|secret|password|passwd|value)$/i;

function isLiteral(text: string): boolean {
  if (reference.test(text) || code.test(text) || noValue.test(text)) return false;
  if (dottedName.test(text) && !looksRandom(text)) return false;
  return !(invitation.test(text) && !/\d{2}/.test(text));
}

/** Anything but a reference, code, or a word for nothing; an example such as `xxx` is a value too. */
function isValue(text: string): boolean {
  if (/^x{3,}$/i.test(text)) return true;
  const isDotted = dottedName.test(text) && !looksRandom(text);
  return !isDotted && !reference.test(text) && !code.test(text) && !noValue.test(text);
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
