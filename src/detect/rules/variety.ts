import { byteClass } from "./byte-class.ts";

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
  let from = 0;
  let digits = 0;
  for (let i = 0; i <= text.length; i++) {
    const kind = i < text.length ? kindOf(text.charCodeAt(i)) : sign;
    if (kind === digit) digits++;
    if (kind !== sign) continue;
    // Few letters, as most pieces are, are ordinary.
    if (digits > 0 || i - from >= minChaoticLength) {
      if (isRandomPiece(text.slice(from, i))) return true;
    }
    from = i + 1;
    digits = 0;
  }
  return false;
}

function isRandomPiece(piece: string): boolean {
  return ordinaryPiece.test(piece) ? isChaotic(piece) : !isNumberedName(piece);
}

/** Kinds of characters. */
const sign = 0;
const digit = 1;
const capital = 2;
const small = 3;
const kinds = new Uint8Array(128);
for (let code = 0x30; code <= 0x39; code++) kinds[code] = digit;
for (let code = 0x41; code <= 0x5a; code++) kinds[code] = capital;
for (let code = 0x61; code <= 0x7a; code++) kinds[code] = small;

function kindOf(code: number): number {
  return code < 128 ? (kinds[code] as number) : sign;
}

/** Numbers in the names of code are few and short: a version, a year, a size. */
const maxDigits = 4;
const minShareInNamedWords = 0.7;

/**
 * A name of words and one or two numbers: `Qwen2ForCausalLM`, `getElementById2`. A word is three letters
 * or more, all small but the first.
 */
function isNumberedName(piece: string): boolean {
  let numbers = 0;
  let digits = 0;
  let capitals = 0;
  let words = 0;
  let inWords = 0;
  let run = 0;
  let before = sign;
  for (let i = 0; i <= piece.length; i++) {
    const kind = i < piece.length ? kindOf(piece.charCodeAt(i)) : sign;
    if (kind === small) {
      run++;
      continue;
    }
    if (run >= 2) {
      const length = before === capital ? run + 1 : run;
      if (length > 2) {
        if (!canBeSaid(piece, i - length, i)) return false;
        words++;
        inWords += length;
      }
    }
    if (kind === digit) {
      digits++;
      if (run > 0 || before !== digit) numbers++;
    } else if (kind === capital) capitals++;
    before = kind;
    run = 0;
  }
  // Without capitals nothing tells where a word begins: one number, and no scraps beside it.
  if (kindOf(piece.charCodeAt(0)) < capital || numbers > (capitals > 0 ? 2 : 1)) return false;
  if (digits > maxDigits) return false;
  const share = inWords / (piece.length - digits);
  if (share < (capitals > 0 ? minShareInNamedWords : 1)) return false;
  return inWords >= words * minWordLength;
}

const vowels = byteClass("aeiouyAEIOUY");
const maxConsonants = 4;

/** A vowel, and no five consonants in a row. */
function canBeSaid(text: string, from: number, to: number): boolean {
  let vowelCount = 0;
  let consonants = 0;
  for (let i = from; i < to; i++) {
    if (vowels[text.charCodeAt(i)] === 1) {
      vowelCount++;
      consonants = 0;
    } else if (++consonants > maxConsonants) return false;
  }
  return vowelCount > 0;
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
