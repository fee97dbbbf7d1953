/**
 * An append-only log of what was done, which cannot be changed unseen. Exported as `nopeek/audit`.
 *
 * @module
 */
export { currentActor } from "./actor.ts";
export { AuditBuffer, type EarlierEvent } from "./buffer.ts";
export type { Clean } from "./encode.ts";
export {
  type AuditEvent,
  type AuditEventOf,
  type AuditEventType,
  eventTypes,
  type NoticeCode,
  programName,
} from "./events.ts";
export { type Opaque, opaque, opaqueIfKnown, type TextKind, withheld } from "./fields.ts";
export type { AppendFile } from "./file.ts";
export {
  type AuditLog,
  type AuditLogOptions,
  type AuditSink,
  openAuditLog,
} from "./log.ts";
export { type AuditPlace, anchorsFolderName } from "./place.ts";
export { type AuditFilter, type AuditRecord, type ReadOptions, readAuditLog } from "./read.ts";
export {
  type AuditNotice,
  type AuditReport,
  type Damage,
  type DamageKind,
  damageKinds,
  noticeKinds,
} from "./report.ts";
export { type VerifyOptions, verifyAuditLog } from "./verify.ts";
