/**
 * The checksum in tokens of GitHub and npm: the CRC-32 (IEEE) of 30 characters as 6 digits of base 62
 * (github.blog, "Behind GitHub's new authentication token formats", 2021).
 */
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const randomLength = 30;
const checksumLength = 6;

/** Whether the token, such as `ghp_` and 36 characters, ends in the checksum of what is before. */
export function hasCrc32(token: string): boolean {
  const body = token.slice(token.indexOf("_") + 1);
  if (body.length !== randomLength + checksumLength) return false;
  return checksumOf(body.slice(0, randomLength)) === body.slice(randomLength);
}

/** The six characters that belong to the text. */
export function checksumOf(text: string): string {
  let crc = -1;
  for (const byte of Buffer.from(text, "latin1")) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let rest = ~crc >>> 0;
  let checksum = "";
  for (let i = 0; i < checksumLength; i++) {
    checksum = (digits[rest % digits.length] ?? "") + checksum;
    rest = Math.floor(rest / digits.length);
  }
  return checksum;
}
