import type { SecretError } from "./errors.ts";
import type { Reference } from "./reference.ts";

/**
 * What a provider can do. `read`: give values. Asking for what a provider does not list is an error
 * of its own code.
 */
export type Capability = "read";

/** A value as its store keeps it. Exists only between a provider and `createSecrets`. */
export interface StoredValue {
  readonly value: string | Uint8Array;
  /** The store's own name of the version, safe to print. */
  readonly version?: string | undefined;
  /** Where exactly it was found, safe to print, such as the path of the file. */
  readonly origin?: string | undefined;
}

/**
 * What became of one reference: the value; `null` only if the store says that it does not exist;
 * an error for everything else. A refused credential is not a missing secret.
 */
export type ReadOutcome = StoredValue | SecretError | null;

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
  read?(
    references: readonly Reference[],
    context: { readonly signal: AbortSignal },
  ): Promise<readonly ReadOutcome[]>;

  /** Frees what the provider itself opened. */
  close?(): Promise<void>;
}
