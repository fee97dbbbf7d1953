import { type Action, rankOf, type Severity } from "./finding.ts";
import type { Entry } from "./ledger.ts";
import { RateLimit } from "./rate-limit.ts";

/** Of one severity and action so many different findings of a run are recorded ... */
const mostOfClass = 10_000;
/** ... and so many of each kind in any case, so that no kind of finding crowds out another. */
const mostOfKind = 20;

/** What is to be done about a finding. */
export interface Due {
  /** It is a first one: it is recorded, and acted on. */
  readonly isNew: boolean;
  readonly alerts: boolean;
  /** As much was done about the same text before, and nothing is left to do. */
  readonly isDone: boolean;
}

const done: Due = { isNew: false, alerts: false, isDone: true };
const tooMany: Due = { isNew: false, alerts: false, isDone: false };

/**
 * Says what is to be recorded and whom to tell, once for each text on a stream. What may be without
 * end has limits that do not touch each other: only what is alerted takes from the limit of alerts,
 * and what is recorded takes from that of its own severity and action.
 */
export class Telling {
  readonly #perMinute: number;
  readonly #alerts: RateLimit;
  /** How far went what was recorded, by stream and fingerprint. */
  readonly #ranks = new Map<string, number>();
  /** What was recorded while there were too many alerts. */
  readonly #unalerted = new Set<string>();
  readonly #classes = new Map<`${Severity} ${Action}`, number>();
  readonly #kinds = new WeakMap<Entry, { recorded: number; readonly reviews: RateLimit }>();

  /** @param perMinute - Alerts about what rules find, and of each kind so many to review. */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#alerts = new RateLimit(perMinute, 60_000);
  }

  /** @param kind - What the finding is counted with. */
  dueOf(entry: Entry, kind: Entry, fingerprint: string): Due {
    const rank = rankOf(entry.action);
    const key = `${entry.stream} ${entry.rule} ${fingerprint}`;
    const before = this.#ranks.get(key);
    if (before !== undefined && before >= rank) {
      if (before > rank || !this.#unalerted.has(key)) return done;
      if (!this.#mayAlert(entry)) return tooMany;
      this.#unalerted.delete(key);
      return { isNew: false, alerts: true, isDone: false };
    }
    if (!this.#mayRecord(entry, kind)) return tooMany;
    this.#ranks.set(key, rank);
    const alerts = rank >= rankOf("alert") && this.#mayAlert(entry);
    if (rank >= rankOf("alert") && !alerts) this.#unalerted.add(key);
    else this.#unalerted.delete(key);
    return { isNew: true, alerts, isDone: false };
  }

  /** Known values are few, and each matters; what a rule finds may be without end. */
  #mayAlert({ rule, action }: Entry): boolean {
    return rule === undefined || rankOf(action) >= rankOf("halt") || this.#alerts.take();
  }

  #mayRecord({ severity, action }: Entry, kind: Entry): boolean {
    const ofKind = this.#kinds.get(kind) ?? {
      recorded: 0,
      reviews: new RateLimit(this.#perMinute, 60_000),
    };
    this.#kinds.set(kind, ofKind);
    const ofClass = this.#classes.get(`${severity} ${action}`) ?? 0;
    if (ofKind.recorded >= mostOfKind && ofClass >= mostOfClass) return false;
    if (action === "review" && !ofKind.reviews.take()) return false;
    ofKind.recorded++;
    this.#classes.set(`${severity} ${action}`, ofClass + 1);
    return true;
  }
}
