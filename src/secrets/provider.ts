import type { SecretError } from "./errors.ts";
import type { Reference } from "./reference.ts";

/**
 * What a provider can do. `read`: give values. `attach`: have a secret injected where it lives,
 * without reading it. `write`: change what is stored. `stage`: versions with a compare-and-swap, for
 * rotation. Asking for what a provider does not list is an error of its own code.
 */
export type Capability = "read" | "attach" | "write" | "stage";

/** A value as its store keeps it. Exists only between a provider and `createSecrets`. */
export interface StoredValue {
  readonly value: string | Uint8Array;
  /** The store's own name of the version, safe to print. */
  readonly version?: string | undefined;
  /** When this version was made, in milliseconds since 1970. */
  readonly createdAtMs?: number | undefined;
  /** Where exactly it was found, safe to print, such as the path of the file. */
  readonly origin?: string | undefined;
}

/**
 * What became of one reference: the value; `null` only if the store says that it does not exist;
 * an error for everything else. A refused credential is not a missing secret.
 */
export type ReadOutcome = StoredValue | SecretError | null;

/** A named secret of a runtime, by name and keys: there is no value here. */
export interface Attachment {
  /** The name of the provider. */
  readonly provider: string;
  readonly environment: string | undefined;
  readonly name: string;
  /** The keys that were asked for and exist. */
  readonly keys: readonly string[];
}

/** As {@link ReadOutcome}, without a value. */
export type AttachOutcome = Attachment | SecretError | null;

/**
 * A change of what is stored. `value` replaces all of it. `fields` are keys of a JSON document or
 * of a named secret: `replace` leaves only these, `merge` keeps the others, and `null` removes one.
 */
export type Change =
  | { readonly mode: "replace"; readonly value: string | Uint8Array }
  | {
      readonly mode: "replace" | "merge";
      readonly fields: Readonly<Record<string, string | null>>;
    };

export interface Written {
  /** The store's name of the new version, where it has versions. */
  readonly version?: string | undefined;
}

/** Given to every call of a provider. */
export interface CallContext {
  /** Aborted when the resolver is closed. */
  readonly signal: AbortSignal;
}

/** Which versions play which part in a rotation. */
export interface Stages {
  /** What consumers read. */
  readonly current: string | undefined;
  /** What they read before. */
  readonly previous: string | undefined;
  /** The one version that a rotation is preparing. */
  readonly pending: string | undefined;
  /** The version that was current when the pending one was made. */
  readonly pendingBase: string | undefined;
  /** When the pending one was made or claimed, in milliseconds since 1970. */
  readonly pendingSinceMs: number | undefined;
  /**
   * When the rotation ended that made the current one, in milliseconds since 1970; undefined before
   * its end, and if it was no rotation that made it current.
   */
  readonly rotatedAtMs: number | undefined;
}

/**
 * Versions of a secret for rotation: one pending version at a time, promoted by compare-and-swap.
 * Versions are read by their own name, never by their part, since that may lag behind.
 */
export interface StageControl {
  /** The parts as they are now. */
  stages(reference: Reference, context: CallContext): Promise<Stages>;
  /** Reads one version by its name. */
  readVersion(reference: Reference, version: string, context: CallContext): Promise<StoredValue>;
  /**
   * Stores a version that has no part yet.
   *
   * @param made - `token`: repeating the call with it makes no second version where the store can
   *   tell; `base`: the version that it is made from.
   * @returns The name of the version.
   */
  add(
    reference: Reference,
    made: { readonly token: string; readonly base: string; readonly value: string | Uint8Array },
    context: CallContext,
  ): Promise<string>;
  /** Makes an added version the pending one; false if there is one already or `base` is not current. */
  claim(
    reference: Reference,
    version: string,
    base: string,
    context: CallContext,
  ): Promise<boolean>;
  /** Makes an added version the pending one in the place of `from`; false if that is not pending. */
  replace(reference: Reference, from: string, to: string, context: CallContext): Promise<boolean>;
  /**
   * Makes the pending version current, and `from` the previous one; false if `from` is not current
   * any more. It stays the pending one too until `finish`: its copies may be still to be updated.
   */
  promote(reference: Reference, from: string, to: string, context: CallContext): Promise<boolean>;
  /**
   * Ends the rotation whose version is current: it is pending no more, the time is noted, and what
   * interrupted rotations added is taken back. Does nothing if the version is not pending.
   */
  finish(reference: Reference, version: string, context: CallContext): Promise<void>;
  /** Ends the overlap: the version is not the previous one any more. */
  retire(reference: Reference, version: string, context: CallContext): Promise<void>;
  /** Takes back what `add` and `claim` did for the version; does nothing to a current one's value. */
  drop(reference: Reference, version: string, context: CallContext): Promise<void>;
}

/**
 * A store behind the one interface. Implement it to add a store.
 *
 * @example
 * const vault: SecretProvider = {
 *   name: "vault",
 *   schemes: ["vault"],
 *   capabilities: ["read"],
 *   read: (references, { signal }) =>
 *     Promise.all(references.map((reference) => readOne(reference.path, signal))),
 * };
 */
export interface SecretProvider {
  /** For messages: `env`, `aws`. */
  readonly name: string;
  /** The schemes of the references it serves. */
  readonly schemes: readonly string[];
  readonly capabilities: readonly Capability[];
  /** What to do instead of something it cannot do, as a sentence without a value. */
  readonly whyNot?: Readonly<Partial<Record<Capability, string>>>;
  /** Reads cost nothing and change at any time, so values are never kept. */
  readonly local?: boolean;
  /**
   * Schemes whose `#field` the provider itself selects. For all others a field is taken from the
   * stored JSON document by `createSecrets`.
   */
  readonly ownFields?: readonly string[];

  /**
   * Reads many references at once, with as few calls as the store allows.
   *
   * @param references - Unique, of the provider's schemes. Without `field`, unless the scheme is
   *   one of `ownFields`.
   * @returns One outcome for each reference, in the same order.
   * @throws {@link SecretError} If the whole call failed.
   */
  read?(references: readonly Reference[], context: CallContext): Promise<readonly ReadOutcome[]>;

  /**
   * Checks that secrets exist with the keys that the references name as their fields, without
   * reading them.
   *
   * @returns One outcome for each reference, in the same order.
   */
  attach?(
    references: readonly Reference[],
    context: CallContext,
  ): Promise<readonly AttachOutcome[]>;

  /**
   * Changes what is stored, or creates it.
   *
   * @throws {@link SecretError} `SECRET_CONFLICT` if somebody else changed it meanwhile.
   */
  write?(reference: Reference, change: Change, context: CallContext): Promise<Written>;

  readonly stage?: StageControl;

  /**
   * Keeps other rotations of the same secret out until the lock is disposed, also those of other
   * processes; for a store that has no versions.
   *
   * @throws {@link SecretError} `SECRET_CONFLICT` if somebody else holds it.
   */
  lock?(reference: Reference, context: CallContext): Promise<AsyncDisposable>;

  /** Frees what the provider itself opened; a client that was given stays open. */
  close?(): Promise<void>;
}
