/**
 * A compact Aho-Corasick automaton over bytes (Aho, Corasick 1975): finds all needles at once, in
 * time linear in the input whatever the input is.
 *
 * Layout: the trie is laid out depth first, so the first child of state `s` is `s + 1` and needs no
 * pointer; further children, which are rare, are in one hash table. A state costs 10 bytes, a
 * twentieth of a dense transition table, and most of it stays in the cache.
 */
import type { IntTable } from "./int-table.ts";
import { branches, edgeKey, endsNeedle, isShallow, Trie } from "./trie.ts";

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

/** Edges are numbered by state and byte in 32 bits. */
const maxStates = 2 ** 23;

/** The most bytes of needles that one automaton takes. */
export const maxNeedleBytes = maxStates - 1;

/**
 * Builds the automaton. `found` gives indexes into `needles`.
 *
 * @param needles - Not empty, none empty, in byte order, no two equal, at most `maxNeedleBytes` together.
 */
export function buildAutomaton(needles: readonly Uint8Array[]): Automaton {
  const trie = new Trie(needles);
  const { label, depth, shortest, flags, edges, found } = trie;
  const { classOf, classCount, afterPair } = classesOf(trie);
  // Literals with the same properties, so that all automata are one kind of object.
  const fail = new Int32Array(flags.length);
  const linked = { label, fail, depth, flags, edges, found, classOf, classCount, afterPair };
  linkFailures(linked, trie.parents, trie.inLevels());
  const suffixes = trie.ends.map((state) => {
    const suffix = fail[state] as number;
    const finds = ((flags[suffix] as number) & endsNeedle) !== 0;
    return finds ? found.get(suffix) : -1;
  });
  const lengths = Int32Array.from(needles, ({ length }) => length);
  return {
    label,
    fail,
    depth,
    flags,
    shortest,
    edges,
    found,
    lengths,
    suffixes,
    classOf,
    classCount,
    afterPair,
  };
}

/** The classes of the bytes, and the states that any two bytes lead to from the root. */
function classesOf({ label, root, pairs }: Trie) {
  const used = usedBytes(label);
  const classOf = new Uint16Array(256);
  let classCount = 1;
  for (let byte = 0; byte < 256; byte++) if (used[byte] === 1) classOf[byte] = classCount++;
  // Without a state of both bytes, the second one alone counts.
  const alone = new Int32Array(classCount);
  for (let byte = 0; byte < 256; byte++)
    if (used[byte] === 1) alone[classOf[byte] as number] = root[byte] as number;
  const afterPair = new Int32Array(classCount * classCount);
  for (let row = 0; row < classCount; row++) afterPair.set(alone, row * classCount);
  for (const [pair, state] of pairs) {
    const row = classOf[pair >> 8] as number;
    afterPair[row * classCount + (classOf[pair & 0xff] as number)] = state;
  }
  return { classOf, classCount, afterPair };
}

/** 1 for each byte of a label; the first and the last one are none. */
function usedBytes(label: Uint16Array): Uint8Array {
  const used = new Uint8Array(256);
  for (let s = 1; s < label.length - 1; s++) used[(label[s] as number) & 0xff] = 1;
  return used;
}

/** The child of a state other than the root, or 0. */
function childOf(
  label: Uint16Array,
  flags: Uint8Array,
  edges: IntTable,
  state: number,
  byte: number,
): number {
  if (label[state + 1] === byte) return state + 1;
  return ((flags[state] as number) & branches) === 0 ? 0 : edges.get(edgeKey(state, byte));
}

type Linked = Omit<Automaton, "shortest" | "lengths" | "suffixes">;

/**
 * Sets the failure links level by level, and lets a state find what its suffix finds.
 *
 * @param parents - Of the states whose parent is not the one before.
 * @param order - All states, the shallowest first.
 */
function linkFailures(automaton: Linked, parents: IntTable, order: Int32Array): void {
  for (let i = 1; i < order.length; i++) link(automaton, parents, order[i] as number);
}

function link(automaton: Linked, parents: IntTable, state: number): void {
  const { label, fail, flags, found } = automaton;
  const byte = label[state] as number;
  const from = byte > 0xff ? parents.get(state) : state - 1;
  if (from === 0) return;
  const target = next(automaton, fail[from] as number, byte & 0xff);
  fail[state] = target;
  const finds = ((flags[state] as number) & endsNeedle) !== 0;
  if (finds || ((flags[target] as number) & endsNeedle) === 0) return;
  flags[state] = (flags[state] as number) | endsNeedle;
  found.set(state, found.get(target));
}

/** The state after one more byte. */
function next(automaton: Linked, state: number, byte: number): number {
  const { fail, flags, label, edges, classOf, classCount, afterPair } = automaton;
  for (let s = state; ; s = fail[s] as number) {
    if (((flags[s] as number) & isShallow) !== 0) {
      const before = s === 0 ? 0 : (classOf[(label[s] as number) & 0xff] as number);
      return afterPair[before * classCount + (classOf[byte] as number)] as number;
    }
    const child = childOf(label, flags, edges, s, byte);
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
  const { classOf, afterPair, label, flags, edges, depth, found, lengths } = automaton;
  let state = afterPair[classOf[needle[0] as number] as number] as number;
  for (let i = 1; i < needle.length && state !== 0; i++)
    state = childOf(label, flags, edges, state, needle[i] as number);
  if (
    state === 0 ||
    depth[state] !== needle.length ||
    ((flags[state] as number) & endsNeedle) === 0
  )
    return false;
  return lengths[found.get(state)] === needle.length;
}
