/** The door to every store, as its users see it; `resolver.ts` is what stands behind it. */
import type { Attached } from "./attached.ts";
import type { CacheOptions } from "./cache.ts";
import type { Declarations, LoadedSecrets, SecretInput } from "./declaration.ts";
import type { SecretFailure } from "./errors.ts";
import type { SecretProvider, Written } from "./provider.ts";
import type { Reference } from "./reference.ts";
import type { Secret } from "./secret.ts";
import type { PutOptions, PutValue } from "./writing.ts";

/** Called with every secret that a resolver gives, before the caller gets it. */
export type SecretObserver = (secret: Secret, reference: Reference) => void;

export interface SecretsOptions {
  /** Each scheme may be served by one provider. */
  readonly providers: readonly SecretProvider[];
  readonly observers?: readonly SecretObserver[];
  /** Declarations that name another environment are refused. */
  readonly environment?: string | undefined;
  /** How long values of remote stores are kept; `false` reads each time. */
  readonly cache?: CacheOptions | false | undefined;
  /** Told when an old value is used because its store fails; default: a process warning. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

export interface GetOptions {
  /** The name that stands in the mask. */
  readonly name?: string | undefined;
  /** Refuses a kept value that is older, in milliseconds; 0 always asks the store. */
  readonly maxAgeMs?: number | undefined;
  /** Ends the wait of this caller; a read that others share goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface ResolveOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Names of the providers whose secrets may be attached instead of read. Without it a secret is
   * attached only if no source of its declaration can be read.
   */
  readonly attach?: readonly string[] | undefined;
}

/** What became of one declared name; safe to print but for `secret`. */
export interface Resolution {
  readonly name: string;
  /** `null` with a failure, with `attached`, and for an optional secret that does not exist. */
  readonly secret: Secret | null;
  readonly attached?: Attached | undefined;
  /** The reference that was taken, or those that were tried. */
  readonly from: readonly string[];
  readonly provider?: string | undefined;
  readonly version?: string | undefined;
  readonly createdAtMs?: number | undefined;
  readonly origin?: string | undefined;
  readonly failure?: SecretFailure | undefined;
}

/** One door to every store. */
export interface Secrets {
  /**
   * Reads one secret.
   *
   * @throws {@link SecretError} `SECRET_NOT_FOUND` if the store says so, and a code of its own for
   *   whatever else is wrong.
   */
  get(reference: string | Reference, options?: GetOptions): Promise<Secret>;
  /** Like `get`, with `null` instead of `SECRET_NOT_FOUND`; everything else still throws. */
  find(reference: string | Reference, options?: GetOptions): Promise<Secret | null>;
  /**
   * Reads everything that is declared, all of it or nothing.
   *
   * @throws {@link SecretError} `SECRETS_UNRESOLVED` with every failure listed; a single failure is
   *   thrown with its own code.
   */
  load<Input extends Record<string, SecretInput>>(
    declarations: Declarations<Input>,
    options?: ResolveOptions,
  ): Promise<LoadedSecrets<Input>>;
  /** Like `load`, but tells of each name instead of throwing. */
  resolve(declarations: Declarations, options?: ResolveOptions): Promise<readonly Resolution[]>;
  /**
   * Writes a value (`scheme://path`), one key (`scheme://path#key`) or several keys of a document.
   *
   * @throws {@link SecretError} `SECRET_NOT_WRITABLE`, `SECRET_MASKED`, and what the store answers.
   *
   * @example
   * await secrets.put("aws-sm://ml/hf#token", token);
   * await secrets.put("modal://hf", { HF_TOKEN: token, OLD_TOKEN: null }, { mode: "merge" });
   */
  put(reference: string | Reference, value: PutValue, options?: PutOptions): Promise<Written>;
  /**
   * Forgets what is kept of the secret's store, or of all stores; also what is being read just now.
   * One secret has many spellings, so its whole store is forgotten.
   */
  invalidate(reference?: string | Reference): void;
  /**
   * The provider that serves a reference, for what needs more of it than its values: a rotation.
   *
   * @throws {@link SecretError} `SCHEME_UNKNOWN`.
   */
  providerOf(reference: string | Reference): SecretProvider;
  /** Ends what is under way and closes the providers; a client that was given stays open. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
