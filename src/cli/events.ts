import { closeSync, openSync, writeSync } from "node:fs";
import { SecretError } from "../secrets/index.ts";

/** What happened in a run; no field holds text of the job. */
type RunEvent =
  | { readonly type: "start"; readonly runId: string; readonly program: string }
  | {
      readonly type: "redaction";
      readonly stream: string;
      readonly name: string | undefined;
      readonly form: string;
      readonly strength: string;
    }
  | {
      readonly type: "end";
      /** Missing if nothing was started. */
      readonly runId?: string;
      /** As in the result of a launch; `error` if nothing was started. */
      readonly endedBy: string;
      readonly exitCode: number;
      readonly redactions?: object;
      readonly code?: string;
    };

export interface Events {
  write(event: RunEvent): void;
}

/**
 * Writes events as JSON lines to a private file. The last one tells how the run ended: a command may
 * itself exit with a code of ours.
 *
 * @throws SecretError `USAGE` if the file cannot be opened.
 */
export function createEvents(file: string | undefined): Events {
  if (file === undefined) return { write: () => undefined };
  let fd: number;
  try {
    fd = openSync(file, "a", 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "no detail";
    throw new SecretError("USAGE", `--events ${file} cannot be written: ${code}`);
  }
  return {
    write(event) {
      writeSync(fd, `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
      if (event.type === "end") closeSync(fd);
    },
  };
}
