import { createHmac, randomBytes } from "node:crypto";
import { type CallInfo, RpcError, type ServicePart } from "./rpc.ts";

/** Who may call: one token, and the short-lived tokens that it was exchanged for. */
export interface Gate {
  readonly tokenId: string;
  readonly tokenSecret: string;
  /** How long tokens that are issued from now on are good for. */
  tokenLifetimeMs: number;
  /** Refuses every token that was issued so far. */
  expireTokens(): void;
  /** A token for the router of a sandbox. */
  routerToken(): string;
  /** Refuses a call that does not come with the right credentials. */
  check(call: CallInfo): void;
  readonly part: ServicePart;
}

/** Exchanges credentials for a token, as `AuthTokenGet` does, and checks both on every call. */
export function createGate(tokenLifetimeMs = 20 * 60_000): Gate {
  const key = randomBytes(32);
  const issued = new Map<string, number>();

  function issue(): string {
    const expiresAtMs = Date.now() + gate.tokenLifetimeMs;
    const token = signed(key, { exp: Math.ceil(expiresAtMs / 1000), nonce: issued.size });
    issued.set(token, expiresAtMs);
    return token;
  }

  const isLive = (token: string) => (issued.get(token) ?? 0) > Date.now();

  const gate: Gate = {
    tokenId: `ak-${randomBytes(11).toString("hex")}`,
    tokenSecret: `as-${randomBytes(11).toString("hex")}`,
    tokenLifetimeMs,
    expireTokens: () => issued.clear(),
    routerToken: issue,
    check({ service, method, headers }) {
      if (service === "TaskCommandRouter") {
        const [scheme, token = ""] = (headers["authorization"] ?? "").split(" ");
        if (scheme === "Bearer" && isLive(token)) return;
        throw new RpcError("UNAUTHENTICATED", "Router token missing or expired");
      }
      const known =
        headers["x-modal-token-id"] === gate.tokenId &&
        headers["x-modal-token-secret"] === gate.tokenSecret;
      if (!known) throw new RpcError("UNAUTHENTICATED", "Token missing or invalid");
      if (method === "AuthTokenGet") return;
      if (isLive(headers["x-modal-auth-token"] ?? "")) return;
      throw new RpcError("UNAUTHENTICATED", "Auth token missing or expired");
    },
    part: {
      messages: `
message AuthTokenGetRequest {}
message AuthTokenGetResponse { string token = 1; }
`,
      calls: "rpc AuthTokenGet(AuthTokenGetRequest) returns (AuthTokenGetResponse);",
      handlers: { AuthTokenGet: () => ({ token: issue() }) },
    },
  };
  return gate;
}

/** A JWT. The client decodes its claims with `atob`, which knows the plain base64 alphabet only. */
function signed(key: Buffer, claims: object): string {
  const parts = [{ alg: "HS256", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64").replace(/=+$/, ""),
  );
  const signature = createHmac("sha256", key).update(parts.join(".")).digest("base64url");
  return [...parts, signature].join(".");
}
