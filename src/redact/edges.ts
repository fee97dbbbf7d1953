import { agrees, type KnownBits, type Needle } from "../detect/index.ts";

/** A character with some of the value's bits, and padding. */
const maxTrailing = 3;
const padding = 0x3d;

/** Where a stream can be read at any offset that is held; undefined elsewhere. */
type ByteAt = (offset: number) => number | undefined;

/** An edge that the end of what was read cuts: `taken` bytes belong to it so far. */
interface CutEdge {
  readonly known: KnownBits;
  readonly taken: number;
}

/**
 * The edges of base64 of a value: characters beside a match that hold some of the value's bits and
 * some of its neighbours', and the padding. They are left out with the match.
 */
export class Edges {
  readonly #byteAt: ByteAt;
  readonly #drop: (start: number, end: number) => void;
  #cut: CutEdge[] = [];

  constructor(byteAt: ByteAt, drop: (start: number, end: number) => void) {
    this.#byteAt = byteAt;
    this.#drop = drop;
  }

  /** What follows the end of what was read is known now: it is at `base`. */
  goOn(base: number): void {
    if (this.#cut.length === 0) return;
    const cut = this.#cut;
    this.#cut = [];
    for (const { known, taken } of cut) this.#dropAfter(base, known, taken);
  }

  /** Nothing follows what was read. */
  end(): void {
    this.#cut = [];
  }

  /** Leaves out the edges of a match. */
  of(start: number, end: number, { before, after }: Needle): void {
    if (before !== undefined) {
      const byte = this.#byteAt(start - 1);
      if (byte !== undefined && agrees(byte, before)) this.#drop(start - 1, start);
    }
    if (after !== undefined) this.#dropAfter(end, after, 0);
  }

  #dropAfter(end: number, known: KnownBits, taken: number): void {
    for (let count = taken; count < maxTrailing; count++) {
      const at = end + count - taken;
      const byte = this.#byteAt(at);
      if (byte === undefined) {
        this.#cut.push({ known, taken: count });
        return;
      }
      const belongs = count === 0 ? agrees(byte, known) : byte === padding;
      if (!belongs) return;
      this.#drop(at, at + 1);
    }
  }
}
