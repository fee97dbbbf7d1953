import { spawn } from "node:child_process";
import { type Secret, SecretError } from "../secrets/index.ts";

/** A program of the user's that gets a value on its standard input. */
export interface ChildOptions {
  /** Variables of this process that it gets besides PATH, HOME and the like. */
  readonly pass?: readonly string[] | undefined;
  /** It is ended, with what it started, after this time, in milliseconds; default 60 000. */
  readonly timeoutMs?: number | undefined;
}

const defaultTimeoutMs = 60_000;
const harmless = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/**
 * Runs a program with a value on its standard input, whole and without a line end. What it prints is
 * thrown away: it may be the value.
 *
 * @returns Its exit code.
 * @throws SecretError `COMMAND_NOT_FOUND`, `COMMAND_HOLDS_SECRET`, `SECRET_UNREACHABLE` if it was
 *   ended by a signal or the time limit.
 */
export async function runWithValue(
  argv: readonly string[],
  value: Secret,
  { pass = [], timeoutMs = defaultTimeoutMs }: ChildOptions,
  signal: AbortSignal,
): Promise<number> {
  const [program = "", ...rest] = argv;
  const text = value.reveal();
  if (argv.some((argument) => argument.includes(text))) {
    throw new SecretError(
      "COMMAND_HOLDS_SECRET",
      `an argument of ${program} holds the value, which everybody can read there; it gets the value on standard input`,
    );
  }
  const child = spawn(program, rest, {
    env: environment([...harmless, ...pass], text),
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // With what it started, which is in its process group.
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended meanwhile.
    }
  };
  // It may not read it.
  child.stdin.on("error", () => undefined);
  child.stdin.end(text);
  const limit = child.pid === undefined ? undefined : setTimeout(kill, timeoutMs);
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  return new Promise<number>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      const isMissing = error.code === "ENOENT" || error.code === "EACCES";
      reject(
        isMissing
          ? new SecretError(
              "COMMAND_NOT_FOUND",
              `${program} cannot be executed; check the command of the rotation`,
            )
          : ended(program),
      );
    });
    child.on("close", (code) => (code === null ? reject(ended(program)) : resolve(code)));
  }).finally(() => {
    clearTimeout(limit);
    signal.removeEventListener("abort", kill);
  });
}

/** Without any variable that holds the value: the old one may stand in this process's own. */
function environment(names: readonly string[], value: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const name of names) {
    const own = process.env[name];
    if (own !== undefined && !own.includes(value)) env[name] = own;
  }
  return env;
}

function ended(program: string): SecretError {
  return new SecretError("SECRET_UNREACHABLE", `${program} did not come to an end of its own`);
}
