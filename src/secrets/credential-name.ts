/** Which names of variables stand for credentials. */

/** A name with one of these as a whole word is a credential's: it must be declared. */
export const credentialWords: readonly string[] =
  "KEY TOKEN SECRET PASSWORD JWT PASSWD PASSPHRASE CREDENTIAL CREDENTIALS PAT DSN APIKEY".split(
    " ",
  );
/** Also in the middle of a word, as in PGPASSWORD. */
export const credentialParts: readonly string[] = ["PASSWORD", "PASSWD", "APIKEY", "SECRET"];

/**
 * Whether a variable of this name is taken for a credential: it must be declared to reach a job, and
 * `nopeek/register` masks its value.
 */
export function isCredentialName(name: string): boolean {
  const upper = name.toUpperCase();
  return (
    credentialParts.some((part) => upper.includes(part)) ||
    upper.split("_").some((word) => credentialWords.includes(word))
  );
}
