import { types } from "node:util";
import { Secret } from "../secrets/index.ts";
import { circular, isTellingNumber, type Masker, truncated } from "./masker.ts";
import type { Copier } from "./object.ts";
import { copyArray, copyObject, maskOfBytes, readProperty } from "./properties.ts";

interface Kind {
  readonly is: (value: object) => boolean;
  readonly copy: (value: object, copier: Copier, depth: number) => unknown;
}

const as = <T>(value: object): T => value as unknown as T;
const tagOf = (value: object) => {
  const tag = readProperty(value, Symbol.toStringTag);
  return typeof tag === "string" ? tag : "Object";
};

/** What no copy can be made of; some show their content when they are inspected. */
const isOpaque = (value: object) =>
  types.isPromise(value) ||
  types.isWeakMap(value) ||
  types.isWeakSet(value) ||
  types.isGeneratorObject(value) ||
  types.isMapIterator(value) ||
  types.isSetIterator(value) ||
  types.isExternal(value) ||
  value instanceof WeakRef;

/**
 * Kinds of objects, the first that fits counts. Each is told by what it is inside, not by what it
 * says of itself, and read by the methods of its built-in class, not by its own.
 */
const kinds: readonly Kind[] = [
  {
    is: types.isProxy,
    copy: (value, copier, depth) =>
      Array.isArray(value) ? copyArray(value, copier, depth) : copyObject(value, copier, depth),
  },
  { is: (value) => value instanceof Secret, copy: (value) => String(value) },
  {
    is: types.isBoxedPrimitive,
    copy: (value, copier, depth) => copier.copy(unbox(value), depth),
  },
  { is: types.isDate, copy: (value) => new Date(Date.prototype.getTime.call(value)) },
  { is: types.isRegExp, copy: copyRegExp },
  { is: types.isMap, copy: (value, copier, depth) => copyMap(as(value), copier, depth) },
  { is: types.isSet, copy: (value, copier, depth) => copySet(as(value), copier, depth) },
  {
    is: ArrayBuffer.isView,
    copy: (value, copier, depth) => copyView(as(value), copier, depth),
  },
  {
    is: types.isAnyArrayBuffer,
    copy: (value, copier) => copier.masker.bytes(Uint8Array.from(new Uint8Array(as(value)))),
  },
  { is: (value) => value instanceof URL, copy: (value, copier) => copier.text(hrefOf(value)) },
  {
    is: (value) => value instanceof URLSearchParams,
    copy: (value, copier) => copier.text(URLSearchParams.prototype.toString.call(value)),
  },
  { is: isOpaque, copy: (value, copier) => copier.text(`[${tagOf(value)}]`) },
  {
    // Asked for its tag first: the class is loaded when it is first named.
    is: (value) => tagOf(value) === "Headers" && value instanceof Headers,
    copy: (value, copier, depth) =>
      copier.copy(Object.fromEntries(Headers.prototype.entries.call(value)), depth + 1),
  },
  {
    is: (value) => typeof readProperty(value, "toJSON") === "function",
    copy: copyJson,
  },
  { is: Array.isArray, copy: (value, copier, depth) => copyArray(as(value), copier, depth) },
];

const plain: Kind = { is: () => true, copy: copyObject };

/** How an object is copied; errors have a file of their own. */
export function kindOfObject(value: object): Kind | "error" {
  if (!types.isProxy(value) && (types.isNativeError(value) || value instanceof Error)) {
    return "error";
  }
  return kinds.find(({ is }) => is(value)) ?? plain;
}

function unbox(value: object): unknown {
  for (const type of [String, Number, Boolean, BigInt, Symbol]) {
    try {
      return Reflect.apply(type.prototype.valueOf, value, []);
    } catch {
      // Another one.
    }
  }
  return undefined;
}

/** What the object says itself; if that is itself, or an error, its properties. */
function copyJson(value: object, copier: Copier, depth: number): unknown {
  copier.remember(value, circular);
  const toJson = readProperty(value, "toJSON") as (key: string) => unknown;
  const said = Reflect.apply(toJson, value, [""]);
  if (said === value) {
    return Array.isArray(value)
      ? copyArray(value, copier, depth)
      : copyObject(value, copier, depth);
  }
  return copier.remember(value, copier.copy(said, depth + 1));
}

function copyRegExp(value: object, copier: Copier): unknown {
  const read = (name: "source" | "flags") =>
    String(Reflect.get(RegExp.prototype, name, value)) as string;
  const [source, flags] = [read("source"), read("flags")];
  const masked = copier.text(source);
  return masked === source ? new RegExp(source, flags) : `/${masked}/${flags}`;
}

function hrefOf(value: object): string {
  return String(Reflect.get(URL.prototype, "href", value));
}

function copyMap(value: Map<unknown, unknown>, copier: Copier, depth: number): unknown {
  const copy = copier.remember(value, new Map<unknown, unknown>());
  for (const [key, child] of Map.prototype.entries.call(value)) {
    if (copier.isFull) {
      copy.set(truncated, truncated);
      break;
    }
    copy.set(copier.copy(key, depth + 1), copier.copy(child, depth + 1));
  }
  return copy;
}

function copySet(value: Set<unknown>, copier: Copier, depth: number): unknown {
  const copy = copier.remember(value, new Set<unknown>());
  for (const child of Set.prototype.values.call(value)) {
    copy.add(copier.copy(child, depth + 1));
    if (copier.isFull) {
      copy.add(truncated);
      break;
    }
  }
  return copy;
}

/**
 * A copy of the bytes. In other typed arrays each number could be a character of a secret, or a
 * secret: what holds one becomes an array.
 */
function copyView(value: ArrayBufferView, copier: Copier, depth: number): unknown {
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const masked = copier.masker.bytes(bytes);
  if (Buffer.isBuffer(value)) return Buffer.from(masked);
  if (masked !== bytes || types.isUint8Array(value)) return Uint8Array.from(masked);
  const buffer = Uint8Array.from(bytes).buffer;
  const tag = Reflect.get(Object.getPrototypeOf(Int8Array.prototype), Symbol.toStringTag, value);
  const type = typedArrays[tag as keyof typeof typedArrays];
  if (type === undefined) return new DataView(buffer);
  const copy = new type(buffer);
  const numbers = Array.from<number | bigint>(copy);
  const mask = maskOfBytes(numbers, copier);
  if (mask !== null) return mask;
  return areCleanNumbers(numbers, copier.masker) ? copy : copyArray(numbers, copier, depth);
}

/** So many are looked at in one go: one text of all could be longer than a string may be. */
const numbersAtOnce = 10_000;

function areCleanNumbers(numbers: readonly (number | bigint)[], masker: Masker): boolean {
  const telling = numbers.filter(isTellingNumber);
  for (let from = 0; from < telling.length; from += numbersAtOnce) {
    // No blank alone: secrets are also found across line breaks.
    if (!masker.isClean(telling.slice(from, from + numbersAtOnce).join(", "))) return false;
  }
  return true;
}

const typedArrays = {
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};
