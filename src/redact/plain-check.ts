import { types } from "node:util";
import { looksLikeBytes } from "./bytes-in-values.ts";
import { isTellingNumber, type Masker } from "./masker.ts";

/** More is left to the copy, which counts exactly. */
const maxNodes = 5_000;
const maxDepth = 32;

/**
 * Whether a value is plain data without a secret, so that it can be used as it is. The texts in it
 * are joined and scanned in one go, which is most of the speed of a clean record.
 *
 * Plain is what gives the same answer each time it is read: no getter, proxy, class or function.
 */
export function isPlainAndClean(value: unknown, masker: Masker): boolean {
  const texts: string[] = [];
  return new Collector(texts).collect(value, 0) && masker.isClean(texts.join("\n"));
}

class Collector {
  readonly #texts: string[];
  readonly #seen = new Set<object>();
  #nodes = 0;

  constructor(texts: string[]) {
    this.#texts = texts;
  }

  /** Collects the texts in a value; false if it is not plain, or too large for a quick look. */
  collect(value: unknown, depth: number): boolean {
    this.#nodes++;
    if (this.#nodes > maxNodes) return false;
    switch (typeof value) {
      case "string":
        this.#texts.push(value);
        return true;
      case "number":
      case "bigint":
        if (isTellingNumber(value)) this.#texts.push(`${value}`);
        return true;
      case "boolean":
      case "undefined":
        return true;
      case "object":
        return value === null || this.#collectObject(value, depth);
      default:
        return false;
    }
  }

  #collectObject(value: object, depth: number): boolean {
    if (this.#seen.has(value)) return true;
    if (depth > maxDepth || types.isProxy(value)) return false;
    this.#seen.add(value);
    const prototype = Object.getPrototypeOf(value);
    const isArray = prototype === Array.prototype && Array.isArray(value);
    if (isArray && value.length > maxNodes) return false;
    if (isArray ? looksLikeBytes(value) : prototype !== Object.prototype && prototype !== null) {
      return false;
    }
    for (const key of Reflect.ownKeys(value)) {
      const property = Reflect.getOwnPropertyDescriptor(value, key);
      if (property === undefined || property.get !== undefined || property.set !== undefined) {
        return false;
      }
      if (!isArray && key === "0") return false;
      if (typeof key === "symbol") this.#texts.push(key.description ?? "");
      else if (!isArray) this.#texts.push(key);
      if (!this.collect(property.value, depth + 1)) return false;
    }
    return true;
  }
}
