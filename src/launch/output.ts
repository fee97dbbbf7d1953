import { type Readable, type Transform, Writable } from "node:stream";

/** Where a stream of the job goes. */
export interface Sinks {
  /** The launcher's own stream; when its reader goes away, the job's stream is closed. */
  readonly main: Writable;
  /** Also gets every byte, such as a transcript; if it fails, the job goes on without it. */
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
  /** Whether the last line that was written has no end yet. */
  readonly isMidLine: boolean;
  /** Waits no longer; `isLost`: a sink did not take what it was given. */
  giveUp(isLost: boolean): void;
}

const newline = 0x0a;

/** Moves a job's output through a redactor to its sinks, no faster than the slowest takes it. */
export function pump(source: Readable, redactor: Transform, { main, copy }: Sinks): Pump {
  let busy = false;
  let lastMoved = performance.now();
  let isMidLine = false;
  let hasCopy = copy !== undefined;
  let giveUp: (isLost: boolean) => void = () => undefined;
  const done = new Promise<NodeJS.ErrnoException | null>((settle) => {
    const parts = [main, source, redactor];
    const finish = (error: NodeJS.ErrnoException | null) => {
      // The event of an error comes after its callback; what follows from an error is no news.
      const ignore = () => undefined;
      for (const part of error === null ? [source, redactor] : parts) part.on("error", ignore);
      for (const part of parts) part.off("error", finish);
      for (const part of [source, redactor]) part.destroy();
      busy = false;
      // A reader that went away, such as `head`, has what it wanted.
      settle(error?.code === "EPIPE" || error?.code === "ERR_STREAM_DESTROYED" ? null : error);
    };
    giveUp = (isLost) => {
      finish(isLost ? Object.assign(new Error("nobody reads"), { code: "ETIMEDOUT" }) : null);
    };
    for (const part of parts) part.on("error", finish);
    const writer = new Writable({
      write(chunk: Buffer, _encoding, next) {
        let waiting = hasCopy ? 2 : 1;
        const taken = () => {
          waiting--;
          if (waiting > 0) return;
          busy = false;
          lastMoved = performance.now();
          next();
        };
        busy = true;
        isMidLine = chunk.at(-1) !== newline;
        main.write(chunk, (error) => (error ? finish(error) : taken()));
        if (hasCopy) {
          copy?.write(chunk, (error) => {
            if (error) hasCopy = false;
            taken();
          });
        }
      },
    });
    writer.on("finish", () => finish(null));
    source.pipe(redactor).pipe(writer);
  });
  return {
    done,
    giveUp: (isLost) => giveUp(isLost),
    get busy() {
      return busy;
    },
    get lastMoved() {
      return lastMoved;
    },
    get isMidLine() {
      return isMidLine;
    },
  };
}
