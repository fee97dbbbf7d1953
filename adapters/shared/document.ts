import { type Reference, SecretError } from "../../src/secrets/index.ts";

/** What both AWS and GCP keep at most in one version. */
const maxValueBytes = 65_536;

/** Refuses a value that no store would take, before any client sees it. */
export function assertValueSize({ text }: Reference, value: string | Uint8Array): void {
  const bytes = typeof value === "string" ? Buffer.byteLength(value) : value.byteLength;
  if (bytes > maxValueBytes) {
    throw new SecretError(
      "SECRET_REQUEST_INVALID",
      `${text}: the value has ${bytes} bytes, and the store keeps at most ${maxValueBytes}`,
    );
  }
  if (bytes === 0) {
    throw new SecretError("SECRET_EMPTY", `${text}: an empty value cannot be stored`);
  }
}
