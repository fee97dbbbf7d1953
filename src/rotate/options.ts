import type { Reference, Secrets } from "../secrets/index.ts";
import type { RotationEvent } from "./events.ts";
import type { Credential, RotationTarget, Strategy } from "./target.ts";

/** A further place that holds the credential, such as a named secret of Modal. */
export interface Copy {
  /** Without a field: its keys follow. */
  readonly to: string | Reference;
  readonly keys: { readonly id?: string | undefined; readonly secret: string };
}

export interface RotateOptions {
  /** Reads and writes the stores. */
  readonly from: Secrets;
  /** Where the credential is kept: the whole value, one `#field`, or the target's fields of it. */
  readonly secret: string | Reference;
  readonly target: RotationTarget;
  /** Copies that are updated after the change; a reference with a field takes the secret. */
  readonly publish?: readonly (string | Reference | Copy)[] | undefined;
  /** Does nothing while the current credential is younger, in milliseconds. */
  readonly minAgeMs?: number | undefined;
  /**
   * How long the old credential goes on working, in milliseconds: at least as long as values are
   * cached, plus the longest job. A later run revokes it.
   */
  readonly overlapMs: number;
  /** Changes something. Default: `false`, only tells what would be done. */
  readonly apply?: boolean | undefined;
  /**
   * The credential is known to others: rotates whatever its age, and revokes the old one as soon as
   * the new one works and every copy is updated, or after `overlapMs` of its own.
   */
  readonly leaked?: boolean | { readonly overlapMs: number } | undefined;
  /** The version to rotate away from: nothing is done if another one is current already. */
  readonly awayFrom?: string | undefined;
  /**
   * Rotates although the current credential does not work: after an interrupted rotation of a store
   * that keeps one value.
   */
  readonly repair?: boolean | undefined;
  /** The name that stands in masks. */
  readonly name?: string | undefined;
  /** Told at each step. What it throws is ignored, with a warning of the process. */
  readonly onEvent?: ((event: RotationEvent) => void) | undefined;
  /** Who still uses a credential, besides what the target knows; in words that are safe to print. */
  readonly usedBy?: ((credential: Credential) => Promise<readonly string[]>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * A key that no version refers to is revoked when it is older, in milliseconds; a younger one may
   * be that of a rotation under way. Default: ten minutes.
   */
  readonly orphanAgeMs?: number | undefined;
  /** How long to wait for another rotation that is at work, in milliseconds. Default: five seconds. */
  readonly patienceMs?: number | undefined;
}

/** One step of a rotation, as planned or done; in words without a value. */
export interface RotationStep {
  readonly step: "create" | "set" | "test" | "finish" | "publish" | "revoke" | "wait";
  readonly text: string;
}

/** What became of a rotation. */
export interface RotationResult {
  /**
   * `planned`: something is due, and nothing was done. `rotated`: the version is current, by this
   * run. `superseded`: by somebody else's. `ended`: what an earlier run left was done. `fresh`:
   * nothing is due. `busy`: another rotation is at work.
   */
  readonly outcome: "planned" | "rotated" | "superseded" | "ended" | "fresh" | "busy";
  /** Why nothing is due: the current credential is young, or the overlap with the old one is not over. */
  readonly why?: "young" | "overlap" | undefined;
  readonly strategy: Strategy;
  /** The current version, where the store has versions. */
  readonly version?: string | undefined;
  /** The version before, while its credential still works. */
  readonly previous?: string | undefined;
  /** When the credential before will be revoked, in milliseconds since 1970. */
  readonly revokeAtMs?: number | undefined;
  /**
   * What is or was without a working credential, and for how long, or what a killed run would leave
   * unknown; `undefined`: nothing.
   */
  readonly gap?: string | undefined;
  /** Who uses the credential that is to go. */
  readonly usedBy: readonly string[];
  readonly steps: readonly RotationStep[];
  /** What a person has to do. */
  readonly reminder?: string | undefined;
}
