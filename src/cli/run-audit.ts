/** The audit log of `nopeek run`. Loaded only where there is one. */
import {
  AuditBuffer,
  type AuditLog,
  anchorsFolderName,
  opaque,
  openAuditLog,
} from "../audit/index.ts";
import { hashConfig, type LoadedConfig } from "../config/index.ts";
import { createRedactor } from "../redact/index.ts";
import { readAuditKey } from "./audit-key.ts";
import { type NamedAudit, usualAnchors } from "./audit-options.ts";

/** An audit log that was opened for a run. */
export interface OpenAudit {
  readonly log: AuditLog;
  readonly onFailure: "continue" | "halt" | undefined;
  /** Whether the configuration is another than at the start; recorded if so. */
  hasConfigChanged(): Promise<boolean>;
  /** Closes it; false if not everything is recorded. */
  close(): Promise<boolean>;
}

export interface RunAuditOptions {
  readonly runId: string;
  readonly config: LoadedConfig | null;
  /** How many variables were passed on as plain. */
  readonly plainValues: number;
  readonly onFailure: "continue" | "halt" | undefined;
  /** Folders and files that the log must be apart from. */
  readonly apart: readonly (string | undefined)[];
}

/**
 * Opens the audit log of a run.
 *
 * @throws SecretError `AUDIT_*`, and what reading the key throws.
 */
export async function openRunAudit(
  named: NamedAudit,
  options: RunAuditOptions,
): Promise<OpenAudit> {
  const { config } = options;
  const correlationId = opaque("id", options.runId);
  const early = new AuditBuffer();
  if (options.plainValues > 0) {
    early.append({
      type: "run.notice",
      correlationId,
      code: "plain-values",
      count: options.plainValues,
    });
  }
  const key = await readAuditKey(named);
  // Follows every secret of this process, the key first.
  const redactor = createRedactor();
  const log = await openAuditLog({
    dir: named.dir,
    anchors: named.anchors ?? usualAnchors(anchorsFolderName(named.dir)),
    key,
    clean: (text) => redactor.redact(text),
    apart: options.apart.flatMap((path) => path ?? []),
    config: config?.sha256,
    earlier: early,
  });
  return {
    log,
    onFailure: options.onFailure,
    async hasConfigChanged() {
      if (config === null) return false;
      const now = await hashConfig(config.file).catch(() => null);
      if (now === config.sha256) return false;
      await log
        .append({ type: "run.notice", correlationId, code: "config-changed" })
        .catch(() => undefined);
      return true;
    },
    async close() {
      try {
        await log.close();
        return true;
      } catch {
        return false;
      } finally {
        redactor[Symbol.dispose]();
      }
    },
  };
}
