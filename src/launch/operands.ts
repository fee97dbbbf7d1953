/** Arguments of a command that are paths: those whose option is declared are checked. */
import { lstat, realpath } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { isWithin, type MountTable } from "../paths/index.ts";
import { SecretError } from "../secrets/index.ts";
import type { Command } from "./command.ts";

/** Where operands that are declared as paths may lead. */
export interface PathRoots {
  readonly mounts: MountTable;
  /** The working directory of a local job; undefined for a job in a container. */
  readonly cwd: string | undefined;
}

/**
 * Checks the operands of options that are declared as paths (`--data-path X`, `--data-path=X`, `-dX`):
 * they must lead into a mount or, for a local job, below its working directory. Links are followed as
 * the system does, also before a `..`.
 *
 * @returns The declared options that the command does not have.
 * @throws SecretError `PATH_REFUSED`, or `DECLARATION_INVALID` for what is no option.
 */
export async function checkOperands(
  command: Command,
  options: readonly string[],
  roots: PathRoots,
): Promise<readonly string[]> {
  if (
    !Array.isArray(options) ||
    !options.every((option) => /^--?[A-Za-z0-9][\w-]*$/.test(option))
  ) {
    throw new SecretError(
      "DECLARATION_INVALID",
      "paths are declared by the options before them, such as --data-path",
    );
  }
  const found = operandsOf(command, options);
  for (const { option, operand, position } of found) {
    const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(operand);
    const leadsIn =
      roots.cwd === undefined ? inContainer(operand, roots) : await onDisk(operand, roots);
    if (leadsIn && !isUrl && !operand.startsWith("~")) continue;
    throw new SecretError(
      "PATH_REFUSED",
      `argument ${position} (${option}) leads out of the declared mounts and the working directory`,
    );
  }
  return options.filter((option) => !found.some((operand) => operand.option === option));
}

/** Positions of arguments with `..` as a part of a path that no declared option checks. */
export function uncheckedParents(command: Command, options: readonly string[]): number[] {
  const checked = new Set(operandsOf(command, options).map(({ position }) => position));
  return command.flatMap((item, position) =>
    position > 0 && !checked.has(position) && /(?:^|[^\w.])\.\.(?:[/\\]|$)/.test(item)
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
    const operands: Operand[] = [];
    for (const option of options) {
      const next = command[index + 1];
      if (item === option) {
        if (next !== undefined) operands.push({ option, operand: next, position: index + 1 });
      } else if (item.startsWith(`${option}=`)) {
        operands.push({ option, operand: item.slice(option.length + 1), position: index });
      } else if (/^-\w$/.test(option) && item.startsWith(option)) {
        operands.push({ option, operand: item.slice(2), position: index });
      }
    }
    return operands;
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
  const target = await realTarget(isAbsolute(operand) ? operand : `${cwd}/${operand}`);
  if (target === null) return false;
  const folders = [...mounts.mounts.flatMap(({ dir }) => dir ?? []), cwd];
  for (const folder of folders) {
    const real = await realpath(folder).catch(() => null);
    // The whole file system is no root to stay in.
    if (real === null || real === "/") continue;
    if (target === real || isWithin(real, target)) return true;
  }
  return false;
}

/**
 * Where a path leads, link by link as the system goes; of what does not exist yet, where it would be.
 *
 * @returns `null` if that cannot be told: a link to nothing, or `..` in what does not exist.
 */
async function realTarget(path: string): Promise<string | null> {
  const parts = path.split("/");
  for (let count = parts.length; count > 0; count--) {
    const prefix = parts.slice(0, count).join("/") || "/";
    const rest = parts.slice(count).filter((part) => part !== "" && part !== ".");
    try {
      const real = await realpath(prefix);
      return rest.includes("..") ? null : join(real, ...rest);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ENOTDIR") return null;
      const link = await lstat(prefix).catch(() => null);
      if (link?.isSymbolicLink() === true) return null;
    }
  }
  return null;
}
