import { SecretError } from "./errors.ts";
import type { Reference } from "./reference.ts";

interface Waiting<Outcome> {
  readonly reference: Reference;
  readonly settle: (outcome: Outcome | SecretError | null) => void;
}

/** Collects the references of a turn into one call; equal ones under way share their outcome. */
export class Batch<Outcome> {
  readonly #name: string;
  readonly #call: (
    references: readonly Reference[],
  ) => Promise<readonly (Outcome | SecretError | null)[]>;
  readonly #underWay = new Map<string, Promise<Outcome | SecretError | null>>();
  #queue: Waiting<Outcome>[] = [];

  /**
   * @param name - Of the provider, for messages.
   * @param call - Gives one outcome for each reference, in their order.
   */
  constructor(
    name: string,
    call: (references: readonly Reference[]) => Promise<readonly (Outcome | SecretError | null)[]>,
  ) {
    this.#name = name;
    this.#call = call;
  }

  /** Never rejects: what goes wrong is the outcome. */
  ask(reference: Reference): Promise<Outcome | SecretError | null> {
    const key = keyOf(reference);
    const existing = this.#underWay.get(key);
    if (existing !== undefined) return existing;
    const asked = new Promise<Outcome | SecretError | null>((settle) => {
      if (this.#queue.length === 0) queueMicrotask(() => void this.#flush());
      this.#queue.push({ reference, settle });
    }).finally(() => {
      if (this.#underWay.get(key) === asked) this.#underWay.delete(key);
    });
    this.#underWay.set(key, asked);
    return asked;
  }

  /** What is asked from now on shares nothing that is under way: it may be too old. */
  forget(): void {
    this.#underWay.clear();
  }

  async #flush(): Promise<void> {
    const waiting = this.#queue;
    this.#queue = [];
    const outcomes = await this.#callAll(waiting.map(({ reference }) => reference));
    waiting.forEach(({ settle }, index) => {
      settle(outcomes[index] ?? null);
    });
  }

  /** A call that failed as a whole gives each of its references the error. */
  async #callAll(
    references: readonly Reference[],
  ): Promise<readonly (Outcome | SecretError | null)[]> {
    try {
      const outcomes = await this.#call(references);
      if (outcomes.length === references.length) return outcomes;
      return references.map(() => this.#failed("did not answer for every reference"));
    } catch (error) {
      const failure = error instanceof SecretError ? error : this.#failed("failed");
      return references.map(() => failure);
    }
  }

  #failed(how: string): SecretError {
    return new SecretError("SECRET_UNREACHABLE", `the provider ${this.#name} ${how}`);
  }
}

/** Equal for references that are written alike; a field counts unless it was taken off. */
export function keyOf({ text, field, base = "" }: Reference): string {
  const hash = field === undefined ? text.indexOf("#") : -1;
  return `${base} ${hash === -1 ? text : text.slice(0, hash)}`;
}
