import { PathError } from "./errors.ts";
import { type Folder, type Ground, type Identity, isSame, type Pinned } from "./ground.ts";
import type { RootRules } from "./root-options.ts";

/**
 * The folder of an open root, held until the last operation on it has ended: a descriptor number
 * that is closed too early is given to the next folder that anybody opens.
 */
export class HeldRoot {
  readonly ground: Ground;
  readonly base: Folder;
  readonly rules: RootRules;
  readonly #identity: Identity;
  readonly #mount: string;
  readonly #whenDropped: (() => void)[] = [];
  #users = 0;
  #state: "open" | "closing" | "dropped" = "open";

  constructor(ground: Ground, base: Folder, rules: RootRules) {
    this.ground = ground;
    this.base = base;
    this.rules = rules;
    this.#identity = ground.identify(base);
    this.#mount = rules.mounts === "refuse" ? ground.mountOf(base) : "";
  }

  /** @throws {@link PathError} `ROOT_CLOSED`. Every call needs one of `release`. */
  acquire(path: string): void {
    if (this.#state !== "open") throw new PathError("ROOT_CLOSED", "the root is closed", path);
    if (!this.#isWhole()) {
      throw new PathError("ROOT_CLOSED", "the root was replaced, or closed by other code", path);
    }
    this.#users++;
  }

  /** Whether what is held is still the folder that was opened. */
  #isWhole(): boolean {
    try {
      return isSame(this.ground.identify(this.base), this.#identity);
    } catch {
      return false;
    }
  }

  release(): void {
    this.#users--;
    if (this.#state === "closing" && this.#users === 0) this.#drop();
  }

  /** No operation starts any more; the folder is let go when the last one has ended. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    if (this.#users === 0) this.#drop();
  }

  get dropped(): Promise<void> {
    if (this.#state === "dropped") return Promise.resolve();
    return new Promise((settle) => this.#whenDropped.push(settle));
  }

  #drop(): void {
    this.#state = "dropped";
    // If other code closed the descriptor, its number may be somebody else's by now.
    if (this.#isWhole()) this.ground.leave(this.base);
    for (const settle of this.#whenDropped) settle();
  }

  /** @throws {@link PathError} `PATH_READ_ONLY`, `ROOT_WEAK`. */
  assertWritable(path: string): void {
    if (this.rules.readOnly) throw new PathError("PATH_READ_ONLY", "the root is read-only", path);
    if (this.ground.confinement === "check-only" && this.rules.weak !== "allow") {
      throw new PathError(
        "ROOT_WEAK",
        'this platform cannot exclude races, so writing is refused; open the root with weak: "allow" if nobody else can change it',
        path,
      );
    }
  }

  /** @throws {@link PathError} `PATH_CROSSES_MOUNT`. */
  assertSameMount(held: Folder | Pinned, path: string): void {
    if (this.rules.mounts === "refuse" && this.ground.mountOf(held) !== this.#mount) {
      throw new PathError("PATH_CROSSES_MOUNT", "the path crosses a mount point", path);
    }
  }
}
