/** What a command tells before it runs. There is no shell between nopeek and the job. */
import type { Detector } from "../detect/index.ts";

export interface CommandHit {
  /** What it hints at; there is no other rule behind it. */
  readonly detector: Detector;
  /** The argument; 0 is the program. */
  readonly position: number;
}

/** Characters that mean something to a shell: harmless to a program, not to a shell it calls. */
const shellCharacters = /[;&|`$()]/;
const encodedParent = /(?:%2e%2e|\.\.)(?:%2f|%5c)/i;

/**
 * Finds the arguments that a shell would read as more than text, and those with an encoded way up.
 *
 * @param upward - Positions of arguments with `..` that nothing checks.
 */
export function judgeCommand(command: readonly string[], upward: readonly number[]): CommandHit[] {
  return command.flatMap((item, position) => {
    const hits: CommandHit[] = [];
    if (shellCharacters.test(item)) hits.push({ detector: "shell-injection", position });
    if (upward.includes(position) || encodedParent.test(item)) {
      hits.push({ detector: "path-traversal", position });
    }
    return hits;
  });
}
