/** The audit log of a verb that changes something without running a job. */
import {
  type AuditLog,
  type AuditRecord,
  anchorsFolderName,
  openAuditLog,
  readAuditLog,
} from "../audit/index.ts";
import type { LoadedConfig } from "../config/index.ts";
import { createRedactor } from "../redact/index.ts";
import { readAuditKey } from "./audit-key.ts";
import { type NamedAudit, usualAnchors } from "./audit-options.ts";

/** An audit log that is read, and written where something is to be recorded. */
export interface VerbAudit extends AsyncDisposable {
  /**
   * Verified and in order.
   *
   * @throws SecretError `AUDIT_DAMAGED`, `FILE_NOT_FOUND`.
   */
  records(): Promise<readonly AuditRecord[]>;
  /** Opens it for writing, once. */
  open(): Promise<AuditLog>;
  /** Masks every secret of this process, and what looks like one. */
  clean(text: string): string;
  /** @throws SecretError `AUDIT_NOT_WRITABLE` if not everything is recorded. */
  close(): Promise<void>;
}

/** @throws SecretError As reading the key. */
export async function useAudit(
  named: NamedAudit,
  config: LoadedConfig | null,
  apart: readonly string[] = [],
): Promise<VerbAudit> {
  const key = await readAuditKey(named);
  const place = {
    dir: named.dir,
    anchors: named.anchors ?? usualAnchors(anchorsFolderName(named.dir)),
  };
  // Follows every secret of this process, the key first.
  const redactor = createRedactor();
  const clean = (text: string) => redactor.redact(text);
  let log: AuditLog | undefined;
  return {
    records: () => readAuditLog({ ...place, key }),
    async open() {
      log ??= await openAuditLog({ ...place, key, clean, apart, config: config?.sha256 });
      return log;
    },
    clean,
    async close() {
      const open = log;
      log = undefined;
      await open?.close();
    },
    async [Symbol.asyncDispose]() {
      try {
        // What failed was told by the append that failed.
        await log?.close().catch(() => undefined);
      } finally {
        redactor[Symbol.dispose]();
      }
    },
  };
}
