import type { Redactor } from "../redact/index.ts";
import { SecretError } from "../secrets/index.ts";

/** A program and its arguments. There is no shell, so a string is no command. */
export type Command = readonly [string, ...string[]];

/**
 * Checks that a command is a list of arguments.
 *
 * @throws SecretError `COMMAND_INVALID`.
 */
export function checkCommand(command: unknown): Command {
  if (typeof command === "string") {
    throw new SecretError(
      "COMMAND_INVALID",
      'a command is a list, such as ["python", "train.py"]; for a shell line use ["sh", "-c", line]',
    );
  }
  if (!Array.isArray(command) || command.length === 0) {
    throw new SecretError("COMMAND_INVALID", "there is no command to run; give it after --");
  }
  for (const item of command as unknown[]) {
    if (typeof item !== "string") {
      throw new SecretError("COMMAND_INVALID", "every item of a command must be a string");
    }
    if (item.includes("\0")) {
      throw new SecretError("COMMAND_INVALID", "an item of the command holds a NUL character");
    }
  }
  if (command[0] === "") throw new SecretError("COMMAND_INVALID", "the program name is empty");
  return [...(command as string[])] as unknown as Command;
}

/**
 * Refuses a command line with a secret in it: every user of the machine can read it.
 *
 * @param whose - For the message: `the command`, or `nopeek's own command line`.
 * @throws SecretError `COMMAND_HOLDS_SECRET`, which names the secret and the position, not the item.
 */
export function assertNoSecret(
  command: readonly string[],
  redactor: Redactor,
  whose = "the command",
): void {
  command.forEach((item, position) => {
    // Text of another's format is the user's own business; the job's own values are not.
    const [finding] = redactor.find(item, { rules: false });
    if (finding === undefined) return;
    const what = position === 0 ? "the first word" : `argument ${position}`;
    const { name = "a secret", form } = finding;
    throw new SecretError(
      "COMMAND_HOLDS_SECRET",
      `${what} of ${whose} holds the value of ${name} (${form}), and command lines can be read by everybody; let the job read the variable, or if it is no secret pass it with --plain ${name}`,
    );
  });
}
