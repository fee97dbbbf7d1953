const counts = new Int32Array(256);

/** Bits a byte, by Shannon. */
export function entropyOf(text: string): number {
  counts.fill(0);
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i) & 0xff;
    counts[byte] = (counts[byte] as number) + 1;
  }
  let bits = 0;
  for (const count of counts) {
    if (count > 0) bits -= (count / text.length) * Math.log2(count / text.length);
  }
  return bits;
}

/** A piece between signs that people write: a word, a number, a version, a size, a short mark. */
const ordinaryPiece =
  /^(?:[a-z]*|[A-Z]*|(?:[A-Z]?[a-z]+){1,6}|\d{1,20}|[vVrR]?\d{1,4}[a-zA-Z]{0,3}|(?:[A-Z]?[a-z]{1,12}|[A-Z]{1,8})\d{1,4}|[A-Za-z]?\d{1,4}[A-Za-z]{1,2}\d{0,2}|\d{8}T\d{6}Z?)$/;
/** Changes between lower and upper case in words are rarer than in random letters. */
const minChangesPerLetter = 0.22;
const minChaoticLength = 16;

/**
 * Whether text is random rather than made: `bert-base-uncased-v2`, `2025-03-11T08:00:00` and
 * `model.layers.12` are made of ordinary pieces. Letters alone count as random where their case
 * changes too often for words.
 */
export function looksRandom(text: string): boolean {
  const pieces = text.split(/[^A-Za-z0-9]+/);
  return pieces.some((piece) => !ordinaryPiece.test(piece) || isChaotic(piece));
}

function isChaotic(piece: string): boolean {
  if (piece.length < minChaoticLength) return false;
  let changes = 0;
  for (let i = 1; i < piece.length; i++) {
    if (kindOf(piece.charCodeAt(i)) !== kindOf(piece.charCodeAt(i - 1))) changes++;
  }
  return changes >= piece.length * minChangesPerLetter;
}

/** 0 for digits, 1 for capitals, 2 for other letters. */
function kindOf(code: number): number {
  if (code < 0x41) return 0;
  return code < 0x61 ? 1 : 2;
}
