import type { Finding } from "../redact/index.ts";

/** How often a secret was masked in one form. It holds no value. */
export interface RedactionCount {
  readonly name: string | undefined;
  /** The rule that found it, if it was no known value. */
  readonly rule: string | undefined;
  readonly form: Finding["form"];
  readonly strength: Finding["strength"];
  readonly count: number;
}

/** What was masked in a run. */
export interface Redactions {
  readonly total: number;
  readonly counts: readonly RedactionCount[];
}

/** Counts findings by name and form. */
export class Tally {
  readonly #counts = new Map<string, { finding: Finding; count: number }>();

  add(finding: Finding): void {
    const key = `${finding.name} ${finding.rule} ${finding.form} ${finding.strength}`;
    const entry = this.#counts.get(key);
    if (entry === undefined) this.#counts.set(key, { finding, count: 1 });
    else entry.count++;
  }

  get redactions(): Redactions {
    const counts = [...this.#counts.values()].map(
      ({ finding: { name, rule, form, strength }, count }) => ({
        name,
        rule,
        form,
        strength,
        count,
      }),
    );
    return { total: counts.reduce((sum, { count }) => sum + count, 0), counts };
  }
}
