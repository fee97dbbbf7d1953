import type { Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Node itself lets 32 MiB of chunks that are written already pile up. */
const collectedBytes = 4 * 1024 * 1024;

/**
 * Frees the memory of what was relayed after every 4 MiB: a collection of the young generation, which
 * holds little else, takes a fraction of a millisecond. It costs no time on the whole, as the next
 * chunks get memory that is still in the processor's cache.
 */
export function freeRelayed(streams: readonly Writable[]): void {
  let relayed = 0;
  let collect: ((options: { type: "minor" }) => void) | undefined;
  for (const stream of streams) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = (chunk: unknown, ...rest: unknown[]) => {
      relayed += (chunk as { readonly length?: number }).length ?? 0;
      if (relayed >= collectedBytes) {
        relayed = 0;
        collect ??= collector();
        collect({ type: "minor" });
      }
      return write(chunk, ...rest);
    };
  }
}

function collector(): (options: { type: "minor" }) => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as (options: { type: "minor" }) => void;
}
