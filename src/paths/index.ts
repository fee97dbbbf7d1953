/**
 * Keeps paths from outside inside the folders and mounts that were declared. Exported as
 * `nopeek/paths`.
 *
 * @module
 */
export type { MkdirOptions, RmOptions } from "./change.ts";
export type { FileContent, WriteOptions } from "./content.ts";
export { PathError, type PathErrorCode, pathErrorCodes } from "./errors.ts";
export type { Confinement } from "./ground.ts";
export type { RootEntry } from "./inspect.ts";
export { isLocalPath, type LocalPath } from "./local-path.ts";
export type { MountPolicy } from "./mount-path.ts";
export type { BucketSource, Mount, MountSpec } from "./mount-spec.ts";
export { defineMounts, type Located, MountTable } from "./mounts.ts";
export type { NameProfile } from "./name-rules.ts";
export type { OpenFlags } from "./open-file.ts";
export { openRoot, openRootSync, type Root } from "./root.ts";
export type { RootOptions } from "./root-options.ts";
export { isWithin, type SafePath, safeJoin } from "./safe-join.ts";
