import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, SecretError, type StageControl, type Stages } from "../secrets/index.ts";
import { currentFails, haveAccepted } from "./accept.ts";
import { updateCopies } from "./copies.ts";
import { storedWith } from "./credential.ts";
import { type Action, decide } from "./decide.ts";
import { issueInto } from "./issue.ts";
import type { RotationResult } from "./options.ts";
import { retire } from "./retire.ts";
import type { Run } from "./run.ts";
import { Versions } from "./versions.ts";

/** More than any rotation needs, also beside others; then the store is not what it says. */
const maxRounds = 30;
const pollMs = 200;
const defaultPatienceMs = 5_000;

/** What is said of a version that somebody else has dropped, replaced or revoked meanwhile. */
const overtakenCodes: ReadonlySet<string> = new Set([
  "ROTATION_REFUSED",
  "ROTATION_INCOMPLETE",
  "SECRET_CONFLICT",
  "SECRET_NOT_FOUND",
  "SECRET_DISABLED",
]);

type Now = Stages & { readonly current: string };
export type Ended = Pick<
  RotationResult,
  "outcome" | "why" | "version" | "previous" | "revokeAtMs" | "reminder"
>;

const allParts = ["current", "previous", "pending"] as const;

export interface Seams {
  readonly decides?: typeof decide | undefined;
  readonly newToken?: (() => string) | undefined;
  /** Told at the begin of each round what the run remembers, as text. */
  readonly onRound?: ((memory: string) => void) | undefined;
}

/** One run of a rotation over a store that has versions. */
export class StagedRotation {
  readonly #run: Run;
  readonly #stage: StageControl;
  readonly #versions: Versions;
  readonly #seams: Seams;
  /** Versions that this run made pending. */
  readonly #mine = new Set<string>();
  #goal: string | undefined;
  /** What this run did itself. */
  #outcome: "rotated" | "ended" | null = null;
  #waitedMs = 0;

  /**
   * @param seams - For the model checker: `decides` is wrong on purpose where it must find that,
   *   `newToken` gives names that are the same in each of its runs, `onRound` tells points apart.
   */
  constructor(run: Run, stage: StageControl, seams: Seams = {}) {
    this.#run = run;
    this.#stage = stage;
    this.#seams = seams;
    this.#versions = new Versions(run, stage, seams.newToken);
  }

  get versions(): Versions {
    return this.#versions;
  }

  /** What the store says, and what is to be done next. */
  async look(): Promise<{ stages: Now; action: Action }> {
    const { options } = this.#run;
    const stages = await this.#versions.stages();
    this.#goal ??= options.awayFrom ?? stages.current;
    const action = (this.#seams.decides ?? decide)(stages.current, stages, {
      goal: this.#goal,
      nowMs: Date.now(),
      createdAtMs: await this.#createdAtMs(stages),
      minAgeMs: options.minAgeMs,
      overlapMs: this.#run.overlapMs,
      urgent: this.#run.isLeaked || options.awayFrom !== undefined,
      byHand: options.target.revoke === undefined && options.target.strategy !== "static",
    });
    return { stages, action };
  }

  /**
   * Does what is to be done until nothing is.
   *
   * @throws SecretError `ROTATION_REFUSED`, `ROTATION_ROLLED_BACK`, `ROTATION_INCOMPLETE`, and what
   *   a store or target throws before anything was changed.
   */
  async apply(): Promise<Ended> {
    let last: Now | undefined;
    try {
      for (let round = 0; round < maxRounds; round += 1) {
        this.#seams.onRound?.(this.#memory());
        const { stages, action } = await this.look();
        last = stages;
        if (stages.pending !== undefined) this.#run.touched = true;
        const ended = await this.#step(stages, action).catch((error) =>
          this.#overtaken(stages, error),
        );
        if (ended !== null) return ended;
      }
    } catch (error) {
      throw this.#explained(error, last);
    }
    throw this.#run.incomplete(
      "it was changed by others again and again; see what is at work there, and run this again",
    );
  }

  async #step(stages: Now, action: Action): Promise<Ended | null> {
    switch (action.do) {
      case "finish":
        await this.#finish(stages);
        return null;
      case "drop":
        await this.#drop(action.version);
        return null;
      case "begin":
        await this.#begin(action.base);
        return null;
      case "carry":
        return this.#carry(action.version, action.base, stages);
      case "retire":
        return this.#retire(stages, action.version);
      case "nothing":
        return this.#ended(stages, action.why);
    }
  }

  #memory(): string {
    const { touched } = this.#run;
    const known = [...this.#mine, "known", ...this.#versions.known];
    return JSON.stringify([this.#goal, this.#outcome, touched, known]);
  }

  /** Another rotation was faster: what it changed explains the error, so look again. */
  async #overtaken(seen: Now, error: unknown): Promise<null> {
    if (!overtakenCodes.has(codeOf(error, "SECRET_UNREACHABLE"))) throw error;
    const now = await this.#versions.stages();
    const isMine = this.#mine.has(seen.pending ?? "") && now.pending === undefined;
    const parts = isMine ? (["current", "previous"] as const) : allParts;
    if (parts.every((part) => now[part] === seen[part])) throw error;
    this.#run.touched = now.pending !== undefined;
    return null;
  }

  async #finish(stages: Now): Promise<void> {
    const { reference, context } = this.#run;
    this.#run.from.invalidate(reference);
    await updateCopies(this.#run, await this.#versions.credential(stages.current));
    await this.#stage.finish(reference, stages.current, context);
    this.#run.touched = false;
    this.#outcome ??= "ended";
    this.#run.tell({ type: "finished", version: stages.current, previous: stages.previous });
  }

  async #drop(version: string): Promise<void> {
    await this.#stage.drop(this.#run.reference, version, this.#run.context);
    this.#run.touched = false;
  }

  async #begin(base: string): Promise<void> {
    const run = this.#run;
    run.tell({ type: "started", strategy: run.target.strategy, current: base });
    const current = await this.#versions.credential(base);
    if (run.options.repair !== true && !(await run.works(current, base))) {
      throw currentFails(run, base);
    }
    const version =
      run.target.list === undefined || run.target.strategy !== "issuer"
        ? await this.#addProposal(base)
        : await this.#versions.reserve(base);
    if (await this.#stage.claim(run.reference, version, base, run.context)) {
      this.#mine.add(version);
      if (run.target.list === undefined) run.tell({ type: "created", version });
    } else {
      // Somebody else leads: go on with theirs.
      await this.#drop(version);
    }
  }

  async #addProposal(base: string): Promise<string> {
    const run = this.#run;
    const current = await this.#versions.credential(base);
    const next = await run.propose(current);
    if (run.target.strategy === "alternating" && next.id === current.id) {
      throw run.refused(
        `${run.target.name} proposes the user that is current; alternating needs two users, or strategy static`,
      );
    }
    const { value } = await this.#versions.stored(base);
    const stored = storedWith(run.place, value, next);
    run.touched = true;
    return this.#versions.add(base, stored);
  }

  async #carry(version: string, base: string, stages: Now): Promise<Ended | null> {
    const kind = await this.#versions.kindOf(version);
    if (kind === "reserved") return this.#carryReserved(version, base, stages);
    if (kind === "gone") {
      await this.#drop(version);
      return null;
    }
    if (!this.#mine.has(version)) this.#run.tell({ type: "resumed", version });
    const isMine = this.#mine.has(version);
    if (!(await haveAccepted(this.#run, this.#stage, this.#versions, { version, base, isMine })))
      return null;
    const { reference, context } = this.#run;
    if (await this.#stage.promote(reference, base, version, context)) {
      this.#outcome = "rotated";
      this.#run.tell({ type: "promoted", version });
    }
    return null;
  }

  async #carryReserved(place: string, base: string, stages: Now): Promise<Ended | null> {
    const run = this.#run;
    if (this.#mine.has(place)) {
      const version = await issueInto(run, this.#stage, this.#versions, { place, base });
      if (version !== null) this.#mine.add(version);
      return null;
    }
    if (Date.now() - (stages.pendingSinceMs ?? 0) < run.orphanAgeMs) {
      // Most probably alive: its key is being made.
      if (this.#waitedMs >= (run.options.patienceMs ?? defaultPatienceMs)) {
        return { outcome: "busy", version: base };
      }
      await sleep(pollMs, undefined, { signal: run.context.signal });
      this.#waitedMs += pollMs;
      return null;
    }
    const own = await this.#versions.reserve(base);
    if (await this.#stage.replace(run.reference, place, own, run.context)) {
      this.#mine.add(own);
      run.tell({ type: "resumed", version: place });
    } else {
      await this.#drop(own);
    }
    return null;
  }

  async #retire(stages: Now, version: string): Promise<Ended | null> {
    const retired = await retire(this.#run, this.#stage, this.#versions, stages, version);
    if (retired === "waits") {
      const { reminder } = this.#run.target;
      return {
        outcome: this.#outcome ?? "fresh",
        version: stages.current,
        previous: version,
        reminder,
      };
    }
    if (retired === "retired") this.#outcome ??= "ended";
    return null;
  }

  #ended(stages: Now, why: "superseded" | "young" | "overlap"): Ended {
    const { current, previous, rotatedAtMs } = stages;
    const old = rotatedAtMs === undefined ? undefined : previous;
    if (why === "superseded" && this.#outcome === null) {
      this.#run.tell({ type: "superseded", version: current });
    }
    return {
      outcome: this.#outcome ?? (why === "superseded" ? "superseded" : "fresh"),
      why: this.#outcome === null && why !== "superseded" ? why : undefined,
      version: current,
      previous: old,
      revokeAtMs: old === undefined ? undefined : (rotatedAtMs ?? 0) + this.#run.overlapMs,
      reminder: this.#outcome === "rotated" ? this.#run.target.reminder : undefined,
    };
  }

  /** Only where it matters and no rotation has noted a time. */
  async #createdAtMs({ current, rotatedAtMs }: Now): Promise<number | undefined> {
    if (this.#run.options.minAgeMs === undefined || rotatedAtMs !== undefined) return undefined;
    return (await this.#versions.stored(current)).createdAtMs;
  }

  /** What is left behind, where something is. */
  #explained(error: unknown, last: Now | undefined): unknown {
    if (!(error instanceof SecretError) || error.code.startsWith("ROTATION_")) return error;
    if (!this.#run.touched || last === undefined) return error;
    const { current, pending } = last;
    const state =
      pending === current
        ? `version ${current} is current and works, and is not finished`
        : `version ${current} is current as before, and a new one is not finished`;
    return this.#run.incomplete(`${state}; run this again: ${error.message}`);
  }
}
