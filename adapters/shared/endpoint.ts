import { SecretError } from "../../src/secrets/index.ts";

/** Whether a host, as a URL names it, is this machine. */
function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return (
    name === "::1" ||
    name === "localhost" ||
    name.endsWith(".localhost") ||
    /^127(?:\.\d{1,3}){3}$/.test(name)
  );
}

/**
 * Reads an endpoint that secrets will travel to.
 *
 * @param origin - Where the endpoint was configured, for the message.
 * @throws SecretError `ENDPOINT_REFUSED` unless it is https, or http to this machine.
 */
export function assertSafeEndpoint(endpoint: string, origin: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const credentials = url !== undefined && (url.username !== "" || url.password !== "");
  const safe =
    url?.protocol === "https:" || (url?.protocol === "http:" && isLoopbackHost(url.hostname));
  if (url !== undefined && safe && !credentials) return url;
  throw new SecretError(
    "ENDPOINT_REFUSED",
    `${origin} is no endpoint for secrets: use https://, or http:// to this machine only, without user and password`,
  );
}
