import { Writable } from "node:stream";

const newline = 0x0a;
/** A longer line is cut: a job that prints no line breaks must not fill the memory. */
const maxLineBytes = 64 * 1024;

/**
 * A stream that puts a prefix before every line and writes whole lines only, so that the output of
 * several jobs stays readable in one place. Of a progress bar (`\r`) the last state of a line is
 * written.
 *
 * @param sink - Is not ended. Waits while it is full.
 */
export function linePrefix(prefix: string, sink: Writable): Writable {
  const mark = Buffer.from(prefix);
  let held: Buffer[] = [];
  let heldBytes = 0;

  const take = (line: Uint8Array) => {
    const whole = Buffer.concat([...held, line]);
    held = [];
    heldBytes = 0;
    return Buffer.concat([mark, lastState(whole), Buffer.from("\n")]);
  };

  function linesOf(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      lines.push(take(chunk.subarray(from, at)));
      from = at + 1;
    }
    const rest = chunk.subarray(from);
    if (rest.length > 0) {
      held.push(Buffer.from(rest));
      heldBytes += rest.length;
    }
    if (heldBytes > maxLineBytes) lines.push(take(Buffer.alloc(0)));
    return lines;
  }

  function write(lines: readonly Buffer[], done: () => void): void {
    if (lines.length === 0) done();
    else sink.write(Buffer.concat(lines), () => done());
  }

  return new Writable({
    write: (chunk: Buffer, _encoding, done) => write(linesOf(chunk), done),
    final: (done) => write(heldBytes > 0 ? [take(Buffer.alloc(0))] : [], done),
  });
}

/** What a terminal would show of a line with carriage returns. */
function lastState(line: Buffer): Buffer {
  const end = line.at(-1) === 0x0d ? line.length - 1 : line.length;
  const start = line.subarray(0, end).lastIndexOf(0x0d);
  return line.subarray(start + 1, end);
}
