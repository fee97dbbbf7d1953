import { plainReason } from "../../secrets/index.ts";
import { hasCrc32 } from "./crc32.ts";
import type { Check, Confidence, Rule } from "./rule.ts";

/** Longer matches, such as private keys, are no examples of a format. */
const maxExampleBytes = 256;

/** What vendors and people write in place of a value. */
const examples =
  /EXAMPLE|example|YOUR[_-]|your[_-]|_HERE|PLACEHOLDER|placeholder|REDACTED|xxxx|XXXX|\*\*\*\*|abcdefghij|ABCDEFGHIJ|1234567890|0123456789/;
const exampleRun = 10;

function isExample(text: string): boolean {
  if (text.length > maxExampleBytes) return false;
  let run = 1;
  for (let i = 1; i < text.length; i++) {
    run = text.charCodeAt(i) === text.charCodeAt(i - 1) ? run + 1 : 1;
    if (run === exampleRun) return true;
  }
  return examples.test(text);
}

/** Templates, references and code in the place of a value. */
const references =
  /^(?:[$<*[{`]|%[({A-Z_]|\.\.\.|(?:env|os|process|args|config|self|cfg|vars?|secrets?|inputs|arn|modal|aws-sm|gcp-sm|dotenv)[.:(])/;

/**
 * Says how sure a match of a rule is, or null if it is none.
 *
 * @param bytes - The secret part; of an overlong one its first bytes.
 */
export function confidenceOf(rule: Rule, bytes: Buffer): Confidence | null {
  const text = bytes.toString("latin1");
  let confidence: Confidence = rule.confidence ?? "format";
  for (const check of rule.checks ?? []) {
    if (check === "crc32") confidence = hasCrc32(text) ? "checksum" : "heuristic";
    else if (!passes(check, text)) return null;
  }
  return isExample(text) ? "placeholder" : confidence;
}

function passes(check: Exclude<Check, "crc32">, text: string): boolean {
  if (typeof check === "object") {
    return "contains" in check ? text.includes(check.contains) : entropyOf(text) >= check.entropy;
  }
  return named[check](text);
}

const named: Readonly<Record<Exclude<Check, object | "crc32">, (text: string) => boolean>> = {
  "mixed-case": (text) => /[a-z]/.test(text) && /[A-Z]/.test(text),
  "letter-and-digit": (text) => /[A-Za-z]/.test(text) && /[0-9]/.test(text),
  uncommon: (text) => {
    const reason = plainReason(Buffer.from(text, "latin1"));
    return (reason === null || reason === "short") && !references.test(text);
  },
  jwt: isJwt,
};

const counts = new Int32Array(256);

/** Bits a byte, by Shannon. */
function entropyOf(text: string): number {
  for (let i = 0; i < text.length; i++) count(text, i, 1);
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const times = counts[text.charCodeAt(i)] as number;
    if (times === 0) continue;
    bits -= (times / text.length) * Math.log2(times / text.length);
    count(text, i, -times);
  }
  return bits;
}

function count(text: string, index: number, more: number): void {
  const byte = text.charCodeAt(index);
  counts[byte] = (counts[byte] as number) + more;
}

/** RFC 7515: the part before the first dot is a JSON object with `alg`. */
function isJwt(text: string): boolean {
  const header = text.slice(0, text.indexOf("."));
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
    return typeof parsed === "object" && parsed !== null && "alg" in parsed;
  } catch {
    return false;
  }
}
