/**
 * Rotation: replaces a credential without a moment in which none works. Exported as `nopeek/rotate`.
 *
 * @module
 */
export { type AuditedRotation, RotationAudit } from "./audit.ts";
export { type CommandTargetOptions, command } from "./command.ts";
export type { RotationEvent } from "./events.ts";
export type { Copy, RotateOptions, RotationResult, RotationStep } from "./options.ts";
export { type PastedOptions, pasted } from "./pasted.ts";
export { entropyBits, type RandomOptions, random, randomValue } from "./random.ts";
export { rotate } from "./rotate.ts";
export type {
  ChangeContext,
  Credential,
  Issued,
  OldCredential,
  RotationTarget,
  Strategy,
  TargetContext,
} from "./target.ts";
