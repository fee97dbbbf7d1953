import { isAbsolute, relative, resolve } from "node:path";
import {
  defineMounts,
  isWithin,
  type Mount,
  type MountSpec,
  MountTable,
  openRoot,
  PathError,
  type Root,
} from "../paths/index.ts";
import { SecretError } from "../secrets/index.ts";
import type { Command } from "./command.ts";

/** Mounts as a launch takes them: by container path, or checked already. */
export type MountInput = Readonly<Record<string, MountSpec>> | MountTable;

/** @throws PathError `MOUNT_*`. */
export function checkMounts(given: MountInput | undefined, base: string | undefined): MountTable {
  return given instanceof MountTable ? given : defineMounts(given ?? {}, { base });
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
    const name = mount.mountPath.toUpperCase().replace(/[^A-Z0-9]+/g, "_");
    variables[`NOPEEK_MOUNT${name}`] = place;
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

/** Where operands that are declared as paths may lead. */
export interface PathRoots {
  readonly mounts: MountTable;
  /** The working directory of a local job; undefined for a job in a container. */
  readonly cwd: string | undefined;
}

/**
 * Checks the operands of options that are declared as paths, `--data-path X` or `--data-path=X`:
 * they must lead into a mount or, for a local job, below its working directory; links count.
 *
 * @throws SecretError `PATH_REFUSED`.
 */
export async function checkOperands(
  command: Command,
  options: readonly string[],
  roots: PathRoots,
): Promise<void> {
  for (const { option, operand, position } of operandsOf(command, options)) {
    const isAllowed =
      roots.cwd === undefined ? inContainer(operand, roots) : await onDisk(operand, roots);
    if (isAllowed) continue;
    throw new SecretError(
      "PATH_REFUSED",
      `argument ${position} (${option}) leads out of the declared mounts and the working directory`,
    );
  }
}

/** Positions of arguments with `..` as a part of a path that no declared option checks. */
export function uncheckedParents(command: Command, options: readonly string[]): number[] {
  const checked = new Set(operandsOf(command, options).map(({ position }) => position));
  return command.flatMap((item, position) =>
    position > 0 && !checked.has(position) && /(?:^|[/\\=:])\.\.(?:[/\\]|$)/.test(item)
      ? [position]
      : [],
  );
}

interface Operand {
  readonly option: string;
  readonly operand: string;
  readonly position: number;
}

function operandsOf(command: Command, options: readonly string[]): Operand[] {
  return command.flatMap((item, index) => {
    const option = options.find((name) => item === name || item.startsWith(`${name}=`));
    if (option === undefined) return [];
    if (item !== option)
      return [{ option, operand: item.slice(option.length + 1), position: index }];
    const operand = command[index + 1];
    return operand === undefined ? [] : [{ option, operand, position: index + 1 }];
  });
}

function inContainer(operand: string, { mounts }: PathRoots): boolean {
  if (!isAbsolute(operand)) return !operand.split(/[/\\]/).includes("..");
  try {
    mounts.locate(operand);
    return true;
  } catch {
    return false;
  }
}

async function onDisk(operand: string, { mounts, cwd = "" }: PathRoots): Promise<boolean> {
  const target = resolve(cwd, operand);
  const folders = [...mounts.mounts.flatMap(({ dir }) => dir ?? []), resolve(cwd)];
  for (const folder of folders) {
    if (target === folder) return true;
    if (isWithin(folder, target) && (await staysBeneath(folder, relative(folder, target))))
      return true;
  }
  return false;
}

/** Whether no link on the way leads out; what does not exist yet leads nowhere. */
async function staysBeneath(folder: string, path: string): Promise<boolean> {
  const root = await openRoot(folder, { symlinks: "follow" });
  try {
    await root.stat(path);
    return true;
  } catch (error) {
    return !(error instanceof PathError) || error.code === "PATH_SPECIAL_FILE";
  } finally {
    await root.close();
  }
}
