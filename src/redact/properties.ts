import { listOf, looksLikeBytes } from "./bytes-in-values.ts";
import { truncated, unreadable } from "./masker.ts";
import type { Copier } from "./object.ts";

/** Reads a property, by its getter if there is one. */
export function readProperty(value: object, key: PropertyKey): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return unreadable;
  }
}

/** Copies own properties as plain data, but for those of `except`; whether they show is kept. */
export function copyProperties(
  value: object,
  target: object,
  copier: Copier,
  depth: number,
  except: ReadonlySet<PropertyKey> = new Set(),
): void {
  for (const key of Reflect.ownKeys(value)) {
    if (except.has(key)) continue;
    if (copier.isFull) {
      define(target, truncated, truncated, true);
      return;
    }
    const property = Reflect.getOwnPropertyDescriptor(value, key);
    const child = copier.copy(readProperty(value, key), depth + 1);
    define(target, freeKey(target, copier.key(key)), child, property?.enumerable ?? false);
  }
}

/** A plain object of any object's own properties; a mask if they are the bytes of a secret. */
export function copyObject(value: object, copier: Copier, depth: number): unknown {
  const isBare = !Array.isArray(value) && Object.getPrototypeOf(value) === null;
  const copy: object = copier.remember(value, isBare ? Object.create(null) : {});
  copyProperties(value, copy, copier, depth);
  const list = "0" in copy ? listOf(Object.entries(copy)) : null;
  return list === null ? copy : (maskOfBytes(list, copier) ?? copy);
}

/** An array, holes as `undefined`; a mask if its numbers are the bytes of a secret. */
export function copyArray(value: readonly unknown[], copier: Copier, depth: number): unknown {
  const copy: unknown[] = copier.remember(value, []);
  const { length } = value;
  for (let index = 0; index < length; index++) {
    if (copier.isFull) {
      copy.push(truncated);
      break;
    }
    copy.push(copier.copy(readProperty(value, index), depth + 1));
  }
  return maskOfBytes(copy, copier) ?? copy;
}

/** The text of numbers that are bytes, masked; `null` if they hold no secret. */
export function maskOfBytes(list: readonly unknown[], copier: Copier): string | null {
  if (!looksLikeBytes(list)) return null;
  const bytes = Buffer.from(list);
  const masked = copier.masker.bytes(bytes);
  return masked === bytes ? null : Buffer.from(masked).toString();
}

export function define(
  target: object,
  key: PropertyKey,
  value: unknown,
  enumerable: boolean,
): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

/** Two keys may have become the same mask: the second gets a number. */
function freeKey(target: object, key: string | symbol): string | symbol {
  if (typeof key === "symbol" || !Object.hasOwn(target, key)) return key;
  let count = 2;
  while (Object.hasOwn(target, `${key} (${count})`)) count++;
  return `${key} (${count})`;
}
