import { parseReference, SecretError } from "../secrets/index.ts";
import { checkCopies } from "./copies.ts";
import { placeOf } from "./credential.ts";
import { stepsDone } from "./done.ts";
import type { RotateOptions, RotationResult } from "./options.ts";
import { gapOf, planStaged } from "./plan.ts";
import { Run } from "./run.ts";
import { StagedRotation } from "./staged.ts";
import { rotateStatic } from "./static.ts";

/** Longer times do not fit into a timer or a date that anybody means. */
const maxMs = 10 * 366 * 86_400_000;

/**
 * Replaces a credential without a moment in which none works: makes a new one, has the target accept
 * it, tests it, makes it current, updates the copies, and after the overlap revokes the old one.
 *
 * Call it as often as you like: what is due is done, what an earlier run left is ended, and of
 * several runs at once one rotates. Store and target hold all that is needed to go on.
 *
 * @returns What was done, or without `apply` what would be.
 * @throws {@link SecretError} `ROTATION_REFUSED` before anything was changed, `ROTATION_ROLLED_BACK`
 *   when all is as it was, `ROTATION_INCOMPLETE` when it must be run again, `DECLARATION_INVALID`,
 *   `SECRET_NOT_WRITABLE`, and what a store or target throws before anything was changed.
 *
 * @example
 * const { outcome } = await rotate({
 *   from: createSecrets({ providers: [aws()] }),
 *   secret: "aws-sm://ml/db",
 *   target: postgres({ admin, roles: ["train_a", "train_b"] }),
 *   minAgeMs: 30 * 86_400_000,
 *   overlapMs: 86_400_000,
 *   apply: true,
 * });
 */
export async function rotate(options: RotateOptions): Promise<RotationResult> {
  checkOptions(options);
  const { secret, target, name } = options;
  const reference = typeof secret === "string" ? parseReference(secret) : secret;
  const run = new Run(options, placeOf(reference, target, name));
  checkCopies(run);
  const { stage, capabilities } = run.provider;
  try {
    if (stage === undefined || !capabilities.includes("stage")) return await rotateStatic(run);
    const rotation = new StagedRotation(run, stage);
    if (options.apply !== true) return await planStaged(run, rotation);
    const ended = await rotation.apply();
    return {
      ...ended,
      strategy: target.strategy,
      gap: gapOf(run),
      usedBy: run.users,
      steps: stepsDone(run.done),
    };
  } catch (error) {
    if (error instanceof SecretError) run.tell({ type: "failed", code: error.code });
    throw error;
  }
}

function checkOptions({
  minAgeMs,
  overlapMs,
  leaked,
  orphanAgeMs,
  patienceMs,
}: RotateOptions): void {
  const times = {
    minAgeMs,
    overlapMs,
    orphanAgeMs,
    patienceMs,
    "leaked.overlapMs": typeof leaked === "object" ? leaked.overlapMs : undefined,
  };
  for (const [name, ms] of Object.entries(times)) {
    if (ms === undefined && name !== "overlapMs") continue;
    if (typeof ms === "number" && ms >= 0 && ms <= maxMs) continue;
    throw new SecretError(
      "DECLARATION_INVALID",
      `rotate: ${name} is a number of milliseconds, at least 0`,
    );
  }
}
