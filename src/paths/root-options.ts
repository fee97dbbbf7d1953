import { PathError } from "./errors.ts";
import type { NameProfile } from "./name-rules.ts";

/** How an open root treats what it meets. */
export interface RootOptions {
  /**
   * `refuse` (default): a symbolic link on a path is an error. `follow`: it is followed as long as
   * it stays beneath the root; a link to an absolute path never does.
   */
  readonly symlinks?: "refuse" | "follow" | undefined;
  /**
   * `..` in a path. `refuse`: an error. `resolve`: allowed while it stays beneath the root.
   * Default: `resolve` where links are followed, otherwise `refuse`.
   */
  readonly dotdot?: "refuse" | "resolve" | undefined;
  /**
   * Names that may be made (default: `portable`). What exists can be read and removed under any
   * name that this platform can store.
   */
  readonly names?: NameProfile | undefined;
  /**
   * Files with several names, of which one may lie outside. `read-only` (default): they are not
   * opened for writing; `writeFile` replaces the name and leaves the other file alone.
   */
  readonly hardLinks?: "read-only" | "refuse" | "allow" | undefined;
  /** FIFOs, sockets and devices (default: `refuse`). Opening one never waits for its other end. */
  readonly specialFiles?: "refuse" | "allow" | undefined;
  /** Other file systems mounted below the root, also by bind mounts (default: `allow`). */
  readonly mounts?: "refuse" | "allow" | undefined;
  /** Refuses every change (default: false). */
  readonly readOnly?: boolean | undefined;
  /**
   * Where races cannot be excluded (`confinement: "check-only"`). `read-only` (default): writing
   * is refused. `refuse`: opening the root is refused. `allow`: the checks have to do.
   */
  readonly weak?: "read-only" | "refuse" | "allow" | undefined;
}

/** The options with their defaults. */
export type RootRules = {
  readonly [Name in keyof RootOptions]-?: Exclude<RootOptions[Name], undefined>;
};

const allowed: { readonly [Name in keyof RootOptions]-?: readonly RootRules[Name][] } = {
  symlinks: ["refuse", "follow"],
  dotdot: ["refuse", "resolve"],
  names: ["portable", "posix", "native"],
  hardLinks: ["read-only", "refuse", "allow"],
  specialFiles: ["refuse", "allow"],
  mounts: ["allow", "refuse"],
  readOnly: [false, true],
  weak: ["read-only", "refuse", "allow"],
};

/** @throws {@link PathError} `PATH_OPTION_INVALID`. */
export function checkRootOptions(given: unknown): RootRules {
  if (typeof given !== "object" || given === null) {
    throw new PathError("PATH_OPTION_INVALID", "the options of a root must be an object");
  }
  // Read once, for a getter could answer differently next time, and without a prototype.
  const options: Readonly<Record<string, unknown>> = Object.assign(Object.create(null), given);
  for (const [name, value] of Object.entries(options)) {
    const values: readonly unknown[] | undefined = Object.hasOwn(allowed, name)
      ? allowed[name as keyof RootOptions]
      : undefined;
    if (values === undefined) {
      const known = Object.keys(allowed).join(", ");
      throw new PathError("PATH_OPTION_INVALID", `unknown option of a root; known are ${known}`);
    }
    if (value !== undefined && !values.includes(value)) {
      const choice = values.map((item) => JSON.stringify(item)).join(" or ");
      throw new PathError("PATH_OPTION_INVALID", `option ${name} of a root must be ${choice}`);
    }
  }
  const rules: Record<string, unknown> = Object.create(null);
  for (const [name, values] of Object.entries(allowed)) rules[name] = options[name] ?? values[0];
  if (options["dotdot"] === undefined && rules["symlinks"] === "follow") {
    rules["dotdot"] = "resolve";
  }
  return Object.freeze(rules) as RootRules;
}
