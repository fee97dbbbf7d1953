import { AsyncLocalStorage } from "node:async_hooks";

/**
 * The signal of the work under way, for middlewares: the client's public methods take none.
 *
 * Node follows every promise of the process while a store of this kind is in use, so it is switched
 * off when no work is under way: output is relayed by then.
 */
export class AmbientSignal {
  readonly #store = new AsyncLocalStorage<AbortSignal>();
  #running = 0;

  get current(): AbortSignal | undefined {
    return this.#store.getStore();
  }

  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await this.#store.run(signal, work);
    } finally {
      this.#running--;
      if (this.#running === 0) this.#store.disable();
    }
  }
}
