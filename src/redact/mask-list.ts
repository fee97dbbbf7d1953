import type { Needle } from "../detect/index.ts";

/** A part of the stream that is replaced by one mask: the union of overlapping matches. */
export interface Masked {
  readonly start: number;
  readonly end: number;
  /** The longest of the matches; it gives the mask its name. */
  readonly needle: Needle;
}

/** Matches that are found but not yet written, in order, overlapping ones merged. */
export class MaskList {
  #masked: Masked[] = [];

  get first(): Masked | undefined {
    return this.#masked[0];
  }

  add(start: number, end: number, needle: Needle): void {
    let added: Masked = { start, end, needle };
    const after: Masked[] = [];
    for (let last = this.#masked.at(-1); last !== undefined; last = this.#masked.at(-1)) {
      if (last.end <= added.start) break;
      this.#masked.pop();
      if (last.start >= added.end) after.push(last);
      else added = union(last, added);
    }
    this.#masked.push(added, ...after.reverse());
  }

  shift(): Masked | undefined {
    return this.#masked.shift();
  }
}

function union(a: Masked, b: Masked): Masked {
  return {
    start: Math.min(a.start, b.start),
    end: Math.max(a.end, b.end),
    needle: outranks(a.needle, b.needle) ? a.needle : b.needle,
  };
}

/** The longer needle; of equally long ones always the same, in whatever order they are found. */
function outranks(a: Needle, b: Needle): boolean {
  if (a.bytes.length !== b.bytes.length) return a.bytes.length > b.bytes.length;
  return Buffer.compare(a.bytes, b.bytes) <= 0;
}
