/**
 * A compact Aho-Corasick automaton over bytes (Aho, Corasick 1975): finds all needles at once, in
 * time linear in the input whatever the input is.
 *
 * Layout: the trie is laid out depth first, so the first child of state `s` is `s + 1` and needs no
 * pointer; further children, which are rare, are in one hash table. A state costs 10 bytes, a
 * twentieth of a dense transition table, and most of it stays in the cache.
 */
import { IntTable } from "./int-table.ts";

export interface Automaton {
  /** `label[s]` is the byte that leads to `s`, plus 256 if the parent of `s` is not `s - 1`. */
  readonly label: Uint16Array;
  /** The state of the longest proper suffix that is also in the trie. */
  readonly fail: Int32Array;
  readonly depth: Uint16Array | Int32Array;
  readonly flags: Uint8Array;
  /** Length of the shortest needle below the state; 255 stands for all longer ones. */
  readonly shortest: Uint8Array;
  /** Children of branching states, but for the first child: by `edgeKey(state, byte)`. */
  readonly edges: IntTable;
  /** The longest needle that ends in a state with `endsNeedle`: its index, by state. */
  readonly found: IntTable;
  readonly lengths: Int32Array;
  /** By needle: the longest other one that it ends in, or -1. */
  readonly suffixes: Int32Array;
  /** The class of each byte; 0 for all bytes that no needle holds. */
  readonly classOf: Uint16Array;
  readonly classCount: number;
  /** The state after two bytes, for states of depth 0 and 1: by class of the first and the second. */
  readonly afterPair: Int32Array;
}

/** Flags of a state. */
export const branches = 1;
/** Depth 0 or 1: where most bytes of ordinary text lead. */
export const isShallow = 2;
export const endsNeedle = 4;
/** Depth `maxRestDepth` at most: so little is under way that it may be read again. */
export const isLow = 8;
export const maxRestDepth = 4;

/** Edges are numbered by state and byte in 32 bits. */
const maxStates = 2 ** 23;

/** The most bytes of needles that one automaton takes. */
export const maxNeedleBytes = maxStates - 1;

export function edgeKey(state: number, byte: number): number {
  return (state << 8) | byte;
}

/**
 * Builds the automaton. `found` gives indexes into `needles`.
 *
 * @param needles - Not empty, none empty, in byte order, no two equal, at most `maxNeedleBytes` together.
 */
export function buildAutomaton(needles: readonly Uint8Array[]): Automaton {
  const { parent, ends, ofDepth, ...trie } = buildTrie(needles);
  const automaton = {
    ...trie,
    ...classesOf(trie, parent),
    fail: new Int32Array(parent.length),
    lengths: Int32Array.from(needles, ({ length }) => length),
  };
  linkFailures(automaton, parent, ofDepth);
  const suffixes = ends.map((state) => {
    const suffix = automaton.fail[state] as number;
    const finds = ((automaton.flags[suffix] as number) & endsNeedle) !== 0;
    return finds ? automaton.found.get(suffix) : -1;
  });
  return { ...automaton, suffixes };
}

/** Lays the trie out depth first: each needle shares a prefix with the last. */
function buildTrie(needles: readonly Uint8Array[]) {
  const { shared, count, longest } = measure(needles);
  // One more label than states: the last state looks at the next one's label.
  const label = new Uint16Array(count + 1).fill(0x1ff);
  const parent = new Int32Array(count);
  const depth = longest > 0xffff ? new Int32Array(count) : new Uint16Array(count);
  const shortest = new Uint8Array(count).fill(255);
  const flags = new Uint8Array(count);
  const edges = new IntTable(needles.length);
  const found = new IntTable(needles.length);
  const ends = new Int32Array(needles.length);
  const path = new Int32Array(longest + 1);
  // How many states there are of each depth.
  const ofDepth = new Int32Array(longest + 1);
  ofDepth[0] = 1;
  flags[0] = isShallow | isLow;
  let next = 1;
  for (let index = 0; index < needles.length; index++) {
    const needle = at(needles, index);
    const first = shared[index] as number;
    // Where it leaves the path of the last needle, and its first state of its own.
    const from = path[first] as number;
    const branch = next;
    for (let i = first; i < needle.length; i++) {
      const child = next++;
      parent[child] = child - 1;
      depth[child] = i + 1;
      if (i < maxRestDepth) flags[child] = i === 0 ? isShallow | isLow : isLow;
      label[child] = needle[i] as number;
      path[i + 1] = child;
      ofDepth[i + 1] = (ofDepth[i + 1] as number) + 1;
    }
    if (from !== branch - 1) {
      const byte = needle[first] as number;
      parent[branch] = from;
      label[branch] = 0x100 | byte;
      // The root's children are found by `afterPair`.
      if (from !== 0) {
        flags[from] = (flags[from] as number) | branches;
        edges.set(edgeKey(from, byte), branch);
      }
    }
    const last = path[needle.length] as number;
    flags[last] = (flags[last] as number) | endsNeedle;
    found.set(last, index);
    ends[index] = last;
    const length = Math.min(255, needle.length);
    // Deeper states of a longer path were given their value by a needle at least as long as that.
    for (let i = needle.length; i >= 0; i--) {
      const state = path[i] as number;
      if (length < (shortest[state] as number)) shortest[state] = length;
      else if (length === 255) break;
    }
  }
  return { label, parent, ends, depth, shortest, flags, edges, found, ofDepth };
}

/** How much each needle shares with the last one, the number of states, and the longest needle. */
function measure(needles: readonly Uint8Array[]) {
  const shared = new Int32Array(needles.length);
  let count = 1;
  let longest = 0;
  let previous: Uint8Array = new Uint8Array(0);
  for (let index = 0; index < needles.length; index++) {
    const needle = at(needles, index);
    shared[index] = sharedPrefix(previous, needle);
    count += needle.length - (shared[index] as number);
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

type Trie = Pick<Automaton, "label" | "flags" | "edges">;

/** The classes of the bytes, and the states that any two bytes lead to from the root. */
function classesOf(trie: Trie, parent: Int32Array) {
  const used = new Uint8Array(256);
  const root = new Int32Array(256);
  for (let s = 1; s < parent.length; s++) {
    const byte = (trie.label[s] as number) & 0xff;
    used[byte] = 1;
    if (parent[s] === 0) root[byte] = s;
  }
  const bytes = Array.from(used.keys()).filter((byte) => used[byte] === 1);
  const classOf = new Uint16Array(256);
  for (const [index, byte] of bytes.entries()) classOf[byte] = index + 1;
  const classCount = bytes.length + 1;
  const afterPair = new Int32Array(classCount * classCount);
  for (const second of bytes) {
    const column = classOf[second] as number;
    for (let row = 0; row < classCount; row++)
      afterPair[row * classCount + column] = root[second] as number;
    for (const before of bytes) {
      const state = root[before] as number;
      if (state === 0) continue;
      const child = childOf(trie, state, second);
      if (child !== 0) afterPair[(classOf[before] as number) * classCount + column] = child;
    }
  }
  return { classOf, classCount, afterPair };
}

/** The child of a state other than the root, or 0. */
function childOf({ label, flags, edges }: Trie, state: number, byte: number): number {
  if (label[state + 1] === byte) return state + 1;
  return ((flags[state] as number) & branches) === 0 ? 0 : edges.get(edgeKey(state, byte));
}

type Linked = Omit<Automaton, "shortest" | "lengths" | "suffixes">;

/** Sets the failure links level by level, and lets a state find what its suffix finds. */
function linkFailures(automaton: Linked, parent: Int32Array, ofDepth: Int32Array): void {
  const { label, fail, flags, found } = automaton;
  const order = byDepth(automaton.depth, ofDepth);
  for (let i = 1; i < order.length; i++) {
    const state = order[i] as number;
    const from = parent[state] as number;
    if (from === 0) continue;
    const target = next(automaton, fail[from] as number, (label[state] as number) & 0xff);
    fail[state] = target;
    const finds = ((flags[state] as number) & endsNeedle) !== 0;
    if (finds || ((flags[target] as number) & endsNeedle) === 0) continue;
    flags[state] = (flags[state] as number) | endsNeedle;
    found.set(state, found.get(target));
  }
}

/** All states, the shallowest first: a counting sort. */
function byDepth(depth: Uint16Array | Int32Array, ofDepth: Int32Array): Int32Array {
  const next = new Int32Array(ofDepth.length);
  for (let d = 1; d < next.length; d++) {
    next[d] = (next[d - 1] as number) + (ofDepth[d - 1] as number);
  }
  const order = new Int32Array(depth.length);
  for (let s = 0; s < depth.length; s++) {
    const place = next[depth[s] as number] as number;
    order[place] = s;
    next[depth[s] as number] = place + 1;
  }
  return order;
}

/** The state after one more byte. */
function next(automaton: Linked, state: number, byte: number): number {
  const { fail, flags, label, classOf, classCount, afterPair } = automaton;
  for (let s = state; ; s = fail[s] as number) {
    if (((flags[s] as number) & isShallow) !== 0) {
      const before = s === 0 ? 0 : (classOf[(label[s] as number) & 0xff] as number);
      return afterPair[before * classCount + (classOf[byte] as number)] as number;
    }
    const child = childOf(automaton, s, byte);
    if (child !== 0) return child;
  }
}

/**
 * The same state, or a shorter one that goes on in the same way: at the end of a needle that is part
 * of no longer one, only a suffix of it may still become something.
 */
export function liveState({ label, fail }: Automaton, state: number): number {
  let live = state;
  while (live !== 0 && (label[live + 1] as number) > 0xff) live = fail[live] as number;
  return live;
}

/** Whether one of the needles is this one. */
export function hasNeedle(automaton: Automaton, needle: Uint8Array): boolean {
  const { classOf, afterPair, flags, depth, found, lengths } = automaton;
  let state = afterPair[classOf[needle[0] as number] as number] as number;
  for (let i = 1; i < needle.length && state !== 0; i++)
    state = childOf(automaton, state, needle[i] as number);
  if (
    state === 0 ||
    depth[state] !== needle.length ||
    ((flags[state] as number) & endsNeedle) === 0
  )
    return false;
  return lengths[found.get(state)] === needle.length;
}

function at(needles: readonly Uint8Array[], index: number): Uint8Array {
  return needles[index] as Uint8Array;
}
