import { Secret, SecretError } from "../secrets/index.ts";
import { type ChildOptions, runWithValue } from "./child.ts";
import { type RandomOptions, randomValue } from "./random.ts";
import type { Credential, RotationTarget } from "./target.ts";

export interface CommandTargetOptions extends ChildOptions {
  /** For messages; default: `the command`. */
  readonly name?: string | undefined;
  /** Makes the target accept the value on its standard input. Exit code 0: done; others: not done. */
  readonly set?: readonly string[] | undefined;
  /** Exit code 0: the value on its standard input works; 1: it does not; others: cannot be told. */
  readonly works: readonly string[];
  /** Makes the target refuse the value on its standard input. Exit code 0: done. */
  readonly revoke?: readonly string[] | undefined;
  /** The value that is made. */
  readonly generate?: RandomOptions | undefined;
  /** Default: `issuer` with `revoke`, since then both values work for a time, else `static`. */
  readonly strategy?: "issuer" | "static" | undefined;
}

/**
 * A target that programs of your own stand for: each gets the value on its standard input, never in
 * its arguments or environment, and what it prints is thrown away.
 *
 * Its methods throw `COMMAND_NOT_FOUND`, `COMMAND_HOLDS_SECRET`, `SECRET_REQUEST_INVALID` where `set`
 * says that it failed, and `SECRET_UNREACHABLE` for exit codes that say nothing.
 *
 * @example
 * command({ set: ["./set-password", "queue"], works: ["./can-log-in", "queue"] });
 */
export function command(options: CommandTargetOptions): RotationTarget {
  const { name = "the command", set, works, revoke, generate } = options;
  const strategy = options.strategy ?? (revoke === undefined ? "static" : "issuer");
  const run = (argv: readonly string[], secret: Secret, signal: AbortSignal) =>
    runWithValue(argv, secret, options, signal);
  return {
    name,
    strategy,
    propose: async () => ({ secret: new Secret(randomValue(generate)) }),
    works: ({ secret }, { signal }) => worksBy(works, secret, options, signal),
    ...(set !== undefined && {
      async set({ secret }: Credential, { signal }) {
        const code = await run(set, secret, signal);
        // It says itself that it failed: a definite error, unlike an answer that is lost.
        if (code !== 0) throw failed(set[0], code, "SECRET_REQUEST_INVALID");
      },
    }),
    ...(revoke !== undefined && {
      async revoke({ secret }, { signal }) {
        if (secret === undefined) return;
        const code = await run(revoke, secret, signal);
        if (code !== 0) throw failed(revoke[0], code);
      },
    }),
  };
}

/** The answer of a program that tests a value. */
export async function worksBy(
  argv: readonly string[],
  secret: Secret,
  options: ChildOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const code = await runWithValue(argv, secret, options, signal);
  if (code === 0 || code === 1) return code === 0;
  throw failed(argv[0], code);
}

function failed(
  program: string | undefined,
  code: number,
  as: "SECRET_UNREACHABLE" | "SECRET_REQUEST_INVALID" = "SECRET_UNREACHABLE",
): SecretError {
  return new SecretError(as, `${program} failed with exit code ${code}`);
}
