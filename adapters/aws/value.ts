/** A value as the operations that store one take it. */
export function asInput(
  value: string | Uint8Array,
): { SecretString: string } | { SecretBinary: Uint8Array } {
  return typeof value === "string" ? { SecretString: value } : { SecretBinary: value };
}
