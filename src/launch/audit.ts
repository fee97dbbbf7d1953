/** What a launch tells its audit log. Loaded only by launches that have one. */
import {
  type AuditEvent,
  type AuditLog,
  type NoticeCode,
  opaque,
  opaqueIfKnown,
  programName,
} from "../audit/index.ts";
import type { MonitorEvent } from "../monitor/index.ts";
import { PathError } from "../paths/index.ts";
import { type Attached, type Resolution, type Secret, SecretError } from "../secrets/index.ts";
import type { EndedBy, Leak } from "./options.ts";

/** A run as its audit log sees it. */
export interface AuditedRun {
  readonly runtime: string;
  readonly command: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly secrets: readonly { readonly secret: Secret; readonly as: "env" | "file" }[];
  readonly attached: readonly Attached[];
  readonly resolutions: readonly Resolution[];
  readonly mounts: number;
}

/** How often findings that repeat are counted in the log. */
const countEveryMs = 10_000;

interface Counted {
  readonly event: Omit<Extract<AuditEvent, { type: "finding.made" }>, "type">;
  /** Since it was recorded last. */
  count: number;
}

export class RunAudit implements Disposable {
  readonly #log: AuditLog;
  readonly #id;
  readonly #findings = new Map<string, Counted>();
  readonly #begun = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: AuditLog, runId: string) {
    this.#log = log;
    this.#id = opaque("id", runId);
  }

  get log(): AuditLog {
    return this.#log;
  }

  /**
   * Records what the job will get, before it gets it.
   *
   * @throws SecretError `AUDIT_NOT_WRITABLE`, `AUDIT_KEY_EXPOSED`.
   */
  async started(run: AuditedRun): Promise<void> {
    this.#assertKeyKept(run);
    const correlationId = this.#id;
    const sourceOf = (name: string | undefined) => {
      const resolution = run.resolutions.find((each) => each.name === name);
      return {
        reference: opaqueIfKnown("reference", resolution?.from.at(-1)),
        provider: opaqueIfKnown("word", resolution?.provider),
        version: opaqueIfKnown("version", resolution?.version),
      };
    };
    const [program = ""] = run.command;
    const events: AuditEvent[] = [
      {
        type: "run.started",
        correlationId,
        runtime: opaque("word", run.runtime),
        program: programName(program),
        command: this.#log.fingerprint(run.command.join("\0")),
        arguments: run.command.length - 1,
        secrets: run.secrets.length + run.attached.length,
        mounts: run.mounts,
      },
      ...run.secrets.map(
        ({ secret, as }): AuditEvent => ({
          type: "secret.injected",
          correlationId,
          name: opaque("name", secret.name ?? ""),
          ...sourceOf(secret.name),
          fingerprint: this.#log.fingerprintFor(secret.fingerprint),
          as,
        }),
      ),
      ...run.attached.map(
        ({ name, attachment }): AuditEvent => ({
          type: "secret.attached",
          correlationId,
          name: opaque("name", name),
          reference: sourceOf(name).reference,
          provider: opaque("word", attachment.provider),
        }),
      ),
    ];
    await Promise.all(events.map((event) => this.#log.append(event)));
  }

  /** Whoever has the key can write the log anew. */
  #assertKeyKept({ secrets, variables }: AuditedRun): void {
    const holder =
      secrets.find(({ secret }) => this.#log.holdsKey(secret.revealBytes()))?.secret.name ??
      Object.entries(variables).find(([, value]) => this.#log.holdsKey(value))?.[0];
    if (holder === undefined) return;
    throw new SecretError(
      "AUDIT_KEY_EXPOSED",
      `${holder} holds the key of the audit log, which no job may get; do not declare or pass it`,
    );
  }

  /** Records that nothing was run, and why. */
  async refused(error: unknown): Promise<void> {
    const isOurs = error instanceof SecretError || error instanceof PathError;
    const code = isOurs ? error.code : "LAUNCH_FAILED";
    await this.#append({ type: "run.refused", correlationId: this.#id, code });
  }

  notice(code: NoticeCode, count: number | undefined): void {
    void this.#append({ type: "run.notice", correlationId: this.#id, code, count });
  }

  /** The first of its kind is recorded at once, further ones are counted. */
  finding({ name, form, strength, stream, fingerprint, count }: Leak): void {
    const key = `${stream} ${strength} ${form} ${fingerprint} ${name}`;
    const known = this.#findings.get(key);
    if (known !== undefined) {
      known.count += count;
      return;
    }
    const event = {
      correlationId: this.#id,
      name: opaqueIfKnown("name", name),
      form: opaque("word", form),
      strength,
      stream,
      fingerprint: this.#log.fingerprintFor(fingerprint),
    };
    this.#findings.set(key, { event, count: count - 1 });
    void this.#append({ type: "finding.made", ...event });
    this.#timer ??= setInterval(() => void this.#count(), countEveryMs).unref();
  }

  /** What the monitor judged and did. */
  monitored(event: MonitorEvent): void {
    const correlationId = this.#id;
    if (event.type === "alert-failed") {
      const { sink, reason: why } = event;
      void this.#append({ type: "alert.failed", correlationId, sink: opaque("word", sink), why });
      return;
    }
    const common = {
      correlationId,
      fingerprint: this.#log.fingerprintFor(event.fingerprint),
      name: opaqueIfKnown("name", event.name),
    };
    if (event.type === "rotation") {
      void this.#append({ type: "monitor.rotation", ...common, outcome: event.outcome });
      return;
    }
    const rule = opaqueIfKnown("word", event.rule);
    if (event.type === "halt") {
      void this.#append({ type: "monitor.halted", ...common, rule });
      return;
    }
    const { confidence, severity, action, stream, strength } = event;
    const form = opaqueIfKnown("word", event.form);
    void this.#append({
      type: "monitor.finding",
      ...common,
      ...{ confidence, severity, action, stream, strength },
      ...{ rule, form },
    });
  }

  /** Records the end. */
  async ended(end: {
    readonly endedBy: EndedBy;
    readonly exitCode: number;
    readonly redactions: number;
    readonly outputLost: boolean;
  }): Promise<void> {
    clearInterval(this.#timer);
    const durationMs = Math.round(performance.now() - this.#begun);
    await Promise.all([
      this.#count(),
      this.#append({ type: "run.ended", correlationId: this.#id, ...end, durationMs }),
    ]);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #count(): Promise<void> {
    const events = [...this.#findings.values()].flatMap((each): AuditEvent[] => {
      const { count, event } = each;
      each.count = 0;
      return count === 0 ? [] : [{ type: "finding.repeated", ...event, count }];
    });
    await Promise.all(events.map((event) => this.#append(event)));
  }

  /** That a log failed is told by its `onFailure`, once. */
  async #append(event: AuditEvent): Promise<void> {
    try {
      await this.#log.append(event);
    } catch (error) {
      if (error instanceof SecretError && error.code === "AUDIT_NOT_WRITABLE") return;
      process.emitWarning("nopeek: an event could not be recorded in the audit log");
    }
  }
}
