/** What can be wrong with a log, and what that means. */
export const damageKinds = {
  malformed: "this is no record",
  changed: "the bytes were changed, or written without the key",
  "out-of-order": "records were taken away, doubled or moved before this line",
  foreign: "this record was written for another place",
  truncated: "records at the end are missing that an anchor vouches for",
  rewritten: "the records are others than those that an anchor vouches for",
  missing: "the file is gone, and an anchor vouches for it",
  unanchored: "no anchor knows this file: anchors were taken away",
  unreadable: "the file cannot be read, or is no regular file",
} as const;

export type DamageKind = keyof typeof damageKinds;

/** Where a log was changed. */
export interface Damage {
  /** The file, in the folder of the records or of the anchors. */
  readonly file: string;
  /**
   * Counted from 1; the first line that cannot be vouched for: lines that were written together are
   * vouched for together. Missing where it is the whole file.
   */
  readonly line: number | undefined;
  readonly kind: DamageKind;
}

/** What is worth knowing and no sign of a change. */
export const noticeKinds = {
  torn: "what was written last is not whole: the writer was killed meanwhile; nothing of it was acknowledged",
  "not-closed": "its writer has not closed it: it still runs, or was killed",
  "never-begun": "its writer was killed before the first record",
  unexpected: "this is no file of an audit log",
} as const;

export interface AuditNotice {
  readonly file: string;
  readonly kind: keyof typeof noticeKinds;
}

/** What the check of a log found. */
export interface AuditReport {
  /** Nothing is damaged. */
  readonly ok: boolean;
  readonly files: number;
  /** Records that are vouched for. */
  readonly records: number;
  readonly anchors: number;
  /** When the newest anchor was made: what came later could be cut off unseen. */
  readonly anchoredAt: string | undefined;
  readonly damages: readonly Damage[];
  readonly notices: readonly AuditNotice[];
}
