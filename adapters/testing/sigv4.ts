import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** Who signed a request, and with which secret it would have to be signed. */
export interface Signed {
  readonly accessKeyId: string;
  isSignedWith(secretAccessKey: string): boolean;
}

/**
 * Reads the signature of a request of AWS's.
 *
 * @returns `null` for a request without one.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signatureOf(request: IncomingMessage, body: Buffer): Signed | null {
  const { authorization = "", "x-amz-date": date = "" } = request.headers;
  const [, accessKeyId = "", scope = "", headers = "", signature = ""] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
      authorization,
    ) ?? [];
  if (signature === "") return null;
  const [path = "/", query = ""] = (request.url ?? "/").split("?");
  const canonical = [
    request.method,
    path,
    query.split("&").sort().join("&"),
    ...headers.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}`),
    "",
    headers,
    sha256(body),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", String(date), scope, sha256(canonical)].join("\n");
  return {
    accessKeyId,
    isSignedWith(secretAccessKey) {
      const key = scope
        .split("/")
        .reduce<Buffer | string>((last, part) => hmac(last, part), `AWS4${secretAccessKey}`);
      return hmac(key, toSign).toString("hex") === signature;
    },
  };
}

function sha256(data: Buffer | string): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}
