import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { type Secret, SecretError } from "../secrets/index.ts";
import { Mac } from "./mac.ts";
import { maxGroupBytes } from "./record-group.ts";

/** The keys of a log, all derived from the one that is kept. */
export interface AuditKeys {
  /** Chains the records (HMAC-SHA-256). */
  readonly chain: Mac;
  /** Signs the anchors (Ed25519). */
  readonly sign: KeyObject;
  readonly check: KeyObject;
  /** Tells one key from another, and nothing else about it. */
  readonly id: string;
  /** A keyed hash of a value: equal for equal values, under this key only. */
  fingerprint(value: string | Uint8Array): string;
}

const minKeyBytes = 32;
/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Derives the keys of a log by HKDF (RFC 5869), so that no two uses share a key.
 *
 * @throws SecretError `AUDIT_KEY_WEAK` below 32 bytes or 8 different ones.
 */
export function deriveKeys(key: Secret): AuditKeys {
  const bytes = key.revealBytes();
  if (bytes.length < minKeyBytes || new Set(bytes).size < 8) {
    throw new SecretError(
      "AUDIT_KEY_WEAK",
      "the audit key must have at least 32 random bytes; make one with: openssl rand -hex 32",
    );
  }
  const derive = (use: string) =>
    Buffer.from(hkdfSync("sha256", bytes, "", `nopeek audit v1 ${use}`, 32));
  const prints = createSecretKey(derive("fingerprint"));
  const fingerprint = (value: string | Uint8Array) =>
    `audit:${createHmac("sha256", prints).update(value).digest("hex").slice(0, 32)}`;
  const sign = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, derive("anchors")]),
    format: "der",
    type: "pkcs8",
  });
  const keys: AuditKeys = {
    chain: new Mac(derive("chain"), maxGroupBytes),
    sign,
    check: createPublicKey(sign),
    id: `audit:${derive("id").toString("hex").slice(0, 32)}`,
    fingerprint,
  };
  bytes.fill(0);
  return keys;
}
