import type { Stages } from "../secrets/index.ts";

/** What a rotation does next, from nothing but what the store says. */
export type Action =
  /** The version is current: update the copies and end the rotation. */
  | { readonly do: "finish"; readonly version: string }
  /** It was made from a version that is not current any more. */
  | { readonly do: "drop"; readonly version: string }
  /** Go on with what is pending. */
  | { readonly do: "carry"; readonly version: string; readonly base: string }
  /** The overlap is over. */
  | { readonly do: "retire"; readonly version: string }
  | { readonly do: "begin"; readonly base: string }
  | { readonly do: "nothing"; readonly why: "superseded" | "young" | "overlap" };

/** What the decision depends on besides the store. */
export interface Aims {
  /** The version to rotate away from. */
  readonly goal: string;
  readonly nowMs: number;
  /** When the current version was made, if it was no rotation that made it current. */
  readonly createdAtMs: number | undefined;
  readonly minAgeMs: number | undefined;
  readonly overlapMs: number;
  /** Rotate whatever the age and the overlap. */
  readonly urgent: boolean;
  /** Only a person can revoke the old one, so it is never in the way of a new one. */
  readonly byHand: boolean;
}

/**
 * Decides the next step. Every run of every process decides anew after each step, so that a run that
 * died and one that goes on beside it are the same.
 */
export function decide(current: string, stages: Stages, aims: Aims): Action {
  const { previous, pending, pendingBase, rotatedAtMs } = stages;
  if (pending !== undefined) {
    if (pending === current) return { do: "finish", version: current };
    if (pendingBase !== current) return { do: "drop", version: pending };
    return { do: "carry", version: pending, base: current };
  }
  // What was current before somebody else's change is not ours to revoke.
  const old = rotatedAtMs === undefined ? undefined : previous;
  const isOver = aims.nowMs >= (rotatedAtMs ?? 0) + aims.overlapMs;
  const retireOr = (otherwise: Action): Action =>
    old !== undefined && isOver ? { do: "retire", version: old } : otherwise;
  const begin: Action = { do: "begin", base: current };

  if (!aims.byHand && old !== undefined && isOver) return { do: "retire", version: old };
  if (current !== aims.goal) return retireOr({ do: "nothing", why: "superseded" });
  if (!aims.urgent && !isOld(rotatedAtMs ?? aims.createdAtMs, aims)) {
    return retireOr({ do: "nothing", why: "young" });
  }
  if (old === undefined || aims.byHand) return begin;
  return aims.urgent ? { do: "retire", version: old } : { do: "nothing", why: "overlap" };
}

function isOld(sinceMs: number | undefined, { minAgeMs, nowMs }: Aims): boolean {
  return minAgeMs === undefined || sinceMs === undefined || nowMs >= sinceMs + minAgeMs;
}
