import type { Job } from "../../../src/launch/index.ts";
import type { Secret } from "../../../src/secrets/index.ts";
import { newShimKey, shimKeyVariable, wrapCommand } from "../shim/index.ts";
import type { ModalRuntimeOptions } from "./options.ts";
import { carryFiles, type JobSecrets } from "./secrets.ts";
import { followShim, type ShimGuard } from "./shim-guard.ts";

/** A job with or without a guard inside the container. */
export interface GuardedJob {
  readonly secrets: JobSecrets;
  readonly wrap: (command: readonly string[], plain: readonly string[]) => readonly string[];
  readonly guard: ShimGuard | undefined;
}

/** Puts the guard inside the container around jobs that have something to mask. */
export class Guards {
  readonly #mode: ModalRuntimeOptions["shim"];
  /** One for all jobs: with one for each, every job would need a stored bundle of its own. */
  #key: Secret | undefined;

  constructor(mode: ModalRuntimeOptions["shim"]) {
    this.#mode = mode;
  }

  around(job: Job, checked: JobSecrets): GuardedJob {
    const { entries, files, named: attached } = checked;
    const hasSecrets = files.length > 0 || attached.length > 0 || Object.keys(entries).length > 0;
    const mode = this.#mode ?? (attached.length > 0 ? "required" : "auto");
    if (mode === "off" || !hasSecrets) {
      return { secrets: checked, wrap: (command) => command, guard: undefined };
    }
    this.#key ??= newShimKey();
    const { secrets, carried } = carryFiles(checked);
    const known = Object.keys(secrets.entries);
    return {
      secrets: {
        ...secrets,
        entries: { ...secrets.entries, [shimKeyVariable]: this.#key.reveal() },
      },
      wrap: (command, plain) =>
        wrapCommand({
          command,
          declared: [...known, ...attached.flatMap(({ keys }) => keys)],
          // What was resolved here has passed the check for weak values, or may be weak.
          allowWeak: known,
          // Only an attached secret, which comes whole, may bring what nobody declared.
          keep: attached.length > 0 ? plain : [...plain, "*"],
          files: carried,
          runId: job.runId,
          hold: job.hold,
          fallback: mode === "auto" ? "run" : "refuse",
        }),
      guard: followShim(job, this.#key),
    };
  }
}
