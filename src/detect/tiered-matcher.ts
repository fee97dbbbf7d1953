import { type Automaton, liveState } from "./automaton.ts";
import type { Needle } from "./forms.ts";
import {
  buildGramFilter,
  extendGramFilter,
  type GramFilter,
  minFilteredBytes,
} from "./gram-filter.ts";
import { nextCandidate } from "./gram-scan.ts";
import type { Matcher, MatchState, OnMatch } from "./matcher.ts";
import { NeedleGrams } from "./needle-grams.ts";
import { type OnEnd, type RunEnd, runAutomaton } from "./run-automaton.ts";
import { inByteOrder, type Tier, withNeedles } from "./tier.ts";
import { maxRestDepth } from "./trie.ts";
import { Words } from "./words.ts";

/** Builds a matcher; the first of several equal needles is the one that is found. */
export function createMatcher(needles: readonly Needle[]): Matcher {
  return new TieredMatcher([], [], null, null).with(needles);
}

/**
 * Needles from `minFilteredBytes` on are behind a filter that skips nearly all text; the automata run
 * only around what it lets through:
 *
 * 1. What was under way at the end of the last chunk goes on until its automaton is at rest.
 * 2. The filter gives the next word that may belong to a needle. The needle began at most `reach`
 *    bytes before: the automata start there, or where they stopped, and run until they are at rest
 *    behind the word. Nothing that began before is under way then, so the filter goes on from there,
 *    and no automaton reads a byte twice, but for the few that it gives back.
 * 3. A needle whose word lies beyond the end of the chunk began in its last bytes: the automata read
 *    those, and their states are what the next chunk starts with.
 *
 * The few shorter needles, which a declaration must ask for, are looked for byte by byte.
 */
class TieredMatcher implements Matcher {
  readonly #tiers: readonly Tier[];
  readonly #short: readonly Tier[];
  readonly #filter: GramFilter | null;
  readonly beside = new Uint8Array(256);
  /** By tier, also the short ones: told of every end of a needle. */
  readonly #onEnds: readonly OnEnd[];
  /** By tier: the first byte that its automaton did not read or need not read. */
  readonly #positions: Int32Array;
  readonly #end: RunEnd = { state: 0, position: 0 };
  readonly #words = new Words();
  #grams: NeedleGrams | null;
  // The scan that is under way; `state` is null for a text that has no past and no future.
  #bytes: Uint8Array = noBytes;
  #length = 0;
  #state: MatchState | null = null;
  #base = 0;
  #onMatch: OnMatch = ignoreMatch;

  constructor(
    tiers: readonly Tier[],
    short: readonly Tier[],
    filter: GramFilter | null,
    grams: NeedleGrams | null,
  ) {
    this.#tiers = tiers;
    this.#short = short;
    this.#filter = filter;
    this.#grams = grams;
    this.#positions = new Int32Array(tiers.length);
    for (const { beside } of [...tiers, ...short]) {
      for (let byte = 0; byte < 256; byte++) if (beside[byte] === 1) this.beside[byte] = 1;
    }
    this.#onEnds = [...tiers, ...short].map(({ needles, automaton: { lengths, suffixes } }) => {
      return (end, index) => {
        const to = this.#base + end;
        this.#onMatch(to - (lengths[index] as number), to, needles[index] as Needle);
        for (let i = suffixes[index] as number; i !== -1; i = suffixes[i] as number) {
          const { [i]: needle } = needles;
          if (needle?.after === undefined) continue;
          this.#onMatch(to - (lengths[i] as number), to, needle);
        }
      };
    });
  }

  with(given: readonly Needle[]): Matcher {
    const needles = inByteOrder(given);
    const long = needles.filter(({ bytes }) => bytes.length >= minFilteredBytes);
    const short = needles.filter(({ bytes }) => bytes.length < minFilteredBytes);
    const tiers = withNeedles(this.#tiers, long);
    const filter = this.#filterFor(tiers, long);
    const grams = this.#grams?.add(long.map(bytesOf)) === true ? this.#grams : null;
    return new TieredMatcher(tiers, withNeedles(this.#short, short), filter, grams);
  }

  #filterFor(tiers: readonly Tier[], added: readonly Needle[]): GramFilter | null {
    if (tiers.length === 0) return null;
    const extended = this.#filter && extendGramFilter(this.#filter, added.map(bytesOf));
    return extended ?? buildGramFilter(tiers.flatMap(({ needles }) => needles.map(bytesOf)));
  }

  /** Made when it is first needed: only the unwrapped view needs it. */
  get grams(): NeedleGrams {
    this.#grams ??= new NeedleGrams(this.#tiers.flatMap(({ needles }) => needles.map(bytesOf)));
    return this.#grams;
  }

  start(): MatchState {
    return new Int32Array(this.#tiers.length + this.#short.length);
  }

  scan(chunk: Uint8Array, state: MatchState, base: number, onMatch: OnMatch): void {
    this.#bytes = chunk;
    this.#length = chunk.length;
    this.#state = state;
    this.#base = base;
    this.#onMatch = onMatch;
    this.#scan();
    this.#forget();
  }

  scanText(bytes: Uint8Array, length: number, onMatch: OnMatch): void {
    this.#bytes = bytes;
    this.#length = length;
    this.#state = null;
    this.#base = 0;
    this.#onMatch = onMatch;
    this.#scan();
    this.#forget();
  }

  holdsNone(words: Int32Array, length: number): boolean {
    if (this.#short.length > 0) return false;
    if (this.#filter === null) return true;
    // What lies behind the text may cost a second look, and whole rounds are quicker than their rest.
    const round = this.#filter.stride * 2;
    const last = Math.min(words.length, Math.ceil(length / 4 / round) * round) - 1;
    return nextCandidate(this.#filter, words, 0, last) === -1;
  }

  /** Keeps no chunk alive, nor who asked. */
  #forget(): void {
    this.#bytes = noBytes;
    this.#onMatch = ignoreMatch;
  }

  #scan(): void {
    for (let t = 0; t < this.#short.length; t++) this.#scanShort(t);
    if (this.#filter === null) return;
    let rest = this.#goOn();
    const { reach, stride } = this.#filter;
    const words = this.#words.of(this.#bytes);
    const shift = this.#bytes.byteOffset;
    const last = (shift + this.#length - 4) >> 2;
    const step = stride >> 2;
    let next = (shift + rest + 3) >> 2;
    while (rest < this.#length) {
      const word = nextCandidate(this.#filter, words, next, last);
      if (word === -1) break;
      rest = this.#look(word * 4 - shift, reach);
      next = Math.max(word + step, (shift + rest + 3) >> 2);
    }
    if (this.#state !== null && rest < this.#length) this.#readTail(this.#state, reach);
  }

  #scanShort(t: number): void {
    const at = this.#tiers.length + t;
    const { automaton } = this.#short[t] as Tier;
    const from = this.#state === null ? 0 : (this.#state[at] as number);
    const { [at]: onEnd = ignoreEnd } = this.#onEnds;
    runAutomaton(automaton, this.#bytes, 0, this.#length, neverRests, from, onEnd, this.#end);
    if (this.#state !== null) this.#state[at] = liveState(automaton, this.#end.state);
  }

  /** Step 1. @returns The first position from which something new may begin. */
  #goOn(): number {
    this.#positions.fill(0);
    if (this.#state === null) return 0;
    for (let t = 0; t < this.#tiers.length; t++) {
      if (this.#state[t] !== 0) this.#run(t, 0, maxRestDepth);
    }
    return this.#atRest();
  }

  /** Step 2: all automata read around a sample. @returns Where the filter goes on. */
  #look(sample: number, reach: number): number {
    for (let t = 0; t < this.#tiers.length; t++) {
      const position = this.#positions[t] as number;
      if (position > sample) continue;
      this.#run(t, Math.max(position, sample - reach), sample + 1 + maxRestDepth);
    }
    return this.#atRest();
  }

  #atRest(): number {
    let rest = this.#length;
    for (let t = 0; t < this.#tiers.length; t++) {
      rest = Math.min(rest, this.#positions[t] as number);
    }
    return rest;
  }

  /** Step 3. */
  #readTail(state: MatchState, reach: number): void {
    for (let t = 0; t < this.#tiers.length; t++) {
      const first = Math.max(this.#positions[t] as number, this.#length - reach - 8);
      const { classOf } = (this.#tiers[t] as Tier).automaton;
      // Nothing goes over a byte that no needle holds.
      let from = this.#length;
      while (from > first && classOf[this.#bytes[from - 1] as number] !== 0) from--;
      // Not at rest, or at the end: it has read everything.
      if (state[t] === 0 && from < this.#length) this.#run(t, from, neverRests);
    }
  }

  #run(t: number, from: number, restAt: number): void {
    const { automaton } = this.#tiers[t] as Tier;
    const state = this.#state === null ? 0 : (this.#state[t] as number);
    const { [t]: onEnd = ignoreEnd } = this.#onEnds;
    runAutomaton(automaton, this.#bytes, from, this.#length, restAt, state, onEnd, this.#end);
    this.#positions[t] = this.#end.position;
    if (this.#state !== null) this.#state[t] = liveState(automaton, this.#end.state);
  }

  pending(state: MatchState): number {
    let most = 0;
    for (let t = 0; t < state.length; t++) {
      if (state[t] === 0) continue;
      most = Math.max(most, this.#automatonAt(t).depth[state[t] as number] as number);
    }
    return most;
  }

  showable(state: MatchState, most: number): number {
    let hidden = 0;
    for (let t = 0; t < state.length; t++) {
      hidden = Math.max(hidden, hiddenOf(this.#automatonAt(t), state[t] as number, most));
    }
    return this.pending(state) - hidden;
  }

  #automatonAt(t: number): Automaton {
    return ((this.#tiers[t] ?? this.#short[t - this.#tiers.length]) as Tier).automaton;
  }
}

const noBytes = new Uint8Array(0);
const ignoreMatch: OnMatch = () => undefined;
/** For `restAt`: read to the end. */
const neverRests = 0x7fffffff;
const ignoreEnd: OnEnd = () => undefined;

function bytesOf({ bytes }: Needle): Uint8Array {
  return bytes;
}

/** Each suffix of the pending bytes that is in the trie may become a match: none may show too much. */
function hiddenOf({ fail, depth, shortest }: Automaton, from: number, most: number): number {
  let hidden = 0;
  for (let state = from; state !== 0; state = fail[state] as number) {
    const quarter = Math.floor((shortest[state] as number) / 4);
    hidden = Math.max(hidden, (depth[state] as number) - Math.min(most, quarter));
  }
  return hidden;
}
