/**
 * The core of nopeek, exported as `nopeek`: secrets, references, providers and the resolver.
 *
 * @module
 */
export {
  type Attachment,
  type AttachOutcome,
  type CallContext,
  type Capability,
  type Change,
  createSecrets,
  type Declarations,
  defineSecrets,
  errorCodes,
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
  type StageControl,
  type Stages,
  type StandardSchema,
  type StoredValue,
  type Written,
} from "./secrets/index.ts";
