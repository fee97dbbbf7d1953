import { getSystemErrorMap } from "node:util";
import { PathError, quote } from "./errors.ts";
import type { Steps } from "./steps.ts";

/** An error of the operating system, with the path that the caller gave and Node's own fields. */
class SystemError extends Error {
  override readonly name: string = "Error";
  readonly code: string;
  readonly errno: number | undefined;
  readonly syscall: string;
  readonly path: string;

  constructor(code: string, syscall: string, path: string, to?: string) {
    const [errno, text] = entryOf(code);
    const where = to === undefined ? quote(path) : `${quote(path)} -> ${quote(to)}`;
    super(`${code}: ${text}, ${syscall} ${where}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = path;
    if (to !== undefined) Object.assign(this, { dest: to });
  }
}

let entries: ReadonlyMap<string, readonly [number, string]> | undefined;

function entryOf(code: string): readonly [number | undefined, string] {
  entries ??= new Map(
    [...getSystemErrorMap()].map(([errno, [name, text]]) => [name, [errno, text]]),
  );
  return entries.get(code) ?? [undefined, "refused by the operating system"];
}

/** What the operating system would have said. */
export function systemError(code: string, syscall: string, path: string): Error {
  return new SystemError(code, syscall, path);
}

/** The code of a system error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/**
 * What the caller gets to see of an error: never a descriptor or a path that this folder made.
 *
 * @param path What the caller asked for.
 * @param from Of two paths, the first; then `path` is the second.
 */
export function explain(error: unknown, path: string, from?: string): unknown {
  if (error instanceof PathError || error instanceof SystemError) return error;
  const { code, syscall, dest } = error as NodeJS.ErrnoException & { dest?: string };
  if (code === undefined || syscall === undefined) return error;
  if (dest === undefined || from === undefined) return new SystemError(code, syscall, path);
  return new SystemError(code, syscall, from, path);
}

/** Names the path in what steps fail with that have only a descriptor. */
export function* naming<T>(path: string, steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    throw explain(error, path);
  }
}
