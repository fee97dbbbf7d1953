import { createHmac, randomBytes } from "node:crypto";
import { SecretError } from "../secrets/index.ts";
import type { JudgedFinding, MonitorEvent, RotationOutcome } from "./events.ts";
import { cleanFinding, type MonitoredFinding, type MonitoredStream, rankOf } from "./finding.ts";
import { type Incident, lineOf, rotationLines } from "./incident.ts";
import { judgeCommand } from "./judge.ts";
import { type Entry, Ledger } from "./ledger.ts";
import type { Watch, WatchedRun } from "./monitor.ts";
import type { MonitorOptions } from "./options.ts";
import type { Decide } from "./policy.ts";
import { type AlertSink, SinkQueue } from "./sink.ts";
import { Telling } from "./telling.ts";

export interface WatchParts extends Pick<MonitorOptions, "rotate" | "record" | "alertsPerMinute"> {
  readonly decide: Decide;
  readonly sinks: readonly AlertSink[];
  readonly review: boolean;
}

/** As long as an alert may take by default: the last one is the one that matters. */
const alertWaitMs = 5_000;
const rotationWaitMs = 60_000;
const defaultAlertsPerMinute = 20;

/** Fingerprints of one process cannot be compared with those of another. */
const reviewKey = randomBytes(32);

/** A run under watch: keeps counts by kind and what was told already, and does what is decided. */
export class RunWatch implements Watch {
  readonly #run: WatchedRun;
  readonly #parts: WatchParts;
  readonly #ledger: Ledger;
  readonly #telling: Telling;
  readonly #queues: readonly SinkQueue[];
  readonly #settled = new WeakSet<Entry>();
  /** What each secret's rotation came to. */
  readonly #rotations = new Map<string, { name: string | undefined; outcome: RotationOutcome }>();
  readonly #rotating = new Set<Promise<void>>();
  readonly #recording = new Set<Promise<unknown>>();
  /** What was recorded before the job ran; a record of a run begins with its start. */
  #early: MonitorEvent[] | null = [];
  #halt: (() => void) | undefined;
  #halted: JudgedFinding | undefined;
  #suppressed = 0;
  #end: Promise<Incident | undefined> | undefined;

  constructor(run: WatchedRun, parts: WatchParts) {
    this.#run = run;
    this.#parts = parts;
    this.#ledger = new Ledger(parts.decide, (finding) => this.#isInjected(finding));
    this.#telling = new Telling(parts.alertsPerMinute ?? defaultAlertsPerMinute);
    this.#queues = parts.sinks.map(
      (sink) =>
        new SinkQueue(sink, (reason) => {
          this.#record({ type: "alert-failed", runId: run.runId, sink: sink.name, reason });
          this.#say(`an alert did not reach the ${sink.name} (${reason})`);
        }),
    );
  }

  judge(command: readonly string[], upward: readonly number[]): void {
    if (!this.#parts.review) return;
    for (const { detector, position } of judgeCommand(command, upward)) {
      const fingerprint = fingerprintOf(`${detector} ${command[position]}`);
      const hit = { rule: detector, detector, fingerprint, isMasked: false };
      const entry = this.#note(hit, "command");
      if (rankOf(entry.action) < rankOf("halt")) continue;
      throw new SecretError(
        "COMMAND_REFUSED",
        `argument ${position} of the command: ${detector} is refused here (monitor.onFinding)`,
      );
    }
  }

  guard(halt: () => void): void {
    this.#recordEarly();
    this.#halt = halt;
    if (this.#halted !== undefined) this.#haltNow();
  }

  sighted(finding: MonitoredFinding, stream: "stdout" | "stderr"): void {
    this.#act(this.#ledger.entryOf(finding, stream), finding);
  }

  masked(finding: MonitoredFinding, stream: "stdout" | "stderr", count = 1): void {
    this.#note(finding, stream, count);
  }

  end(): Promise<Incident | undefined> {
    this.#end ??= this.#finish();
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  #note(finding: MonitoredFinding, stream: MonitoredStream, count = 1): Entry {
    const entry = this.#ledger.entryOf(finding, stream);
    this.#ledger.add(entry, count);
    this.#act(entry, finding);
    return entry;
  }

  /** Does what was decided, unless as much was done about the same text on this stream. */
  #act(entry: Entry, found: MonitoredFinding): void {
    if (this.#settled.has(entry)) return;
    const { fingerprint } = cleanFinding(found);
    const due = this.#telling.dueOf(entry, this.#ledger.kindOf(entry), fingerprint);
    if (due.isDone) {
      // All findings of a value's kind are of that value; a rule's are of many.
      if (entry.rule === undefined) this.#settled.add(entry);
      return;
    }
    const rank = rankOf(entry.action);
    if (!due.alerts && (!due.isNew || rank >= rankOf("alert"))) this.#suppressed++;
    const { count: _, ...facts } = entry;
    const finding: JudgedFinding = { ...facts, fingerprint };
    const { runId } = this.#run;
    if (due.isNew) this.#record({ type: "finding", runId, ...finding });
    if (rank >= rankOf("halt") && entry.stream !== "command") this.#stop(finding);
    if (due.alerts) this.#alert(finding);
    if (entry.action === "halt+rotate") this.#rotate(finding);
  }

  #alert(finding: JudgedFinding): void {
    const text = lineOf(finding);
    this.#say(text);
    const { runId } = this.#run;
    const time = new Date().toISOString();
    for (const queue of this.#queues) queue.push({ type: "alert", runId, time, text, ...finding });
  }

  #stop(finding: JudgedFinding): void {
    if (this.#halted !== undefined) return;
    this.#halted = finding;
    const { name, rule, fingerprint } = finding;
    this.#haltNow();
    this.#record({ type: "halt", runId: this.#run.runId, name, rule, fingerprint });
  }

  #haltNow(): void {
    try {
      this.#halt?.();
    } catch {
      this.#say("the job could not be halted; stop it yourself");
    }
  }

  /** Whoever cannot say whose a value is gets no job halted for it. */
  #isInjected(finding: MonitoredFinding): boolean {
    try {
      return this.#run.isInjected(finding);
    } catch {
      return false;
    }
  }

  #rotate(finding: JudgedFinding): void {
    const { fingerprint, name } = finding;
    if (this.#rotations.has(fingerprint)) return;
    const { rotate } = this.#parts;
    const { runId } = this.#run;
    const settle = (outcome: RotationOutcome) => {
      this.#rotations.set(fingerprint, { name, outcome });
      this.#record({ type: "rotation", runId, name, fingerprint, outcome });
      const line = rotationLines[outcome];
      if (line !== null) this.#say(`${name ?? "a secret"} ${line}`);
    };
    if (rotate === undefined) {
      settle("unavailable");
      return;
    }
    settle("started");
    const work = (async () => rotate({ ...finding, runId }))()
      .then(
        (answer) => settle(answer === "unavailable" ? "unavailable" : "done"),
        // Its error may be a store's, and quote a value.
        () => settle("failed"),
      )
      .finally(() => this.#rotating.delete(work));
    this.#rotating.add(work);
  }

  async #finish(): Promise<Incident | undefined> {
    this.#recordEarly();
    await Promise.all([
      ...this.#queues.map((queue) => queue.close(alertWaitMs)),
      within(rotationWaitMs, this.#rotating),
    ]);
    for (const [fingerprint, { name, outcome }] of this.#rotations) {
      if (outcome !== "started") continue;
      this.#rotations.set(fingerprint, { name, outcome: "unfinished" });
      this.#record({
        type: "rotation",
        runId: this.#run.runId,
        name,
        fingerprint,
        outcome: "unfinished",
      });
      this.#say(`${name ?? "a secret"} ${rotationLines.unfinished}`);
    }
    await within(alertWaitMs, this.#recording);
    return this.#incident();
  }

  #incident(): Incident | undefined {
    const findings = this.#ledger.counts;
    // Many a command has characters of a shell in it: that alone is no incident.
    const isTelling = findings.some(
      ({ stream, action }) => stream !== "command" || action !== "review",
    );
    if (!isTelling) return undefined;
    return {
      runId: this.#run.runId,
      findings,
      halted: this.#halted && {
        name: this.#halted.name,
        rule: this.#halted.rule,
        stream: this.#halted.stream,
      },
      rotations: [...this.#rotations.values()],
      alerts: this.#queues.map(({ counts }) => counts),
      suppressed: this.#suppressed,
    };
  }

  /** A record that fails is no reason to let a job go on or to stop it; its keeper tells of it. */
  #record(event: MonitorEvent): void {
    if (this.#early !== null) {
      this.#early.push(event);
      return;
    }
    try {
      this.#run.record?.(event);
      const result = this.#parts.record?.(event);
      if (!(result instanceof Promise)) return;
      const settled = result.catch(() => undefined).finally(() => this.#recording.delete(settled));
      this.#recording.add(settled);
    } catch {
      this.#say("an event of the monitor could not be recorded");
    }
  }

  #recordEarly(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const event of early) this.#record(event);
  }

  #say(line: string): void {
    try {
      this.#run.say(line);
    } catch {
      process.emitWarning("nopeek: a listener of a monitor threw an error, which was ignored");
    }
  }
}

function fingerprintOf(text: string): string {
  return `process:${createHmac("sha256", reviewKey).update(text).digest("hex").slice(0, 32)}`;
}

/** Waits for all of what is under way, but no longer than `ms`. */
async function within(ms: number, work: Iterable<Promise<unknown>>): Promise<void> {
  const all = [...work];
  if (all.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((settle) => {
    timer = setTimeout(settle, ms);
  });
  await Promise.race([Promise.allSettled(all), limit]);
  clearTimeout(timer);
}
