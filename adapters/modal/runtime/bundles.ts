import { createHmac, randomBytes } from "node:crypto";
import type { Entries } from "../entries.ts";
import type { LaunchClient } from "./client.ts";

/** Payloads whose stored secret is kept for the next launch; values stay in memory as long. */
const maxKept = 16;

/**
 * Secrets of the client by what they hold. The older backend stores each of them once: a sweep makes
 * one, since Modal limits how many may be made.
 */
export class SecretBundles {
  /** Keys tell payloads apart and say nothing of them outside this process. */
  readonly #key = randomBytes(32);
  readonly #kept = new Map<string, Promise<object>>();

  /** The secret for a payload; it is stored when a sandbox that cannot take it inline needs it. */
  get(client: LaunchClient, entries: Entries, environment: string | undefined): Promise<object> {
    const id = this.#idOf(entries, environment);
    const kept = this.#kept.get(id);
    if (kept !== undefined) {
      // The least used is the first to go.
      this.#kept.delete(id);
      this.#kept.set(id, kept);
      return kept;
    }
    const made = client.secrets.fromObject(
      { ...entries },
      environment === undefined ? {} : { environment },
    );
    this.#kept.set(id, made);
    made.catch(() => this.#kept.delete(id));
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxKept) break;
      this.#kept.delete(oldest);
    }
    return made;
  }

  /** Lets the next launch store the payload anew, such as after Modal has forgotten it. */
  forget(entries: Entries, environment: string | undefined): void {
    this.#kept.delete(this.#idOf(entries, environment));
  }

  #idOf(entries: Entries, environment: string | undefined): string {
    const sorted = Object.entries(entries).sort(([one], [other]) => (one < other ? -1 : 1));
    return createHmac("sha256", this.#key)
      .update(JSON.stringify([environment ?? null, sorted]))
      .digest("hex");
  }
}
