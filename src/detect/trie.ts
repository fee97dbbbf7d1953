/**
 * The trie of an automaton, laid out depth first: each needle shares a prefix with the last, and the rest
 * of it becomes a row of states, each the parent of the next, which is written at once.
 */
import { IntTable } from "./int-table.ts";

/** Flags of a state. */
export const branches = 1;
/** Depth 0 or 1: where most bytes of ordinary text lead. */
export const isShallow = 2;
export const endsNeedle = 4;
/** Depth `maxRestDepth` at most: so little is under way that it may be read again. */
export const isLow = 8;
export const maxRestDepth = 4;

export function edgeKey(state: number, byte: number): number {
  return (state << 8) | byte;
}

export class Trie {
  /** `label[s]` is the byte that leads to `s`, plus 256 if the parent of `s` is not `s - 1`. */
  readonly label: Uint16Array;
  readonly depth: Uint16Array | Int32Array;
  /** Length of the shortest needle below the state; 255 stands for all longer ones. */
  readonly shortest: Uint8Array;
  readonly flags: Uint8Array;
  /** Children of branching states, but for the first child and those of the root. */
  readonly edges: IntTable;
  /** The parents of states that are not the first child. */
  readonly parents: IntTable;
  /** By state: the needle that ends there. */
  readonly found: IntTable;
  /** By needle: the state where it ends. */
  readonly ends: Int32Array;
  /** The children of the root. */
  readonly root = new Int32Array(256);
  /** The states that two bytes lead to, as `first << 8 | second`. */
  readonly pairs = new Map<number, number>();
  /** All depths: a row of states has some that follow each other. */
  readonly #depths: Int32Array;
  /** How many states more there are of a depth than of the one above. */
  readonly #more: Int32Array;
  readonly #path = new Path();
  #next = 1;

  /** @param needles - In byte order, no two equal. */
  constructor(needles: readonly Uint8Array[]) {
    const { shared, count, longest } = measure(needles);
    // One more label than states: the last state looks at the next one's label.
    this.label = new Uint16Array(count + 1);
    this.label[0] = 0x1ff;
    this.label[count] = 0x1ff;
    this.depth = longest > 0xffff ? new Int32Array(count) : new Uint16Array(count);
    this.shortest = new Uint8Array(count);
    this.shortest[0] = 255;
    this.flags = new Uint8Array(count);
    this.flags[0] = isShallow | isLow;
    this.edges = new IntTable(needles.length);
    this.parents = new IntTable(needles.length);
    this.found = new IntTable(needles.length);
    this.ends = new Int32Array(needles.length);
    this.#depths = Int32Array.from({ length: longest + 1 }, (_, depth) => depth);
    this.#more = new Int32Array(longest + 2);
    for (const [index, needle] of needles.entries()) {
      this.#add(index, needle, shared[index] as number);
    }
  }

  /** @param first - So many bytes it shares with the needle before. */
  #add(index: number, needle: Uint8Array, first: number): void {
    const { label, flags } = this;
    const from = this.#path.cut(first);
    const row = this.#next;
    const end = row + needle.length - first;
    this.#path.add(first + 1, row);
    label.set(first === 0 ? needle : needle.subarray(first), row);
    this.depth.set(this.#depths.subarray(first + 1, needle.length + 1), row);
    add(this.#more, first + 1, 1);
    add(this.#more, needle.length + 1, -1);
    for (let i = first; i < maxRestDepth && i < needle.length; i++) {
      flags[row + i - first] = i === 0 ? isShallow | isLow : isLow;
    }
    if (first === 0) this.root[needle[0] as number] = row;
    if (first <= 1 && needle.length > 1) {
      this.pairs.set(((needle[0] as number) << 8) | (needle[1] as number), row + 1 - first);
    }
    if (from !== row - 1) this.#branch(from, needle[first] as number, row);
    flags[end - 1] = (flags[end - 1] as number) | endsNeedle;
    this.found.set(end - 1, index);
    this.ends[index] = end - 1;
    this.#shorten(first, Math.min(255, needle.length), row, end);
    this.#next = end;
  }

  #branch(from: number, byte: number, child: number): void {
    this.label[child] = 0x100 | byte;
    this.parents.set(child, from);
    // The root's children are found by `afterPair`.
    if (from === 0) return;
    this.flags[from] = (this.flags[from] as number) | branches;
    this.edges.set(edgeKey(from, byte), child);
  }

  /** A state has at most what those below it have: where a length is no news, it is none further up. */
  #shorten(first: number, length: number, row: number, end: number): void {
    this.shortest.fill(length, row, end);
    for (let depth = first; depth >= 0; depth--) {
      const state = this.#path.at(depth);
      if (length >= (this.shortest[state] as number)) return;
      this.shortest[state] = length;
    }
  }

  /** All states, the shallowest first: a counting sort. */
  inLevels(): Int32Array {
    const begins = new Int32Array(this.#more.length);
    let ofDepth = 0;
    for (let depth = 1; depth < begins.length; depth++) {
      begins[depth] = (begins[depth - 1] as number) + (depth === 1 ? 1 : ofDepth);
      ofDepth += this.#more[depth] as number;
    }
    return sortByDepth(this.depth, begins);
  }
}

function sortByDepth(depth: Uint16Array | Int32Array, next: Int32Array): Int32Array {
  const order = new Int32Array(depth.length);
  for (let state = 0; state < depth.length; state++) {
    const place = next[depth[state] as number] as number;
    order[place] = state;
    next[depth[state] as number] = place + 1;
  }
  return order;
}

function add(numbers: Int32Array, index: number, more: number): void {
  numbers[index] = (numbers[index] as number) + more;
}

/** The states that a needle leads to, as rows of states that follow each other. */
class Path {
  /** By row: the depth of its first state, and that state. */
  readonly #depths: number[] = [0];
  readonly #states: number[] = [0];

  /** The next row begins at a depth, behind the end of the one before. */
  add(depth: number, state: number): void {
    this.#depths.push(depth);
    this.#states.push(state);
  }

  /** Leaves the path at a depth. @returns The state there. */
  cut(depth: number): number {
    while ((this.#depths.at(-1) as number) > depth) {
      this.#depths.pop();
      this.#states.pop();
    }
    return this.at(depth);
  }

  /** The state at a depth. */
  at(depth: number): number {
    let row = this.#depths.length - 1;
    while ((this.#depths[row] as number) > depth) row--;
    return (this.#states[row] as number) + depth - (this.#depths[row] as number);
  }
}

/** How much each needle shares with the last one, the number of states, and the longest needle. */
function measure(needles: readonly Uint8Array[]) {
  const shared = new Int32Array(needles.length);
  let count = 1;
  let longest = 0;
  let previous: Uint8Array = Buffer.alloc(0);
  for (let index = 0; index < needles.length; index++) {
    const needle = needles[index] as Uint8Array;
    const prefix = sharedPrefix(previous, needle);
    shared[index] = prefix;
    count += needle.length - prefix;
    longest = Math.max(longest, needle.length);
    previous = needle;
  }
  return { shared, count, longest };
}

function sharedPrefix(a: Uint8Array, b: Uint8Array): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a[i] === b[i]) i++;
  return i;
}
