import {
  type CallContext,
  type Reference,
  SecretError,
  type SecretProvider,
  type Secrets,
} from "../secrets/index.ts";
import { answerOf } from "./answers.ts";
import type { Place } from "./credential.ts";
import type { RotationEvent } from "./events.ts";
import type { RotateOptions } from "./options.ts";
import type { ChangeContext, Credential, Issued, OldCredential, RotationTarget } from "./target.ts";

/** An event without the reference, which is the same in all of a run. */
type Told = RotationEvent extends infer Event
  ? Event extends RotationEvent
    ? Omit<Event, "secret">
    : never
  : never;

/** How long what was changed may take to be put back. */
const goOnMs = 60_000;
const unknownUsers = "(not all users could be found)";

/** What all parts of one rotation share. */
export class Run {
  readonly options: RotateOptions;
  readonly from: Secrets;
  readonly place: Place;
  readonly reference: Reference;
  readonly provider: SecretProvider;
  /** Given to every call; see {@link goOn}. */
  context: CallContext;
  /** Something was changed that is not finished: an error is then more than itself. */
  touched: boolean = false;
  readonly #done: RotationEvent[] = [];
  readonly #users = new Set<string>();

  constructor(options: RotateOptions, place: Place) {
    this.options = options;
    this.from = options.from;
    this.place = place;
    this.reference = place.reference;
    this.provider = options.from.providerOf(place.reference);
    this.context = { signal: options.signal ?? new AbortController().signal };
  }

  /** From here on calls are made although the caller gave up: what was changed is to be put back. */
  goOn(): void {
    this.context = { signal: AbortSignal.timeout(goOnMs) };
  }

  get target(): RotationTarget {
    return this.options.target;
  }

  get text(): string {
    return this.reference.text;
  }

  get isLeaked(): boolean {
    const { leaked } = this.options;
    return leaked !== undefined && leaked !== false;
  }

  get overlapMs(): number {
    const { leaked, overlapMs } = this.options;
    if (typeof leaked === "object") return leaked.overlapMs;
    return leaked === true ? 0 : overlapMs;
  }

  get orphanAgeMs(): number {
    return this.options.orphanAgeMs ?? 600_000;
  }

  /** What was told so far. */
  get done(): readonly RotationEvent[] {
    return this.#done;
  }

  /** Who was found to use a credential that is to go. */
  get users(): readonly string[] {
    return [...this.#users];
  }

  /** A listener that throws must not leave a rotation half done. */
  tell(event: Told): void {
    const told = { ...event, secret: this.text } as RotationEvent;
    this.#done.push(told);
    try {
      const heard: unknown = this.options.onEvent?.(told);
      // An asynchronous one: nobody else would look at what it throws, and that ends a process.
      if (heard instanceof Promise) heard.catch(warnOfListener);
    } catch {
      warnOfListener();
    }
  }

  /**
   * @throws SecretError `ROTATION_REFUSED` for the value that is stored already: it would go on
   *   working, and a leaked one would be no less known.
   */
  async propose(current: Credential | null): Promise<Credential> {
    const { target } = this;
    const next = await this.#calling("propose a credential", async () =>
      answerOf(target, "propose", await target.propose(current, this.context)),
    );
    if (next.secret.fingerprint !== current?.secret.fingerprint) return next;
    throw this.refused(
      `${target.name} proposes the value that is stored already; have it make a new one`,
    );
  }

  async works(credential: Credential, version: string | undefined): Promise<boolean> {
    const { target } = this;
    const works = await this.#calling("test a credential", async () =>
      answerOf(target, "works", await target.works(credential, this.context)),
    );
    this.tell({ type: "tested", version, works });
    return works;
  }

  async set(
    next: Credential,
    current: Credential | undefined,
    isWanted: () => Promise<boolean>,
  ): Promise<void> {
    await this.#calling("set a credential", async () =>
      this.target.set?.(next, this.#changing(current, isWanted)),
    );
  }

  async revoke(
    old: OldCredential,
    current: Credential | undefined,
    isWanted: () => Promise<boolean>,
  ): Promise<void> {
    await this.#calling("revoke a credential", async () =>
      this.target.revoke?.(old, this.#changing(current, isWanted)),
    );
  }

  async list(): Promise<readonly Issued[]> {
    const { target } = this;
    if (target.list === undefined) return [];
    return this.#calling("list its credentials", async () =>
      answerOf(target, "list", await target.list?.(this.context)),
    );
  }

  /** Looks who uses a credential that is to go. */
  async findUsers(credential: Credential): Promise<void> {
    const asked = [
      async () => this.target.usedBy?.(credential, this.context),
      async () => this.options.usedBy?.(credential),
    ];
    for (const answer of await Promise.allSettled(asked.map((ask) => ask()))) {
      const found = answer.status === "fulfilled" ? (answer.value ?? []) : [unknownUsers];
      for (const user of isListOfText(found) ? found : [unknownUsers]) this.#users.add(user);
    }
  }

  refused(why: string): SecretError {
    return new SecretError("ROTATION_REFUSED", `${this.text}: ${why}`);
  }

  rolledBack(why: string): SecretError {
    return new SecretError("ROTATION_ROLLED_BACK", `${this.text}: ${why}`);
  }

  incomplete(why: string): SecretError {
    return new SecretError("ROTATION_INCOMPLETE", `${this.text}: ${why}`);
  }

  #changing(current: Credential | undefined, isWanted: () => Promise<boolean>): ChangeContext {
    return { ...this.context, current, leaked: this.isLeaked, isWanted };
  }

  /** Of a foreign error nothing is kept: clients put values into theirs. */
  async #calling<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SecretError) throw error;
      throw new SecretError("SECRET_UNREACHABLE", `${this.target.name} could not ${what}`);
    }
  }
}

function warnOfListener(): void {
  process.emitWarning("nopeek: a listener of a rotation threw an error, which was ignored");
}

function isListOfText(found: unknown): found is readonly string[] {
  return Array.isArray(found) && found.every((each) => typeof each === "string");
}

const indefinite: ReadonlySet<string> = new Set([
  "SECRET_UNREACHABLE",
  "SECRET_THROTTLED",
  "SECRET_ABORTED",
]);

/** Whether an error says that nothing was changed; an answer that is lost says nothing. */
export function isDefinite(error: unknown): error is SecretError {
  return error instanceof SecretError && !indefinite.has(error.code);
}
