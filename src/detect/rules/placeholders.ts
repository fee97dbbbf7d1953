/** Longer matches, such as private keys, are no examples of a format. */
const maxExampleLength = 256;

/** What vendors and people write in place of a value. */
const example =
  /EXAMPLE|example|YOUR[_-]|your[_-]|_HERE|PLACEHOLDER|placeholder|REDACTED|FAKE|DUMMY|NOTAREAL|NOT_A_REAL|xxxx|XXXX|\*\*\*\*|^x{3,}$|abcdefghij|ABCDEFGHIJ|1234567890|0123456789/;
/** One character ten times; padding is none. */
const repeated = /([^=])\1{9}/;

/**
 * Values that stand in documentation of vendors, by the beginning of their SHA-256: the values
 * themselves would make other scanners report this file.
 */
const documented: ReadonlySet<string> = new Set([
  // docs.stripe.com, test keys of the documentation.
  "2cafc0970149a84f3b9e62ea",
  "f2d6ca16515033e5dce14eba",
  // learn.microsoft.com, the account key of the Azurite emulator.
  "0011cc25eb4320717494d270",
  // jwt.io, the token that the page shows.
  "7f75367e7881255134e1375e",
]);
const fingerprintLength = 24;
/** Their lengths: a hash of every match would take longer than finding it. */
const documentedLengths: ReadonlySet<number> = new Set([32, 88, 155]);

/** Whether a match is an example that belongs to nobody. It is told all the same, as a placeholder. */
export function isPlaceholder(text: string): boolean {
  if (text.length > maxExampleLength) return false;
  if (example.test(text) || isRepeated(text)) return true;
  if (!documentedLengths.has(text.length)) return false;
  const { createHash } = process.getBuiltinModule("node:crypto");
  const digest = createHash("sha256").update(text, "latin1").digest("hex");
  return documented.has(digest.slice(0, fingerprintLength));
}

/** Ten places in a row hold one that is a multiple of 5 and the fourth behind it: nearly always they differ. */
function isRepeated(text: string): boolean {
  for (let at = 0; at + 4 < text.length; at += 5) {
    if (text.charCodeAt(at) === text.charCodeAt(at + 4)) return repeated.test(text);
  }
  return false;
}
