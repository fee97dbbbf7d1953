/** Credentials for tests, made at run time: none stands in the repository. */
import { generateKeyPairSync, randomBytes } from "node:crypto";

/** A token of letters and digits, such as hubs give out. */
export function randomToken(prefix = "tok_", length = 32): string {
  const text = randomBytes(length * 2)
    .toString("base64")
    .replace(/[^A-Za-z0-9]/g, "");
  return prefix + text.slice(0, length);
}

/** A password that every encoding has to escape somewhere. */
export function awkwardPassword(): string {
  return `p@ss "w'ö\\rd/<&>%+$${randomToken("", 12)}=~€`;
}

/** A private key in PEM, on several lines. */
export function privateKeyPem(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}
