import type { LoadedConfig } from "../config/index.ts";
import { local, type Runtime } from "../launch/index.ts";
import { SecretError } from "../secrets/index.ts";

/** Options of a runtime as a configuration declares them, or as the command line gives them. */
type Options = Readonly<Record<string, unknown>>;

/** What can be said of sandboxes that still run, for `nopeek doctor`. */
export interface Leftover {
  readonly sandboxId: string;
  readonly runId: string;
  readonly isAttended: boolean | null;
  end(): Promise<void>;
}

interface Kind {
  readonly make: (options: Options) => Promise<Runtime>;
  /** Lists what runs of earlier launches; `null` if the place to look at does not exist. */
  readonly find?: (options: Options) => Promise<readonly Leftover[] | null>;
}

/** The runtimes by their kind. Each adapter is loaded when it is used. */
const kinds: Readonly<Record<string, Kind>> = {
  local: { make: async () => local() },
  modal: {
    make: async (options) => {
      const { modalRuntime } = await import("../../adapters/modal/index.ts");
      return modalRuntime(options as never);
    },
    find: async (options) => {
      const { findSandboxes } = await import("../../adapters/modal/index.ts");
      return await findSandboxes(options as never);
    },
  },
};

/** A runtime that was named: its kind, and the options of its declaration. */
export interface Named {
  readonly name: string;
  readonly kind: string;
  readonly options: Options;
}

/**
 * Finds the runtime of a name: one of the configuration, or a kind by its own name.
 *
 * @throws SecretError `USAGE`.
 */
export function namedRuntime(name: string, config: LoadedConfig | null): Named {
  const declared = config?.runtimes ?? {};
  const found = Object.hasOwn(declared, name) ? declared[name] : undefined;
  const { kind = name, ...options } = found ?? {};
  if (Object.hasOwn(kinds, kind)) return { name, kind, options };
  const known = [...new Set([...Object.keys(kinds), ...Object.keys(declared)])].join(", ");
  throw new SecretError("USAGE", `there is no runtime of this name; known are ${known}`);
}

/** @throws SecretError `DECLARATION_INVALID` for wrong options. */
export function makeRuntime({ kind }: Named, options: Options): Promise<Runtime> {
  return (kinds[kind] as Kind).make(options);
}

/** What still runs there; `null` if the app to look at does not exist. */
export async function findLeftovers({ kind, options }: Named): Promise<readonly Leftover[] | null> {
  const { find } = kinds[kind] as Kind;
  return find === undefined ? [] : await find(options);
}

/** The runtimes that may have left something: those of the configuration, else all kinds. */
export function searchable(config: LoadedConfig | null): readonly Named[] {
  const names = Object.keys(config?.runtimes ?? {});
  return (names.length > 0 ? names : Object.keys(kinds))
    .map((name) => namedRuntime(name, config))
    .filter(({ kind }) => kinds[kind]?.find !== undefined);
}
