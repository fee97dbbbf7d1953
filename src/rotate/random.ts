import { randomBytes } from "node:crypto";
import { Secret, SecretError } from "../secrets/index.ts";
import type { RotationTarget } from "./target.ts";

export interface RandomOptions {
  /** Characters of the value; default 43, which is 256 bits of the default alphabet. */
  readonly length?: number | undefined;
  /** What it is made of; default: letters and digits, and `-` and `_`, which no shell or URL changes. */
  readonly alphabet?: string | undefined;
}

const defaultAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const defaultLength = 43;
/** Less could be guessed by who has a copy of the verifier. */
const minEntropyBits = 96;
const maxLength = 1024;

/**
 * A random value. Every character of the alphabet is equally likely: bytes that would favour some
 * are thrown away.
 *
 * @throws {@link SecretError} `DECLARATION_INVALID` for an alphabet with a character twice or below
 *   two, a length that is none, or less than 96 bits of entropy.
 *
 * @example
 * randomValue({ length: 32, alphabet: "0123456789abcdef" }); // 128 bits
 */
export function randomValue(options: RandomOptions = {}): string {
  const { characters, length } = checked(options);
  const limit = 256 - (256 % characters.length);
  let value = "";
  while (value.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < limit && value.length < length) value += characters[byte % characters.length];
    }
  }
  return value;
}

/** Bits of entropy of a value that {@link randomValue} makes. */
export function entropyBits(options: RandomOptions = {}): number {
  const { alphabet = defaultAlphabet, length = defaultLength } = options;
  return Math.floor(length * Math.log2(alphabet.length));
}

function checked(options: RandomOptions): { characters: readonly string[]; length: number } {
  const { alphabet = defaultAlphabet, length = defaultLength } = options;
  const characters = [...alphabet];
  const isPrintable = /^[\x21-\x7e]+$/.test(alphabet);
  if (!isPrintable || characters.length < 2 || new Set(characters).size !== characters.length) {
    throw new SecretError(
      "DECLARATION_INVALID",
      "the alphabet of a random value has at least two different printable ASCII characters, each once",
    );
  }
  if (!Number.isInteger(length) || length < 1 || length > maxLength) {
    throw new SecretError("DECLARATION_INVALID", `a random value has 1 to ${maxLength} characters`);
  }
  const bits = entropyBits(options);
  if (bits < minEntropyBits) {
    throw new SecretError(
      "DECLARATION_INVALID",
      `a random value of ${length} from ${characters.length} characters has ${bits} bits of entropy; at least ${minEntropyBits} are needed`,
    );
  }
  return { characters, length };
}

/**
 * A secret that is nobody's but its consumers': a signing key, a session key. Nothing has to accept
 * it, and nothing goes on accepting the old one but the consumers themselves.
 *
 * @example
 * await rotate({ from, secret: "aws-sm://web/session-key", target: random(), overlapMs: 3_600_000 });
 */
export function random(options: RandomOptions = {}): RotationTarget {
  checked(options);
  const revoked = new Set<string>();
  return {
    name: "random",
    strategy: "issuer",
    propose: async () => ({ secret: new Secret(randomValue(options)) }),
    works: async ({ secret }) => !revoked.has(secret.fingerprint),
    revoke: async ({ secret }) => {
      if (secret !== undefined) revoked.add(secret.fingerprint);
    },
  };
}
