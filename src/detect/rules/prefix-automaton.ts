import type { Reading } from "./attempt.ts";
import type { CompiledStep, Shape } from "./compile.ts";

/** How far a shape got before its secret part. */
export interface Place {
  readonly shape: Shape;
  readonly step: number;
  /** Bytes that the step took, or the state of its texts. */
  readonly count: number;
}

/** Told of a shape, and where its secret part begins. */
export type OnSecret = (shape: Shape, at: number) => void;

/**
 * What stands between a keyword and the secret part, read once for all shapes: many begin alike, and
 * nearly all are over within a few bytes. Steps give nothing back, so a shape is at one place at a time,
 * and the places of all of them are a state of a deterministic automaton. A state is made when it is
 * first reached, as in the lazy DFA of RE2 (Cox, "Regular Expression Matching in the Wild", 2010).
 */
export class PrefixAutomaton {
  readonly #shapes: readonly Shape[];
  /** By state: where those shapes are that go on. */
  readonly #places: (readonly Place[])[] = [noPlaces];
  readonly #states = new Map<string, number>();
  /** By state and byte: twice the next state, and 1 more where a secret part begins; 0 if not known yet. */
  #moves = new Uint16Array(0);
  /** By state and byte: the shapes whose secret part begins there. */
  readonly #begun = new Map<number, readonly Shape[]>();

  /** @param shapes - With steps before their secret part, none of which ends behind a text. */
  constructor(shapes: readonly Shape[]) {
    this.#shapes = shapes;
    this.#stateOf([]);
    this.#stateOf(shapes.map((shape) => ({ shape, step: 0, count: 0 })));
  }

  /** How many states there are by now. */
  get size(): number {
    return this.#places.length;
  }

  /**
   * Reads until no shape goes on, or to `limit`; or as far as there is room for states.
   *
   * @returns The shapes that go on, at `reading.position`.
   */
  read(
    bytes: Uint8Array,
    from: number,
    limit: number,
    reading: Pick<Reading, "position">,
    onSecret: OnSecret,
  ): readonly Place[] {
    let state = begin;
    let at = from;
    for (; at < limit && state !== over; at++) {
      const index = (state << 8) | (bytes[at] as number);
      let move = this.#moves[index] as number;
      if (move === 0) {
        move = this.#moveFrom(index);
        if (move === 0) break;
      }
      if ((move & 1) === 1) this.#tell(index, at, onSecret);
      state = move >> 1;
    }
    reading.position = at;
    return this.#places[state] as readonly Place[];
  }

  #tell(index: number, at: number, onSecret: OnSecret): void {
    const shapes = this.#begun.get(index) as readonly Shape[];
    for (let i = 0; i < shapes.length; i++) onSecret(shapes[i] as Shape, at);
  }

  /** Finds out where a byte leads from a state. @returns 0 if there is no room for the next state. */
  #moveFrom(index: number): number {
    const places: Place[] = [];
    const begun: Shape[] = [];
    for (const place of this.#places[index >> 8] as readonly Place[]) {
      const next = placeBehind(place, index & 0xff);
      if (next === null) continue;
      if (next.step === next.shape.stepsBefore) begun.push(next.shape);
      else places.push(next);
    }
    const state = this.#stateOf(places);
    if (state === 0) return 0;
    const move = (state << 1) | (begun.length === 0 ? 0 : 1);
    if (begun.length > 0) this.#begun.set(index, begun);
    this.#moves[index] = move;
    return move;
  }

  /** The state of these places, which may be new; 0 if there is no room for it. */
  #stateOf(places: readonly Place[]): number {
    const key = places
      .map(({ shape, step, count }) => `${this.#shapes.indexOf(shape)}.${step}.${count}`)
      .join(" ");
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const state = this.#places.length;
    if (state === maxStates) return 0;
    this.#places.push(places);
    this.#states.set(key, state);
    if (this.#moves.length <= state << 8) {
      const moves = new Uint16Array(Math.max(4, state * 2) << 8);
      moves.set(this.#moves);
      this.#moves = moves;
    }
    return state;
  }
}

const noPlaces: readonly Place[] = [];
/** State 0 is none. No shape goes on; all of them begin. */
const over = 1;
const begin = 2;
/** The known formats have fewer. Each takes half a kibibyte. */
const maxStates = 512;

/** Where a shape is behind a byte: maybe before that byte, where its secret part begins; null if it is over. */
function placeBehind({ shape, step, count }: Place, byte: number): Place | null {
  const { steps, stepsBefore } = shape;
  for (let index = step, taken = count; index < stepsBefore; index++, taken = 0) {
    const { table, min, max, next, ends } = steps[index] as CompiledStep;
    if (table === null) {
      const following = next[taken]?.[byte] ?? 0;
      if (following !== 0) return { shape, step: index, count: following };
      if (ends[taken] !== true) return null;
    } else {
      if (table[byte] === 1 && taken < max) return { shape, step: index, count: taken + 1 };
      if (taken < min) return null;
    }
  }
  return { shape, step: stepsBefore, count: 0 };
}
