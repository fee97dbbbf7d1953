/** Random choices that are the same for the same seed. */
export interface Draw {
  /** A number from 0 to 1. */
  unit(): number;
  /** A whole number from 0 to `count - 1`. */
  below(count: number): number;
  pick<T>(list: readonly T[]): T;
  /** `length` letters of an alphabet. */
  text(alphabet: string, length: number): string;
  bytes(length: number): Buffer;
}

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = upper.toLowerCase();
const digit = "0123456789";

export const alphabets = {
  digit,
  upper,
  lower,
  letters: upper + lower,
  hex: "0123456789abcdef",
  base32: `${upper}234567`,
  base36: digit + lower,
  upperNumeric: upper + digit,
  base62: digit + upper + lower,
  base64: `${upper + lower + digit}+/`,
  base64url: `${upper + lower + digit}-_`,
  password: `${upper + lower + digit}!%^*_+-.~`,
} as const;

/** Splitmix32: small, and good enough to choose test data. */
export function drawFrom(seed: number): Draw {
  let state = seed | 0;
  const unit = () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(unit() * count);
  return {
    unit,
    below,
    pick: <T>(list: readonly T[]) => list[below(list.length)] as T,
    text: (alphabet, length) => {
      let made = "";
      for (let i = 0; i < length; i++) made += alphabet[below(alphabet.length)];
      return made;
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
