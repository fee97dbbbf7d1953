import type { Client, ClientConfig } from "pg";
import { type Secret, SecretError } from "../../src/secrets/index.ts";
import { importPeer } from "../shared/index.ts";
import type { PostgresServer } from "./server.ts";

/** Default: those of the server's own client. */
const defaultPort = 5432;
const defaultDatabase = "postgres";
const timeoutMs = 10_000;

type Pg = { readonly Client: typeof Client };

const loadPg = importPeer<{ default: Pg }>(
  () => import("pg") as unknown as Promise<{ default: Pg }>,
  "pg@8",
  (pg) => typeof pg.default?.Client === "function",
);

/**
 * Works with a session of a user's.
 *
 * @throws SecretError `SECRET_UNAUTHENTICATED` if the login is refused, `SECRET_ACCESS_DENIED`,
 *   `SECRET_UNREACHABLE`, `PROVIDER_MISSING`.
 */
export async function withSession<T>(
  server: PostgresServer,
  { user, password }: { readonly user: string; readonly password: Secret | undefined },
  signal: AbortSignal,
  work: (client: Client, asked: { readonly forPassword: boolean }) => Promise<T>,
): Promise<T> {
  const { Client: NewClient } = (await loadPg()).default;
  const asked = { forPassword: false };
  const config: ClientConfig = {
    host: server.host,
    port: server.port ?? defaultPort,
    database: server.database ?? defaultDatabase,
    user,
    // Called when the server asks for it, and only then.
    password: () => {
      asked.forPassword = true;
      return password?.reveal() ?? "";
    },
    ssl: sslOf(server),
    connectionTimeoutMillis: timeoutMs,
    query_timeout: 3 * timeoutMs,
    application_name: "nopeek",
  };
  const client = new NewClient(config);
  // Ends that come between two calls; the call itself fails as well.
  client.on("error", () => undefined);
  const stop = () => void client.end().catch(() => undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    await client.connect();
    return await work(client, asked);
  } catch (error) {
    throw failureOf(error, server, user);
  } finally {
    signal.removeEventListener("abort", stop);
    await client.end().catch(() => undefined);
  }
}

function sslOf({ host, ssl }: PostgresServer): boolean | { ca?: string } {
  const isHere = /^(?:localhost|127(?:\.\d+){3}|::1|\/.*)$/.test(host);
  if (ssl === undefined) return !isHere;
  if (ssl === false && !isHere) {
    throw new SecretError(
      "ENDPOINT_REFUSED",
      `postgres at ${host}: a password would travel without TLS; leave ssl out, or give it the authority: ssl: { ca }`,
    );
  }
  return typeof ssl === "object" ? { ca: ssl.ca } : ssl;
}

/**
 * Our code by SQLSTATE: of the error nothing else is used, its text and detail can quote statements.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function failureOf(error: unknown, { host, port }: PostgresServer, user: string): SecretError {
  if (error instanceof SecretError) return error;
  const state = String((error as { code?: unknown } | null)?.code ?? "");
  const where = `postgres at ${host}:${port ?? defaultPort}`;
  if (state === "28P01" || state === "28000") {
    return new SecretError("SECRET_UNAUTHENTICATED", `${where} refused the login of ${user}`);
  }
  if (state === "42501") {
    return new SecretError(
      "SECRET_ACCESS_DENIED",
      `${where}: ${user} may not change the role; give it CREATEROLE, and on PostgreSQL 16 ADMIN OPTION on the role`,
    );
  }
  if (state === "42704") {
    return new SecretError(
      "SECRET_REQUEST_INVALID",
      `${where}: the role does not exist; create it first`,
    );
  }
  if (state === "55P03") {
    return new SecretError(
      "SECRET_UNREACHABLE",
      `${where}: another rotation holds the lock of the role; try again`,
    );
  }
  return new SecretError(
    "SECRET_UNREACHABLE",
    `${where} gives no usable answer${/^[0-9A-Z]{5}$/.test(state) ? ` (SQLSTATE ${state})` : ""}; check its address and TLS`,
  );
}
