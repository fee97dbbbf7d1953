import { type Readable, type Transform, Writable } from "node:stream";

/** Where a stream of the job goes. */
export interface Sinks {
  /** The launcher's own stream; when its reader goes away, the job's stream is closed. */
  readonly main: Writable;
  /** Also gets every byte, such as a transcript. */
  readonly copy?: Writable | undefined;
}

/** Output on its way. */
export interface Pump {
  /** Settles when all is written, or nobody reads it any more: `null`, or what went wrong. */
  readonly done: Promise<NodeJS.ErrnoException | null>;
  /** Whether a sink still has to take what it was given. */
  readonly busy: boolean;
  /** When a sink last took something, in milliseconds of `performance.now()`. */
  readonly lastMoved: number;
  /** Waits for the sinks no longer. */
  giveUp(): void;
}

/** Moves a job's output through a redactor to its sinks, no faster than the slowest takes it. */
export function pump(source: Readable, redactor: Transform, { main, copy }: Sinks): Pump {
  let busy = false;
  let giveUp: () => void = () => undefined;
  let lastMoved = performance.now();
  const done = new Promise<NodeJS.ErrnoException | null>((settle) => {
    const parts = [main, copy, source, redactor];
    const finish = (error: NodeJS.ErrnoException | null) => {
      // The event of an error comes after its callback; what follows from an error is no news.
      const ignore = () => undefined;
      for (const part of error === null ? [source, redactor] : parts) part?.on("error", ignore);
      for (const part of parts) part?.off("error", finish);
      for (const part of [source, redactor]) part.destroy();
      busy = false;
      // A reader that went away, such as `head`, has what it wanted.
      settle(error?.code === "EPIPE" || error?.code === "ERR_STREAM_DESTROYED" ? null : error);
    };
    giveUp = () => finish(Object.assign(new Error("nobody reads"), { code: "ETIMEDOUT" }));
    for (const part of parts) part?.on("error", finish);
    const writer = new Writable({
      write(chunk: Buffer, _encoding, next) {
        let waiting = copy === undefined ? 1 : 2;
        const written = (error?: Error | null) => {
          if (error) {
            finish(error);
            return;
          }
          waiting--;
          if (waiting > 0) return;
          busy = false;
          lastMoved = performance.now();
          next();
        };
        busy = true;
        main.write(chunk, written);
        copy?.write(chunk, written);
      },
    });
    writer.on("finish", () => finish(null));
    source.pipe(redactor).pipe(writer);
  });
  return {
    done,
    giveUp: () => giveUp(),
    get busy() {
      return busy;
    },
    get lastMoved() {
      return lastMoved;
    },
  };
}
