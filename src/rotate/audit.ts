/** What a rotation tells an audit log. */
import {
  type AuditEvent,
  type AuditEventOf,
  type AuditSink,
  opaque,
  opaqueIfKnown,
} from "../audit/index.ts";
import { errorCodes, SecretError, type SecretErrorCode } from "../secrets/index.ts";
import type { RotationEvent } from "./events.ts";
import type { RotationResult } from "./options.ts";
import type { Strategy } from "./target.ts";

type Step = AuditEventOf<"rotation.step">["step"];

/** A rotation as its log sees it. */
export interface AuditedRotation {
  /** Where its events go. */
  readonly audit: AuditSink;
  /** A random UUID: of this rotation, or of the incident that it belongs to. */
  readonly correlationId: string;
  readonly reference: string;
  readonly strategy: Strategy;
  readonly leaked: boolean;
  readonly name?: string | undefined;
  /** How long the old credential goes on working, in milliseconds. */
  readonly overlapMs: number;
}

/** Why nothing was rotated, by what became of it. */
const skipped: Readonly<
  Partial<Record<RotationResult["outcome"], AuditEventOf<"rotation.skipped">["why"]>>
> = {
  planned: "planned-only",
  fresh: "not-due",
  busy: "done-by-another",
  superseded: "done-by-another",
};

/** Records one rotation: its start before anything is done, then each step, then the end. */
export class RotationAudit {
  readonly #about: AuditedRotation;
  readonly #common;
  readonly #pending: Promise<unknown>[] = [];
  /** Versions that are not current any more, by this rotation. */
  readonly #finished = new Set<string | undefined>();
  #step: Step = "create";
  #current: string | undefined;
  #next: string | undefined;

  constructor(about: AuditedRotation) {
    this.#about = about;
    this.#common = {
      correlationId: opaque("id", about.correlationId),
      reference: opaque("reference", about.reference),
    };
  }

  /** @throws SecretError `AUDIT_NOT_WRITABLE`: then nothing may be rotated. */
  async started(): Promise<void> {
    const { audit, strategy, leaked, name } = this.#about;
    await audit.append({
      type: "rotation.started",
      ...this.#common,
      ...{ strategy, leaked },
      name: opaqueIfKnown("name", name),
    });
  }

  /** For `onEvent` of a rotation. */
  take(event: RotationEvent): void {
    const told = this.#eventOf(event);
    if (told === null) return;
    // A log that fails is told at the end: a rotation that is under way must not be left half done.
    this.#pending.push(this.#about.audit.append(told).catch((error: unknown) => error));
  }

  /**
   * Records what became of it, and waits until all is on the disk.
   *
   * @param result - Null if it threw: `take` was told why.
   * @throws SecretError As the log, if something could not be recorded.
   */
  async ended(result: RotationResult | null): Promise<void> {
    const why = skipped[result?.outcome ?? "rotated"];
    if (why !== undefined) {
      const version = opaqueIfKnown("version", result?.version);
      this.#pending.push(
        this.#about.audit
          .append({ type: "rotation.skipped", ...this.#common, why, version })
          .catch((error: unknown) => error),
      );
    }
    const failed = (await Promise.all(this.#pending)).find((each) => each instanceof SecretError);
    if (failed !== undefined) throw failed;
  }

  #eventOf(event: RotationEvent): AuditEvent | null {
    const version = "version" in event ? opaqueIfKnown("version", event.version) : undefined;
    const step = (name: Step, outcome: AuditEventOf<"rotation.step">["outcome"]): AuditEvent => {
      this.#step = name;
      return { type: "rotation.step", ...this.#common, step: name, outcome, version };
    };
    switch (event.type) {
      case "started":
        this.#current = event.current;
        return null;
      case "resumed":
        this.#next = event.version;
        return step("create", "resumed");
      case "created":
        this.#next = event.version;
        return step("create", "done");
      case "set":
        return step("set", "done");
      case "tested": {
        // What was current works no more once it is revoked: that is what was wanted.
        const isRevoked = !event.works && this.#finished.has(event.version);
        return isRevoked ? step("revoke", "done") : step("test", event.works ? "done" : "failed");
      }
      case "finished": {
        this.#step = "finish";
        this.#finished.add(event.previous);
        const { overlapMs } = this.#about;
        return {
          type: "rotation.finished",
          ...this.#common,
          from: opaqueIfKnown("version", event.previous),
          to: version ?? opaque("version", ""),
          revokeAfterMs: Math.ceil(overlapMs),
        };
      }
      case "copy-updated":
      case "copy-failed": {
        this.#step = "copy";
        const copy = opaque("reference", event.copy);
        const result =
          event.type === "copy-updated"
            ? { outcome: "done" as const }
            : { outcome: "failed" as const, code: codeFor(event.code) };
        return { type: "rotation.step", ...this.#common, step: "copy", copy, ...result };
      }
      case "rolled-back":
        return {
          type: "rotation.rolled-back",
          ...this.#common,
          step: this.#step,
          current: opaqueIfKnown("version", this.#current),
        };
      case "promoted":
      case "superseded":
        return null;
      case "revoked":
        this.#step = "revoke";
        return {
          type: "rotation.revoked",
          ...this.#common,
          version: version ?? opaque("version", ""),
        };
      case "orphan-revoked":
        return step("revoke", "done");
      case "failed":
        return this.#failed(codeFor(event.code));
    }
  }

  #failed(code: SecretErrorCode): AuditEvent | null {
    // Was told as such already.
    if (code === "ROTATION_ROLLED_BACK") return null;
    if (code !== "ROTATION_INCOMPLETE") {
      return { type: "rotation.step", ...this.#common, step: this.#step, outcome: "failed", code };
    }
    return {
      type: "rotation.incomplete",
      ...this.#common,
      step: this.#step,
      current: opaqueIfKnown("version", this.#current),
      pending: opaqueIfKnown("version", this.#next),
      code,
    };
  }
}

function codeFor(text: string): SecretErrorCode {
  return Object.hasOwn(errorCodes, text) ? (text as SecretErrorCode) : "SECRET_UNREACHABLE";
}
