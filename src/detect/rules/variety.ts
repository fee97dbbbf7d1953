/** How often each byte stands in a text; all 0 between calls. */
const counts = new Int32Array(256);
/** Bits that so many equal bytes take from a text: a logarithm costs more than the rest. */
const known = Float64Array.from({ length: 513 }, (_, count) =>
  count > 1 ? count * Math.log2(count) : 0,
);
/** Sums are not exact to the last bit: two bits a byte are two, in whatever order they are added. */
const tolerance = 1e-9;

/** Whether text has at least so many bits a byte, by Shannon. */
export function hasEntropy(text: string, minBits: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i) & 0xff;
    counts[byte] = (counts[byte] as number) + 1;
  }
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i) & 0xff;
    const count = counts[byte] as number;
    bits += known[count] ?? count * Math.log2(count);
    counts[byte] = 0;
  }
  return Math.log2(text.length) - bits / text.length >= minBits - tolerance;
}

/**
 * A piece between signs that people write: letters, a number, a version, a size, a word with a number.
 * No alternative can match a text in two ways, so that a refusal takes no longer than a match.
 */
const ordinaryPiece =
  /^(?:[A-Za-z]*|\d{1,20}|[vVrR]?\d{1,4}[a-zA-Z]{0,3}|(?:[A-Z]?[a-z]{1,12}|[A-Z]{1,8})\d{1,4}|[A-Za-z]?\d{1,4}[A-Za-z]{1,2}\d{0,2}|\d{8}T\d{6}Z?)$/;
/** Letters whose case changes so often are random, unless most of them stand in words. */
const minChangesPerLetter = 0.25;
const minChaoticLength = 16;
const minWordLength = 4;
const maxShareInWords = 0.45;

/**
 * Whether text is random rather than made: `bert-base-uncased-v2`, `2025-03-11T08:00:00` and
 * `AwsCredentialIdentity` are made of ordinary pieces.
 */
export function looksRandom(text: string): boolean {
  const pieces = text.split(/[^A-Za-z0-9]+/);
  return pieces.some((piece) =>
    ordinaryPiece.test(piece) ? isChaotic(piece) : !isNumberedName(piece),
  );
}

/** Numbers in the names of code are few and short: a version, a year, a size. */
const maxDigits = 4;
const minShareInNamedWords = 0.7;
/** What can be said: a vowel, and no five consonants in a row. */
const sayable = /^(?!.*[^aeiouy]{5}).*[aeiouy]/i;

/** A name of words and one or two numbers: `Qwen2ForCausalLM`, `getElementById2`. */
function isNumberedName(piece: string): boolean {
  const numbers = piece.match(/\d+/g) ?? [];
  const digits = numbers.join("").length;
  // Without capitals nothing tells where a word begins: one number, and no scraps beside it.
  const hasCapitals = /[A-Z]/.test(piece);
  if (!/^[A-Za-z]/.test(piece) || numbers.length > (hasCapitals ? 2 : 1)) return false;
  if (digits > maxDigits) return false;
  const words = (piece.match(/[A-Z]?[a-z]{2,}/g) ?? []).filter((word) => word.length > 2);
  const inWords = words.join("").length;
  const share = inWords / (piece.length - digits);
  if (share < (hasCapitals ? minShareInNamedWords : 1)) return false;
  return inWords >= words.length * minWordLength && words.every((word) => sayable.test(word));
}

function isChaotic(piece: string): boolean {
  if (piece.length < minChaoticLength || !/^[A-Za-z]+$/.test(piece)) return false;
  let changes = 0;
  let inWords = 0;
  let run = 1;
  for (let i = 1; i <= piece.length; i++) {
    const isLower = isLowerCase(piece, i - 1);
    if (i < piece.length && isLowerCase(piece, i) === isLower) {
      run++;
      continue;
    }
    changes++;
    if (isLower && run >= minWordLength) inWords += run;
    run = 1;
  }
  return changes >= piece.length * minChangesPerLetter && inWords < piece.length * maxShareInWords;
}

function isLowerCase(text: string, at: number): boolean {
  return text.charCodeAt(at) >= 0x61;
}
