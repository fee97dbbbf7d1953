/**
 * What is done about an incident, in which order: the six phases of an incident process (detection,
 * assessment, containment, investigation, recovery, lessons learned), as two tables.
 */
import { SecretError } from "../secrets/index.ts";

/** The phases, in order. */
export const phases = [
  "detection",
  "assessment",
  "containment",
  "investigation",
  "recovery",
  "lessons",
] as const;

export type Phase = (typeof phases)[number];

interface StepRule {
  /** The phase that is reached with it, once all before it are. */
  readonly reaches: Phase | null;
  /** What must have been done before. */
  readonly after: readonly Step[];
  /** For messages: what is missing where this has not been done. */
  readonly missing: string;
}

/** What a person or a program does about an incident. */
export type Step =
  | "opened"
  | "reviewed"
  | "assessed"
  | "contained"
  | "scoped"
  | "recovered"
  | "closed";

/**
 * Containment and scope wait for nothing: a job is halted before anybody has looked, and the scope
 * of a leak is best searched before the old value is revoked and gone.
 */
export const steps: Readonly<Record<Step, StepRule>> = {
  opened: { reaches: "detection", after: [], missing: "it was not opened" },
  reviewed: { reaches: null, after: ["opened"], missing: "nobody has reviewed it" },
  assessed: { reaches: "assessment", after: ["opened"], missing: "it was not assessed (review)" },
  contained: { reaches: "containment", after: ["opened"], missing: "it was not contained" },
  scoped: { reaches: "investigation", after: ["opened"], missing: "its scope was not searched" },
  recovered: {
    reaches: "recovery",
    after: ["assessed", "contained", "scoped"],
    missing: "it was not recovered from",
  },
  closed: { reaches: "lessons", after: ["recovered"], missing: "it was not closed" },
};

/** What the tables decide about: the steps that were done, and a person's verdict. */
export interface Progress {
  readonly done: ReadonlySet<Step>;
  /** A person says that nothing leaked: it may be closed without the steps in between. */
  readonly isHarmless: boolean;
  /** Something was found after the last review, also where it was closed by then. */
  readonly isToReview: boolean;
}

/** What must be done before a step; empty where it may be taken. */
export function missingFor(step: Step, { done, isHarmless, isToReview }: Progress): string[] {
  if (step === "opened") return done.has("opened") ? ["it is open already"] : [];
  if (done.has("closed") && !(step === "reviewed" && isToReview)) return ["it is closed"];
  const after: readonly Step[] = step === "closed" && isHarmless ? ["reviewed"] : steps[step].after;
  const missing = new Set<string>();
  const look = (each: Step) => {
    if (done.has(each)) return;
    for (const before of steps[each].after) look(before);
    missing.add(steps[each].missing);
  };
  for (const each of after) look(each);
  return [...missing];
}

/**
 * Refuses a step that is out of turn.
 *
 * @throws SecretError `INCIDENT_STEP_REFUSED`, which says what is missing.
 */
export function assertStep(step: Step, progress: Progress): void {
  const missing = missingFor(step, progress);
  if (missing.length === 0) return;
  throw new SecretError(
    "INCIDENT_STEP_REFUSED",
    `the incident cannot be ${step}: ${missing.join(", ")}`,
  );
}

/** The furthest phase before which nothing is missing; a closed incident is in the last one. */
export function phaseOf(done: ReadonlySet<Step>): Phase {
  if (done.has("closed")) return "lessons";
  let reached: Phase = "detection";
  for (const phase of phases.slice(1)) {
    const isReached = [...done].some((step) => steps[step].reaches === phase);
    if (!isReached) break;
    reached = phase;
  }
  return reached;
}
