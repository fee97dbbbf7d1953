import { closeSync, fchmodSync, fstatSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import type { Incident, MonitorEvent } from "../monitor/index.ts";
import { codeOf, SecretError } from "../secrets/index.ts";
import { exitCodeOf } from "./exit-codes.ts";
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
      /** Masked before it left the container, so many times. */
      readonly where?: "container";
      readonly count?: number;
    }
  | {
      readonly type: "end";
      /** Missing if nothing was started. */
      readonly runId?: string;
      /** As in the result of a launch; `error` if nothing was started. */
      readonly endedBy: string;
      readonly exitCode: number;
      readonly redactions?: object;
      readonly incident?: Incident | undefined;
      readonly code?: string;
    }
  | MonitorEvent;

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
        warn(`--events ${file} ends here: it cannot be written (${systemCodeOf(error)})`);
      }
      closeSync(fd);
      fd = null;
    },
  };
}

/** The last event of a run that failed before anything was started. */
export function failedEvent(error: unknown): RunEvent {
  return {
    type: "end",
    endedBy: "error",
    exitCode: exitCodeOf(error),
    code: codeOf(error, "LAUNCH_FAILED"),
  };
}

/**
 * Tells of a run that failed before all is known that it reads: the last line must not be that of the
 * run before. A file that holds anything but events is left alone.
 */
export function tellFailed(
  file: string | undefined,
  error: unknown,
  warn: (message: string) => void,
): void {
  try {
    if (file !== undefined && mayHoldEvents(file)) {
      createEvents(file, warn).write(failedEvent(error));
    }
  } catch {
    // The first error is the one to tell.
  }
}

function mayHoldEvents(file: string): boolean {
  const info = statSync(file, { throwIfNoEntry: false });
  if (info?.isFile() !== true || info.size === 0) return true;
  const begin = Buffer.alloc(firstField.length);
  const fd = openSync(file, "r");
  try {
    return begin.toString("latin1", 0, readSync(fd, begin)) === firstField;
  } finally {
    closeSync(fd);
  }
}

/** How every event begins. */
const firstField = '{"time":"';

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
    throw new SecretError("USAGE", `--events ${file} cannot be written: ${systemCodeOf(error)}`);
  }
}

function systemCodeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "no detail";
}
