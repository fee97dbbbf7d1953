/**
 * Checksums in tokens: the CRC-32 (IEEE) of what stands before, in digits of the token's alphabet.
 */
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const randomLength = 30;
const base62Length = 6;
const base36Length = 7;

/**
 * Whether a token of GitHub or npm, a prefix and 36 characters, ends in the checksum of the 30 before
 * (github.blog, "Behind GitHub's new authentication token formats", 2021).
 */
export function hasCrc32(token: string): boolean {
  const body = token.slice(token.indexOf("_") + 1);
  if (body.length !== randomLength + base62Length) return false;
  return base62Crc32(body.slice(0, randomLength)) === body.slice(randomLength);
}

/** The six characters that belong to the text. */
export function base62Crc32(text: string): string {
  let rest = crc32(text);
  let checksum = "";
  for (let i = 0; i < base62Length; i++) {
    checksum = (base62[rest % base62.length] ?? "") + checksum;
    rest = Math.floor(rest / base62.length);
  }
  return checksum;
}

/** Whether a routable token of GitLab ends in the checksum of all before (gitlab-org/gitlab, RoutableToken). */
export function hasGitLabCrc32(token: string): boolean {
  return base36Crc32(token.slice(0, -base36Length)) === token.slice(-base36Length);
}

export function base36Crc32(text: string): string {
  return crc32(text).toString(36).padStart(base36Length, "0");
}

function crc32(text: string): number {
  let crc = -1;
  for (const byte of Buffer.from(text, "latin1")) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
