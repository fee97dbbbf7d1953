/**
 * Secrets, the references that name them, and the resolver that reads them from any store. Exported
 * as `nopeek`.
 *
 * @module
 */
export { Attached } from "./attached.ts";
export type { CacheOptions } from "./cache.ts";
export { credentialParts, credentialWords, isCredentialName } from "./credential-name.ts";
export {
  assertVariableName,
  type Declarations,
  defineSecrets,
  type LoadedSecrets,
  looksLikeName,
  type SecretDeclaration,
  type SecretInput,
} from "./declaration.ts";
export { changedDocument } from "./document.ts";
export { checkDuration, longestTimerMs, timerMs } from "./duration.ts";
export {
  codeOf,
  errorCodes,
  kindOf,
  SecretError,
  type SecretErrorCode,
  type SecretFailure,
  throwFailures,
} from "./errors.ts";
export { selectField } from "./field.ts";
export { fingerprint } from "./fingerprint.ts";
export { onSecret, type SecretListener } from "./on-secret.ts";
export { commonKind, minMaskedBytes, plainReason } from "./plain.ts";
export type {
  Attachment,
  AttachOutcome,
  CallContext,
  Capability,
  Change,
  ReadOutcome,
  SecretProvider,
  StageControl,
  Stages,
  StoredValue,
  Written,
} from "./provider.ts";
export { looksLikeReference, parseReference, type Reference } from "./reference.ts";
export { createSecrets } from "./resolver.ts";
export { assertUnmasked, maskOf, Secret } from "./secret.ts";
export type {
  GetOptions,
  Resolution,
  ResolveOptions,
  SecretObserver,
  Secrets,
  SecretsOptions,
} from "./secrets.ts";
export type { StandardSchema } from "./standard-schema.ts";
export type { PutOptions, PutValue } from "./writing.ts";
