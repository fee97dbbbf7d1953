/**
 * The core of nopeek, exported as `nopeek`: secrets, references, providers and the resolver.
 *
 * @module
 */
export {
  createSecrets,
  type Declarations,
  defineSecrets,
  type GetOptions,
  type LoadedSecrets,
  onSecret,
  parseReference,
  type ReadOutcome,
  type Reference,
  type Resolution,
  Secret,
  type SecretDeclaration,
  SecretError,
  type SecretErrorCode,
  type SecretFailure,
  type SecretInput,
  type SecretListener,
  type SecretObserver,
  type SecretProvider,
  type Secrets,
  type SecretsOptions,
  type StandardSchema,
  type StoredValue,
} from "./secrets/index.ts";
