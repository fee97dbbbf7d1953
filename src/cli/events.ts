import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { SecretError } from "../secrets/index.ts";
import { openPrivate } from "./private-file.ts";

/** What happened in a run; no field holds text of the job. */
type RunEvent =
  | { readonly type: "start"; readonly runId: string; readonly program: string }
  | {
      readonly type: "redaction";
      readonly stream: string;
      readonly name: string | undefined;
      readonly rule: string | undefined;
      readonly form: string;
      readonly strength: string;
      readonly confidence: string;
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
 * itself exit with a code of ours. A file that cannot be written any more costs its events only.
 *
 * @param warn - Told once if that happens.
 * @throws SecretError `USAGE` if the file cannot be opened.
 */
export function createEvents(file: string | undefined, warn: (message: string) => void): Events {
  if (file === undefined) return { write: () => undefined };
  let fd: number | null = openFile(file);
  return {
    write(event) {
      if (fd === null) return;
      try {
        writeSync(fd, `${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
        if (event.type !== "end") return;
      } catch (error) {
        warn(`--events ${file} ends here: it cannot be written (${codeOf(error)})`);
      }
      closeSync(fd);
      fd = null;
    },
  };
}

/** Descriptors such as /dev/fd/3 are links; elsewhere nobody's link is followed. */
function openFile(file: string): number {
  if (!/^\/dev\/(?:stdout|stderr|null|fd\/\d+)$/.test(resolve(file))) {
    const fd = openPrivate(file, "a", "--events");
    if (fstatSync(fd).isFile()) fchmodSync(fd, 0o600);
    return fd;
  }
  try {
    return openSync(file, "a");
  } catch (error) {
    throw new SecretError("USAGE", `--events ${file} cannot be written: ${codeOf(error)}`);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "no detail";
}
