/** Credentials for tests, made at run time: none stands in the repository. */
import { generateKeyPairSync, randomBytes } from "node:crypto";

const made = new Set<string>();

/** Every value that this test made so far. */
export const valuesMade = (): ReadonlySet<string> => made;

function keep(value: string): string {
  made.add(value);
  return value;
}

/** How often a value stands in bytes: as it is, or spelled as a log or a URL would. */
export function countSpellings(bytes: Buffer, value: string): number {
  const data = Buffer.from(value);
  const spellings = [
    value,
    data.toString("hex"),
    data.toString("hex").toUpperCase(),
    encodeURIComponent(value),
    JSON.stringify(value).slice(1, -1),
    // At each place in a group of three, without the characters that others have a part in.
    ...[0, 1, 2].map((shift) =>
      Buffer.concat([Buffer.alloc(shift), data])
        .toString("base64")
        .slice(shift === 0 ? 0 : 4, -4),
    ),
  ];
  let count = 0;
  // What is shorter occurs by chance.
  for (const spelling of new Set(spellings.filter(({ length }) => length >= 8))) {
    for (let at = bytes.indexOf(spelling); at !== -1; at = bytes.indexOf(spelling, at + 1)) count++;
  }
  return count;
}

/** A token of letters and digits, such as hubs give out. */
export function randomToken(prefix = "tok_", length = 32): string {
  const text = randomBytes(length * 2)
    .toString("base64")
    .replace(/[^A-Za-z0-9]/g, "");
  return keep(prefix + text.slice(0, length));
}

/** A password that every encoding has to escape somewhere. */
export function awkwardPassword(): string {
  return keep(`p@ss "w'ö\\rd/<&>%+$${randomToken("", 12)}=~€`);
}

/** A private key in PEM, on several lines. */
export function privateKeyPem(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  return keep(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
}
