/** Values that printing, parsing and escaping have trouble with; all are made at run time. */
import { randomBytes } from "node:crypto";

const token = () => randomBytes(12).toString("base64url");

const shapes: readonly ((random: string) => string)[] = [
  (random) => random,
  (random) => `${random} with spaces `,
  (random) => `"${random}"`,
  (random) => `'${random}'`,
  (random) => `\`${random}\``,
  (random) => `\\${random}\\`,
  (random) => `${random}\nsecond ${random}`,
  (random) => `${random}\r\n`,
  (random) => `\t${random}`,
  (random) => `{"key":"${random}"`,
  (random) => `["${random}"]x`,
  (random) => `${random},${random}`,
  (random) => `<html>${random}</html>`,
  (random) => `<!-- ${random} -->`,
  (random) => `&${random};`,
  (random) => `%s%j%o ${random}`,
  (random) => `%${random}`,
  (random) => `$&$1$\`${random}`,
  (random) => `\${${random}}`,
  (random) => `$(${random})`,
  (random) => `(${random}|`,
  (random) => `[${random}`,
  (random) => `^${random}$.*+?`,
  (random) => `__proto__${random}`,
  (random) => `constructor.${random}`,
  (random) => `https://user:${random}@example.com/`,
  (random) => `Bearer ${random}`,
  (random) => `key=${random}&other=${random}`,
  (random) => `${random}#fragment?query`,
  (random) => `arn:aws:secretsmanager:${random}`,
  (random) => `projects/p/secrets/${random}`,
  (random) => `marked for deletion ${random}`,
  (random) => `is in DISABLED state ${random}`,
  (random) => `etag KMS ${random}`,
  (random) => `Region is missing ${random}`,
  (random) => `ECONNREFUSED ${random}`,
  (random) => `ü${random}ß`,
  (random) => `${random}€`,
  (random) => `😀${random}😀`,
  (random) => `e\u0301${random}`,
  (random) => `\u202e${random}`,
  (random) => `\ufeff${random}`,
  (random) => `\u2028${random}\u2029`,
  (random) => `\u0000${random}`,
  (random) => `\u001b[31m${random}\u001b[0m`,
  (random) => `\u007f${random}\u0080`,
  (random) => random.repeat(40),
  (random) => `${random}${"=".repeat(4)}`,
  (random) => `AKIA${random.toUpperCase()}`,
  (random) => `-----BEGIN ${random}-----`,
];

/** Fifty of them, each with its own random part. */
export function unusualValues(): string[] {
  return shapes.map((shape) => shape(token()));
}
