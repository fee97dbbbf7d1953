/** What the model checker explores: one store, one target, and rotators that may die. */
import { createSecrets, Secret, SecretError, type SecretProvider, type StageControl } from "nopeek";
import type { ChangeContext, RotateOptions, RotationTarget } from "nopeek/rotate";
import { placeOf } from "../../../src/rotate/credential.ts";
import type { decide } from "../../../src/rotate/decide.ts";
import { Run } from "../../../src/rotate/run.ts";
import { StagedRotation } from "../../../src/rotate/staged.ts";
import { awsModel, gcpModel, type ModelStore, type Step, type StoreMutant } from "./stores.ts";

export type StoreName = "aws" | "gcp";
export type Kind = "alternating" | "issuer";

/** How a world differs from the right one, so that the checker must find it. */
export interface Mutant {
  readonly store?: StoreMutant;
  readonly stage?: (stage: StageControl) => StageControl;
  /** Made anew for each rotator. */
  readonly decides?: () => typeof decide;
  /** The target's test accepts whatever it is given. */
  readonly isLax?: boolean;
}

export interface World {
  readonly store: ModelStore;
  /** What is wrong so far. */
  readonly problems: string[];
  /** Starts a rotator whose every call goes through `step`. */
  rotate(
    id: string,
    step: Step,
    options?: Partial<RotateOptions>,
    onRound?: (memory: string) => void,
  ): Promise<Ended>;
  died(id: string): void;
  /** Adds a problem if the credential that consumers read does not work. */
  check(where: string): void;
  /** Adds problems of a world in which nothing is under way any more. */
  checkEnd(options: { rotated: boolean }): void;
  /** All of the state, as text. */
  dump(): string;
}

type Ended = Awaited<ReturnType<StagedRotation["apply"]>>;

const fields = { id: "user", secret: "password" };
export const overlapMs = 86_400_000;

/** Time in the model: it passes only when a test says so. */
export const clock = { nowMs: 1_800_000_000_000 };

export function makeWorld(name: StoreName, kind: Kind, mutant: Mutant = {}): World {
  const first = {
    user: kind === "issuer" ? "key-0" : "app",
    password: "password-0",
    other: "kept",
  };
  const store =
    name === "aws"
      ? awsModel(JSON.stringify(first), mutant.store)
      : gcpModel(JSON.stringify(first));
  const start = store.version("current");
  const problems: string[] = [];
  const target = kind === "issuer" ? issuer(first) : twoUsers(first, mutant.isLax);
  const tokens = new Counts();
  const parsed = new Map<string, typeof first>();
  const credential = (part: "current" | "previous") => {
    const value = store.value(part);
    if (value === undefined) return undefined;
    const known = parsed.get(value) ?? (JSON.parse(value) as typeof first);
    parsed.set(value, known);
    return known;
  };
  const check = (where: string) => {
    const current = credential("current");
    if (current === undefined || !target.accepts(current.user, current.password)) {
      problems.push(`${where}: what is current does not work`);
    }
    if (current?.other !== "kept") problems.push(`${where}: another field is lost`);
  };
  return {
    store,
    problems,
    check,
    died: (id) => target.died(id),
    dump: () => `${store.dump()} ${target.dump()} ${JSON.stringify([...tokens])}`,
    rotate(id, step, options = {}, onRound) {
      const ours = store.stage(step);
      const provider: SecretProvider = {
        name,
        schemes: [store.reference.scheme],
        capabilities: ["stage"],
        stage: ours,
      };
      const from = createSecrets({ providers: [provider] });
      const all: RotateOptions = {
        from,
        secret: store.reference,
        target: target.seenBy(id, step),
        overlapMs,
        apply: true,
        patienceMs: 0,
        ...options,
      };
      const run = new Run(all, placeOf(store.reference, all.target, undefined));
      const stage = mutant.stage === undefined ? ours : mutant.stage(ours);
      const newToken = () => {
        return `${id}${String(tokens.next(id)).padStart(35, "0")}`;
      };
      const seams = { decides: mutant.decides?.(), newToken, onRound };
      return new StagedRotation(run, stage, seams).apply();
    },
    checkEnd({ rotated }) {
      check("at the end");
      if (store.version("pending") !== undefined) problems.push("a pending version is left");
      if (rotated && store.version("current") === start) problems.push("nothing was rotated");
      const previous = credential("previous");
      if (rotated && previous !== undefined) {
        if (store.version("previous") !== start) problems.push("two rotations were made");
        if (!target.accepts(previous.user, previous.password)) {
          problems.push("the previous one does not work during the overlap");
        }
      }
      const left = target.unknown([credential("current")?.user, previous?.user]);
      if (left > 0) problems.push("an orphan key is left");
    },
  };
}

interface ModelTarget {
  died(rotator: string): void;
  accepts(user: string, password: string): boolean;
  dump(): string;
  /** How many keys there are besides these. */
  unknown(known: readonly (string | undefined)[]): number;
  seenBy(id: string, step: Step): RotationTarget;
}

/** How often each rotator has made something: its names are the same in each run of the checker. */
class Counts {
  readonly #counts = new Map<string, number>();

  next(rotator: string): number {
    const count = (this.#counts.get(rotator) ?? 0) + 1;
    this.#counts.set(rotator, count);
    return count;
  }

  [Symbol.iterator](): Iterator<[string, number]> {
    return this.#counts[Symbol.iterator]();
  }
}

function twoUsers(first: { user: string; password: string }, isLax = false): ModelTarget {
  const passwords = new Map([
    [first.user, first.password],
    ["app_clone", "of another time"],
  ]);
  const counts = new Counts();
  let holder: string | undefined;
  return {
    // A session that ends gives its lock back.
    died(rotator) {
      if (holder === rotator) holder = undefined;
    },
    accepts: (user, password) => passwords.get(user) === password,
    dump: () => JSON.stringify([holder, ...passwords, ...counts]),
    unknown: () => 0,
    seenBy(rotator, step) {
      return {
        name: "two users",
        strategy: "alternating",
        fields,
        propose: async (current) => {
          const count = counts.next(rotator);
          const id = current?.id === "app" ? "app_clone" : "app";
          return { id, secret: new Secret(`password-${rotator}-${count}`) };
        },
        works: ({ id, secret }) =>
          step("works", () => isLax || passwords.get(id ?? "") === secret.reveal()),
        set: ({ id, secret }, context) =>
          locked(rotator, step, context, () => passwords.set(id ?? "", secret.reveal())),
        revoke: ({ id }, context) =>
          locked(rotator, step, context, () => passwords.delete(id ?? "")),
      };
    },
  };

  /** As a database does: one at a time, and only what is still wanted by then. */
  async function locked(
    rotator: string,
    step: Step,
    { isWanted }: ChangeContext,
    work: () => void,
  ): Promise<void> {
    const isFree = () => holder === undefined;
    const take = () => {
      holder = rotator;
    };
    await step("lock", take, isFree);
    const wanted = await isWanted();
    await step("change", () => {
      holder = undefined;
      if (wanted) work();
    });
    if (!wanted) throw new SecretError("SECRET_CONFLICT", "not wanted any more");
  }
}

function issuer(first: { user: string; password: string }): ModelTarget {
  const keys = new Map([[first.user, { secret: first.password, createdAtMs: 0 }]]);
  const counts = new Counts();
  return {
    died: () => undefined,
    accepts: (user, password) => keys.get(user)?.secret === password,
    dump: () => JSON.stringify([...keys, ...counts]),
    unknown: (known) => [...keys.keys()].filter((key) => !known.includes(key)).length,
    seenBy(rotator, step) {
      return {
        name: "issuer",
        strategy: "issuer",
        fields,
        propose: () =>
          step("propose", () => {
            const count = counts.next(rotator);
            const [id, secret] = [`key-${rotator}-${count}`, `password-${rotator}-${count}`];
            keys.set(id, { secret, createdAtMs: clock.nowMs });
            return { id, secret: new Secret(secret) };
          }),
        works: ({ id, secret }) =>
          step("works", () => keys.get(id ?? "")?.secret === secret.reveal()),
        list: () =>
          step("list", () => [...keys].map(([id, { createdAtMs }]) => ({ id, createdAtMs }))),
        revoke: ({ id }) => step("revoke", () => void keys.delete(id ?? "")),
      };
    },
  };
}
