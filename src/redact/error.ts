import type { Copier } from "./object.ts";
import { copyProperties, define, readProperty } from "./properties.ts";

/** What an error has beside its own properties, often inherited, and never enumerable. */
const parts = ["name", "message", "stack", "cause", "errors"] as const;
/** Ways of a class to print itself, past the masked properties. */
const speaking = [
  "toJSON",
  "toString",
  Symbol.toPrimitive,
  Symbol.for("nodejs.util.inspect.custom"),
] as const;
const builtIn: readonly (new () => Error)[] = [
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
];

/**
 * A real error with masked message, stack, causes and own properties, such as `config.headers` of
 * HTTP clients. It stays an instance of its class unless that prints itself or computes properties.
 */
export function copyError(error: object, copier: Copier, depth: number): Error {
  const copy = copier.remember(error, bareError());
  Object.setPrototypeOf(copy, prototypeFor(error));
  const own = new Set<PropertyKey>(Reflect.ownKeys(error));
  for (const part of parts) {
    if (!own.has(part) && !(part in error)) continue;
    const value = copier.copy(readProperty(error, part), depth + 1);
    // A name that the class gives is no property of the error.
    if (own.has(part) || value !== readProperty(copy, part)) define(copy, part, value, false);
  }
  copyProperties(error, copy, copier, depth, new Set(parts));
  return copy;
}

/** An error without a stack of its own. */
function bareError(): Error {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
    const error = new Error();
    define(error, "stack", "", false);
    return error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function prototypeFor(error: object): object {
  const fallback = builtIn.find((type) => error instanceof type) ?? Error;
  for (
    let prototype = Object.getPrototypeOf(error);
    prototype !== Error.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if (prototype === null) return fallback.prototype;
    for (const key of Reflect.ownKeys(prototype)) {
      if ((speaking as readonly PropertyKey[]).includes(key)) return fallback.prototype;
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(prototype, key) ?? {};
      if (get !== undefined || set !== undefined) return fallback.prototype;
      // Data of a class could be a secret too; its methods stay.
      if (typeof value !== "function" && key !== "name" && key !== "message") {
        return fallback.prototype;
      }
    }
  }
  return Object.getPrototypeOf(error);
}
