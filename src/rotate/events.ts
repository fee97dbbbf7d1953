/**
 * What a rotation tells while it is at work. No field holds a value: references, names of versions
 * and of stores only.
 */
export type RotationEvent = { readonly secret: string } & (
  | { readonly type: "started"; readonly strategy: string; readonly current: string | undefined }
  /** A run found what an earlier one left. */
  | { readonly type: "resumed"; readonly version: string }
  | { readonly type: "created"; readonly version: string | undefined }
  | { readonly type: "set"; readonly version: string | undefined }
  | { readonly type: "tested"; readonly version: string | undefined; readonly works: boolean }
  /** It is current; the copies follow. Stores of one value have only `finished`. */
  | { readonly type: "promoted"; readonly version: string }
  | {
      readonly type: "finished";
      readonly version: string | undefined;
      readonly previous: string | undefined;
    }
  | { readonly type: "copy-updated"; readonly copy: string }
  | { readonly type: "copy-failed"; readonly copy: string; readonly code: string }
  | { readonly type: "rolled-back"; readonly version: string | undefined }
  | { readonly type: "superseded"; readonly version: string | undefined }
  | { readonly type: "revoked"; readonly version: string | undefined }
  /** A key that no version refers to. */
  | { readonly type: "orphan-revoked" }
  | { readonly type: "failed"; readonly code: string }
);
