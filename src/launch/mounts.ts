import {
  defineMounts,
  type Mount,
  type MountSpec,
  MountTable,
  PathError,
  type Root,
} from "../paths/index.ts";
import { SecretError } from "../secrets/index.ts";

/** Mounts as a launch takes them: by container path, or checked already. */
export type MountInput = Readonly<Record<string, MountSpec>> | MountTable;

/** @throws PathError `MOUNT_*`; SecretError `DECLARATION_INVALID` if two would share a variable. */
export function checkMounts(given: MountInput | undefined, base: string | undefined): MountTable {
  const table = given instanceof MountTable ? given : defineMounts(given ?? {}, { base });
  const names = new Map<string, string>();
  for (const { mountPath } of table.mounts) {
    const name = variableOf(mountPath);
    const other = names.get(name);
    if (other !== undefined) {
      throw new SecretError(
        "DECLARATION_INVALID",
        `the mounts ${other} and ${mountPath} would share the variable ${name}; rename one`,
      );
    }
    names.set(name, mountPath);
  }
  return table;
}

function variableOf(mountPath: string): string {
  return `NOPEEK_MOUNT${mountPath.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}`;
}

/**
 * The variables that tell a job where its mounts are: the one that a mount declares, and
 * `NOPEEK_MOUNT_` with the mount's path in capitals.
 *
 * @param placeOf - Where a mount is for this runtime.
 */
export function mountVariables(
  mounts: readonly Mount[],
  placeOf: (mount: Mount) => string,
): Record<string, string> {
  const variables: Record<string, string> = Object.create(null);
  for (const mount of mounts) {
    const place = placeOf(mount);
    variables[variableOf(mount.mountPath)] = place;
    if (mount.env !== undefined) variables[mount.env] = place;
  }
  return variables;
}

/** The local folders of mounts, held open while a job runs. */
export interface BoundMounts {
  readonly variables: Readonly<Record<string, string>>;
  close(): void;
}

/**
 * Binds mounts to their folders on this machine.
 *
 * @throws PathError `MOUNT_NOT_LOCAL` for a mount without `dir`; `LAUNCH_FAILED` for a folder that
 *   does not exist.
 */
export async function bindMounts(mounts: readonly Mount[]): Promise<BoundMounts> {
  const table = new MountTable(mounts);
  const roots: Root[] = [];
  const close = () => {
    for (const root of roots) root.closeSync();
  };
  try {
    for (const { mountPath } of mounts) roots.push(await table.openRoot(mountPath));
  } catch (error) {
    close();
    if (error instanceof PathError) throw error;
    const { mountPath, dir } = mounts[roots.length] as Mount;
    throw new SecretError(
      "LAUNCH_FAILED",
      `the mount ${mountPath}: its dir ${dir} cannot be opened`,
    );
  }
  return { variables: mountVariables(mounts, ({ dir = "" }) => dir), close };
}
