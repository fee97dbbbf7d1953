/** What was found in a run and what was done about it, counted by kind; it does not grow with counts. */
import {
  type Action,
  factsOf,
  type MonitoredConfidence,
  type MonitoredFinding,
  type MonitoredStream,
  type Severity,
} from "./finding.ts";
import type { Decide } from "./policy.ts";

/** Findings of one kind. */
export interface FindingCount {
  readonly stream: MonitoredStream;
  readonly name?: string | undefined;
  readonly rule?: string | undefined;
  readonly form?: string | undefined;
  readonly strength?: "strong" | "weak" | undefined;
  readonly confidence: MonitoredConfidence;
  readonly severity: Severity;
  readonly action: Action;
  readonly count: number;
}

export type Entry = { -readonly [Key in keyof FindingCount]: FindingCount[Key] };

/** Names and rules are few; should they not be, the rest is counted together. */
const maxEntries = 1_000;

export class Ledger {
  readonly #decide: Decide;
  readonly #isInjected: (finding: MonitoredFinding) => boolean;
  readonly #entries = new Map<string, Entry>();

  constructor(decide: Decide, isInjected: (finding: MonitoredFinding) => boolean) {
    this.#decide = decide;
    this.#isInjected = isInjected;
  }

  /** The entry of a finding's kind; the first of a kind decides for all of it. */
  entryOf(finding: MonitoredFinding, stream: MonitoredStream): Entry {
    const { name, rule, form, strength, confidence, severity, fingerprint } = finding;
    // Values are told apart, since not each is the job's own; what a rule finds is not.
    const value = rule === undefined ? fingerprint : "";
    const key = `${stream} ${name} ${rule} ${form} ${strength} ${confidence} ${severity} ${value}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const facts = factsOf(finding, stream, rule === undefined && this.#isInjected(finding));
    const entry: Entry = {
      stream,
      name,
      rule,
      form,
      strength,
      confidence: facts.confidence,
      ...this.#decide(facts, severity),
      count: 0,
    };
    if (this.#entries.size < maxEntries) this.#entries.set(key, entry);
    else this.#overflow(entry);
    return entry;
  }

  get counts(): readonly FindingCount[] {
    return [...this.#entries.values()]
      .filter(({ count }) => count > 0)
      .map((entry) => ({ ...entry }));
  }

  #overflow(entry: Entry): void {
    const key = `overflow ${entry.action}`;
    const rest = this.#entries.get(key);
    if (rest !== undefined) rest.count++;
    else
      this.#entries.set(key, {
        ...entry,
        name: undefined,
        rule: "other",
        form: undefined,
        count: 1,
      });
  }
}
