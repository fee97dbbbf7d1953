import { copyError } from "./error.ts";
import { kindOfObject } from "./kinds.ts";
import {
  isTellingNumber,
  type Masker,
  type ObjectLimits,
  truncated,
  unreadable,
} from "./masker.ts";
import { isPlainAndClean } from "./plain-check.ts";

const defaults = { maxDepth: 64, maxNodes: 50_000 };

/**
 * A value without secrets. Clean plain data comes back as it is. Anything else is copied to plain
 * data, the value itself is never changed: getters are read once, proxies, classes and functions
 * can no longer answer for themselves. Never throws.
 */
export function redactValue(value: unknown, masker: Masker, limits: ObjectLimits = {}): unknown {
  try {
    if (typeof value === "string") return masker.text(value);
    if (isPlainAndClean(value, masker)) return value;
    return new Copier(masker, limits).copy(value, 0);
  } catch {
    // The stack may have ended just here.
    return unreadable;
  }
}

/** An error that can be logged, of whatever was thrown. Never throws. */
export function redactThrown(thrown: unknown, masker: Masker, limits: ObjectLimits = {}): Error {
  const value = new Copier(masker, limits).copy(thrown, 0);
  if (value instanceof Error) return value;
  return new Error(typeof value === "string" ? value : "a value that is no error was thrown");
}

/** Copies one value with all that hangs on it, masks in place of secrets. */
export class Copier {
  readonly masker: Masker;
  readonly #maxDepth: number;
  readonly #copies = new Map<object, unknown>();
  #nodesLeft: number;

  constructor(masker: Masker, { maxDepth, maxNodes }: ObjectLimits) {
    this.masker = masker;
    this.#maxDepth = maxDepth ?? defaults.maxDepth;
    this.#nodesLeft = maxNodes ?? defaults.maxNodes;
  }

  /** Whether the limit of values is reached: what asks stops there. */
  get isFull(): boolean {
    return this.#nodesLeft <= 0;
  }

  copy(value: unknown, depth: number): unknown {
    if (this.isFull) return truncated;
    this.#nodesLeft--;
    try {
      return this.#copyAny(value, depth);
    } catch {
      return unreadable;
    }
  }

  /** Remembers the copy before its parts are copied, so that a cycle leads back to it. */
  remember<T>(original: object, copy: T): T {
    this.#copies.set(original, copy);
    return copy;
  }

  text(text: string): string {
    return this.masker.text(text);
  }

  key(key: PropertyKey): string | symbol {
    if (typeof key !== "symbol") return this.text(String(key));
    const description = key.description ?? "";
    const masked = this.text(description);
    return masked === description ? key : Symbol(masked);
  }

  #copyAny(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
      case "bigint": {
        if (!isTellingNumber(value)) return value;
        const text = String(value);
        const masked = this.text(text);
        return masked === text ? value : masked;
      }
      case "symbol":
        return this.key(value);
      case "function":
        return this.text(`[Function: ${nameOf(value)}]`);
      case "object":
        return value === null ? null : this.#copyObject(value, depth);
      default:
        return value;
    }
  }

  #copyObject(value: object, depth: number): unknown {
    if (this.#copies.has(value)) return this.#copies.get(value);
    if (depth > this.#maxDepth) return truncated;
    const kind = kindOfObject(value);
    return kind === "error" ? copyError(value, this, depth) : kind.copy(value, this, depth);
  }
}

function nameOf(value: { readonly name?: unknown }): string {
  const name = Reflect.getOwnPropertyDescriptor(value, "name")?.value;
  return typeof name === "string" && name !== "" ? name : "anonymous";
}
