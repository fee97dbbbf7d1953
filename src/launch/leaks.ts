import type { LaunchOptions, Leak } from "./options.ts";
import { tell } from "./tell.ts";

/** Tells the user of leaks, who may want the job to be stopped because of one. */
export class Leaks {
  readonly #listener: LaunchOptions["onLeak"];
  readonly #state: { isHalted: boolean } = { isHalted: false };
  #halt: (() => void) | undefined;

  constructor(listener: LaunchOptions["onLeak"]) {
    this.#listener = listener;
  }

  tell(leak: Leak): void {
    tell((one: Leak) => {
      if (this.#listener?.(one) !== "halt" || this.#state.isHalted) return;
      this.#state.isHalted = true;
      this.#halt?.();
    }, leak);
  }

  /** Sets what stops the job; at once if that was asked for already. */
  onHalt(halt: () => void): void {
    this.#halt = halt;
    if (this.#state.isHalted) halt();
  }
}
