import { textOf } from "./copies.ts";
import type { Action } from "./decide.ts";
import type { RotationResult, RotationStep } from "./options.ts";
import type { Run } from "./run.ts";
import type { StagedRotation } from "./staged.ts";

/** What a rotation would do, from what the store says now. Changes nothing. */
export async function planStaged(run: Run, rotation: StagedRotation): Promise<RotationResult> {
  const { stages, action } = await rotation.look();
  const { current, previous, rotatedAtMs } = stages;
  const old = rotatedAtMs === undefined ? undefined : previous;
  const leaving = action.do === "retire" ? action.version : (old ?? current);
  if (action.do !== "nothing" || old !== undefined) {
    await run.findUsers(await rotation.versions.credential(leaving));
  }
  const isDue = action.do !== "nothing";
  return {
    outcome: isDue ? "planned" : action.why === "superseded" ? "superseded" : "fresh",
    why: isDue || action.why === "superseded" ? undefined : action.why,
    strategy: run.target.strategy,
    version: current,
    previous: old,
    revokeAtMs: old === undefined ? undefined : (rotatedAtMs ?? 0) + run.overlapMs,
    gap: gapOf(run),
    usedBy: run.users,
    steps: stepsOf(run, current, action),
    reminder: isDue ? run.target.reminder : undefined,
  };
}

/** What a target or a store with one value cannot give. */
export function gapOf({ target, provider }: Run): string | undefined {
  if (target.strategy === "issuer" && target.set !== undefined && provider.stage === undefined) {
    return `${provider.name} keeps one value, so a new one is known to nobody until it is written: if this is killed there, ${target.name} goes on accepting it, and no later run knows it; revoke it by hand, or use a store with versions`;
  }
  if (target.strategy !== "static") return undefined;
  const end = provider.stage === undefined ? "the new one is written" : "the new one is current";
  const lost =
    provider.stage === undefined
      ? "; if this is interrupted there, run it again with repair: a new one is made"
      : "; if this is interrupted there, run it again: it goes on";
  return `${target.name} has one value: from the moment it is set until ${end}, about a second, who reads the old one is refused${lost}`;
}

function stepsOf(run: Run, current: string, action: Action): RotationStep[] {
  switch (action.do) {
    case "finish":
      return [
        ...publishSteps(run),
        { step: "finish", text: `end the rotation to version ${action.version}` },
        ...(run.overlapMs === 0 ? retiringSteps(run, action.version) : []),
        ...revokeSteps(run, "the version before"),
      ];
    case "drop":
      return [
        {
          step: "create",
          text: `take back version ${action.version}, which an interrupted run left`,
        },
      ];
    case "retire":
      return [
        ...retiringSteps(run, current),
        ...publishSteps(run),
        ...revokeSteps(run, `version ${action.version}`, 0),
      ];
    case "carry":
      return [
        { step: "create", text: `go on with version ${action.version}, which is pending` },
        ...changeSteps(run, current),
      ];
    case "begin":
      return [
        ...guardSteps(run, `version ${current}`),
        { step: "create", text: `store a pending version beside ${current}` },
        ...changeSteps(run, current),
      ];
    case "nothing":
      return [];
  }
}

/** Who rotates away from what works nowhere may be at the wrong target. */
export function guardSteps(run: Run, what: string): RotationStep[] {
  return run.options.repair === true ? [] : [testStep(run, what)];
}

/** What is revoked cannot be given back. */
function retiringSteps(run: Run, current: string): RotationStep[] {
  const isNeeded = run.target.strategy !== "static" && run.target.revoke !== undefined;
  return isNeeded ? [testStep(run, `version ${current}`)] : [];
}

function testStep({ target }: Run, what: string): RotationStep {
  return { step: "test", text: `test ${what}, which is current, on ${target.name}` };
}

function changeSteps(run: Run, current: string): RotationStep[] {
  const { target } = run;
  return [
    ...(target.set === undefined
      ? []
      : [{ step: "set", text: `have ${target.name} accept it` } as const]),
    { step: "test", text: `test it on ${target.name}` },
    { step: "finish", text: `make it current in the place of ${current}` },
    ...publishSteps(run),
    ...revokeSteps(run, `version ${current}`),
  ];
}

export function publishSteps(run: Run): RotationStep[] {
  return (run.options.publish ?? []).map((copy) => ({
    step: "publish",
    text: `update the copy ${textOf(copy)}`,
  }));
}

export function revokeSteps(run: Run, what: string, afterMs = run.overlapMs): RotationStep[] {
  if (run.target.strategy === "static") return [];
  if (run.target.revoke === undefined) {
    return [{ step: "revoke", text: run.target.reminder ?? `revoke ${what} by hand` }];
  }
  const revoke = { step: "revoke", text: `revoke ${what}` } as const;
  return afterMs === 0
    ? [revoke]
    : [{ step: "wait", text: `${asTime(afterMs)} of overlap, in a later run` }, revoke];
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** The largest unit that gives a whole number: `36 h`, `7 d`. */
export function asTime(ms: number): string {
  for (const [unit, size] of units)
    if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`;
  return `${ms} ms`;
}
