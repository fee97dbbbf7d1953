import type { Detector, RuleMatch } from "../detect/index.ts";
import { type Masked, MaskList } from "./mask-list.ts";
import type { Range } from "./ranges.ts";

/**
 * Matches that are told and not masked. Those of one detector that overlap say the same about the
 * text: they are one. Like masks they come out in order, however the stream was cut.
 */
export class Reports {
  readonly #lists = new Map<Detector, MaskList>();

  get isEmpty(): boolean {
    // Asked after every chunk; nearly always nothing was ever reported.
    if (this.#lists.size === 0) return true;
    for (const { first } of this.#lists.values()) if (first !== undefined) return false;
    return true;
  }

  add(reported: Range & { readonly match: RuleMatch }): void {
    const { detector } = reported.match.rule;
    const list = this.#lists.get(detector) ?? new MaskList();
    this.#lists.set(detector, list);
    list.add(reported);
  }

  /** Takes out those that begin before `limit`. */
  take(limit: number): readonly Masked[] {
    const taken: Masked[] = [];
    for (const list of this.#lists.values()) taken.push(...list.takeBefore(limit));
    return taken;
  }
}
