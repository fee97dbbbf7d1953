import { crc32 } from "node:zlib";
import { alphabets } from "./draw.ts";

function inBase(value: number, alphabet: string, length: number): string {
  let text = "";
  for (let rest = value; rest > 0; rest = Math.floor(rest / alphabet.length)) {
    text = alphabet[rest % alphabet.length] + text;
  }
  return text.padStart(length, "0");
}

/** GitHub's and npm's tail: CRC-32 of the random part, six digits of base 62. */
export const withBase62Crc = (prefix: string, body: string) =>
  prefix + body + inBase(crc32(body), alphabets.base62, 6);

/** GitLab's tail: CRC-32 of all before it, seven digits of base 36. */
export const withBase36Crc = (text: string) => text + inBase(crc32(text), alphabets.base36, 7);

export const base36Length = (text: string) => inBase(text.length, alphabets.base36, 2);
