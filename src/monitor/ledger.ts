/** What was found in a run and what was done about it, counted by kind; it does not grow with counts. */
import {
  cleanFinding,
  type FindingKind,
  factsOf,
  type MonitoredFinding,
  type MonitoredStream,
} from "./finding.ts";
import type { Decide } from "./policy.ts";

/** How many findings of one kind there were. */
export interface FindingCount extends FindingKind {
  readonly count: number;
}

export type Entry = { -readonly [Key in keyof FindingCount]: FindingCount[Key] };

/** Names and rules are few; should they not be, the rest is counted together. */
const maxEntries = 1_000;

export class Ledger {
  readonly #decide: Decide;
  readonly #isInjected: (finding: MonitoredFinding) => boolean;
  readonly #entries = new Map<string, Entry>();
  /** What is counted together, by entries that have no place of their own. */
  readonly #rests = new WeakMap<Entry, Entry>();
  /** A secret that is printed is often printed again. */
  #last: { readonly finding: MonitoredFinding; readonly entry: Entry } | undefined;

  constructor(decide: Decide, isInjected: (finding: MonitoredFinding) => boolean) {
    this.#decide = decide;
    this.#isInjected = isInjected;
  }

  /** The entry of a finding's kind; the first of a kind decides for all of it. */
  entryOf(finding: MonitoredFinding, stream: MonitoredStream): Entry {
    const last = this.#last;
    if (last !== undefined && last.entry.stream === stream && isAlike(last.finding, finding)) {
      return last.entry;
    }
    const entry = this.#lookUp(finding, stream);
    this.#last = { finding, entry };
    return entry;
  }

  #lookUp(given: MonitoredFinding, stream: MonitoredStream): Entry {
    const finding = cleanFinding(given);
    const {
      name,
      rule,
      form,
      strength,
      confidence,
      severity,
      fingerprint,
      isMasked = true,
    } = finding;
    // Values are told apart, since not each is the job's own; what a rule finds is not.
    const value = rule === undefined ? fingerprint : "";
    const key = `${stream} ${name} ${rule} ${form} ${strength} ${confidence} ${severity} ${isMasked} ${value}`;
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
      isMasked,
      count: 0,
    };
    if (this.#entries.size < maxEntries) this.#entries.set(key, entry);
    else this.#rests.set(entry, this.#restOf(entry));
    return entry;
  }

  /** What the findings of an entry are counted in: the entry, or what stands for all beyond the most. */
  kindOf(entry: Entry): Entry {
    return this.#rests.get(entry) ?? entry;
  }

  /** Counts findings of an entry. */
  add(entry: Entry, count: number): void {
    this.kindOf(entry).count += count;
  }

  get counts(): readonly FindingCount[] {
    return [...this.#entries.values()]
      .filter(({ count }) => count > 0)
      .map((entry) => ({ ...entry }));
  }

  #restOf(entry: Entry): Entry {
    const { stream, severity, action } = entry;
    const key = `overflow ${stream} ${severity} ${action}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const rest: Entry = { ...entry, name: undefined, rule: "other", form: undefined, count: 0 };
    this.#entries.set(key, rest);
    return rest;
  }
}

function isAlike(a: MonitoredFinding, b: MonitoredFinding): boolean {
  return (
    a.fingerprint === b.fingerprint &&
    a.form === b.form &&
    a.rule === b.rule &&
    a.name === b.name &&
    a.strength === b.strength &&
    a.confidence === b.confidence &&
    a.severity === b.severity &&
    a.isMasked === b.isMasked &&
    a.detector === b.detector
  );
}
