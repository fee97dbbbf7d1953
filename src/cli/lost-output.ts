import { writeSync } from "node:fs";
import { exitCodes } from "./exit-codes.ts";

/**
 * Ends the process with {@link exitCodes.launcherFailed} and a line where its output could not be
 * written, such as on a full disk. A reader that went away, such as `head`, is no failure.
 *
 * @returns `leave`: nothing is done, since who writes looks itself.
 */
export function tellLostOutput(stdout: NodeJS.WritableStream): { leave(): void } {
  let code: string | undefined;
  let isLeft = false;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") code ??= error.code ?? "no detail";
  });
  process.on("exit", () => {
    if (code === undefined || isLeft) return;
    process.exitCode = exitCodes.launcherFailed;
    try {
      writeSync(2, `nopeek: standard output could not be written (${code})\n`);
    } catch {
      // The exit code has to do.
    }
  });
  return {
    leave() {
      isLeft = true;
    },
  };
}
