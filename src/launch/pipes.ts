import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** The two ends of a pipe: ours as a stream, the job's as a descriptor. */
export interface Pipe {
  readonly reader: Readable;
  readonly writerFd: number;
}

/**
 * Opens real pipes for the output of a job.
 *
 * What Node calls a pipe to a child is a pair of sockets. A program notices: `/dev/stdout` cannot be
 * opened, and a closed reader is a reset connection instead of SIGPIPE. A FIFO that is unlinked as
 * soon as it is open is a pipe like that of any shell.
 *
 * @returns `null` where FIFOs cannot be made.
 */
export function openPipes(count: number): readonly Pipe[] | null {
  for (const place of [tmpdir(), "/dev/shm"]) {
    const pipes = openPipesIn(place, count);
    if (pipes !== null) return pipes;
  }
  return null;
}

function openPipesIn(place: string, count: number): readonly Pipe[] | null {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(place, "nopeek-pipe-"));
    const paths = Array.from({ length: count }, (_, index) => `${folder}/${index}`);
    const made = spawnSync("mkfifo", ["-m", "600", ...paths], {
      stdio: "ignore",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
      timeout: 2_000,
    });
    return made.status === 0 ? paths.map(openPipe) : null;
  } catch {
    return null;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** The job's end blocks as programs expect; ours does not. */
function openPipe(path: string): Pipe {
  const readerFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writerFd = openSync(path, constants.O_WRONLY);
  return { reader: new Socket({ fd: readerFd, readable: true, writable: false }), writerFd };
}

/** Gives the job's ends away: after the start they are the job's alone. */
export function closeWriters(pipes: readonly Pipe[]): void {
  for (const { writerFd } of pipes) closeSync(writerFd);
}
