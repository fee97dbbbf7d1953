import type { Secret } from "../secrets/index.ts";

/** What a rotation replaces: a secret, and where the target has several, the name it belongs to. */
export interface Credential {
  /** The user or key that the secret belongs to. No secret: it is printed. */
  readonly id?: string | undefined;
  readonly secret: Secret;
}

/** What a target may know of a credential that is to go: of some only the id is left. */
export interface OldCredential {
  readonly id?: string | undefined;
  readonly secret?: Secret | undefined;
}

/** A credential that a target accepts, as it lists them. */
export interface Issued {
  readonly id: string;
  /** In milliseconds since 1970. */
  readonly createdAtMs?: number | undefined;
  /** Last use that the target knows of, in milliseconds since 1970. */
  readonly lastUsedAtMs?: number | undefined;
}

/** Given to every call of a target. */
export interface TargetContext {
  /** Aborted when the caller gives up. */
  readonly signal: AbortSignal;
}

/** Given to what changes the target. */
export interface ChangeContext extends TargetContext {
  /**
   * The credential that consumers use now, where the store can be read; where the old one is put
   * back, the new one, which the target may accept already.
   */
  readonly current: Credential | undefined;
  /** The credential became known to others: also its open sessions are to end. */
  readonly leaked: boolean;
  /**
   * Whether the rotation still wants the change. A target that has a lock of its own asks while it
   * holds the lock: a process that slept through a whole other rotation then changes nothing.
   */
  isWanted(): Promise<boolean>;
}

/**
 * How a target and its consumers get over the change.
 *
 * - `issuer`: makes new keys at any time; the old one works until it is revoked.
 * - `alternating`: two users take turns; each keeps its password until its next turn.
 * - `static`: has one value, so that the old one ends in the moment in which the new one begins.
 */
export type Strategy = "issuer" | "alternating" | "static";

/**
 * What accepts a credential: a database, an account, an API. Implement it to rotate another kind.
 *
 * No method may print a value, nor put one into arguments or the environment of a process. What it
 * throws is `SecretError` or is replaced by a fixed text.
 *
 * @example
 * const queue: RotationTarget = {
 *   name: "queue",
 *   strategy: "alternating",
 *   fields: { id: "user", secret: "password" },
 *   propose: async (current) => ({
 *     id: current?.id === "train_a" ? "train_b" : "train_a",
 *     secret: new Secret(randomValue()),
 *   }),
 *   set: ({ id, secret }) => admin.setPassword(id, secret.reveal()),
 *   works: ({ id, secret }) => canLogIn(id, secret.reveal()),
 * };
 */
export interface RotationTarget {
  /** For messages: `postgres`. */
  readonly name: string;
  readonly strategy: Strategy;
  /**
   * Keys of the stored document that hold the credential. Without them it is the whole value, or the
   * one field that the reference names.
   */
  readonly fields?: { readonly id?: string | undefined; readonly secret: string } | undefined;
  /** What a person has to do after the rotation, as a sentence. */
  readonly reminder?: string | undefined;
  /**
   * The credential to change to. An issuer with `list` makes it on the target, where it works at
   * once; others only think of it. The value that is stored already is refused.
   *
   * @param current - `null` where the store gives no value back.
   */
  propose(current: Credential | null, context: TargetContext): Promise<Credential>;
  /** Makes the target accept the credential. Done twice it is as if done once. */
  set?(next: Credential, context: ChangeContext): Promise<void>;
  /** Whether the target accepts the credential; throws if that cannot be told. */
  works(credential: Credential, context: TargetContext): Promise<boolean>;
  /** All credentials that this rotation may have made and that the target accepts. */
  list?(context: TargetContext): Promise<readonly Issued[]>;
  /** Makes the target refuse the credential. Done twice it is as if done once. */
  revoke?(old: OldCredential, context: ChangeContext): Promise<void>;
  /** Who uses the credential, in words that are safe to print: `3 open sessions`. */
  usedBy?(credential: Credential, context: TargetContext): Promise<readonly string[]>;
}
