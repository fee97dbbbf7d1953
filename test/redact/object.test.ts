import { inspect, types } from "node:util";
import { Secret } from "nopeek";
import { createRedactor, fingerprint } from "nopeek/redact";
import { describe, expect, it } from "vitest";
import { hostileObjects, places } from "../support/hostile-objects.ts";
import { randomToken } from "../support/values.ts";

const value = randomToken("tok_");
const secret = new Secret(value, { name: "T" });
const redactor = createRedactor({ secrets: [secret], unwrap: false });
const mask = "[REDACTED:T]";

const attempt = (say: () => unknown): string => {
  try {
    return String(say());
  } catch {
    return "";
  }
};

/** What an object says in every way in which sinks ask, and asked again. */
function told(object: unknown): string {
  const ways = [
    () => inspect(object, { depth: 100, showHidden: true, getters: true, maxArrayLength: 50 }),
    () => JSON.stringify(object),
    () => `${object as string}`,
    () => [...walk(object)].join("\n"),
    () => inspect(structuredClone(object), { depth: 100 }),
  ];
  return [...ways, ...ways].map(attempt).join("\n");
}

/** Every text below a value, found by hand; so many, as the objects are meant to be endless. */
function* walk(start: unknown): Iterable<string> {
  const seen = new Set<unknown>();
  const stack = [start];
  for (let count = 0; stack.length > 0 && count < 20_000; count++) {
    const value = stack.pop();
    if (seen.has(value)) continue;
    seen.add(value);
    if (value === null || (typeof value !== "object" && typeof value !== "function")) {
      yield typeof value === "symbol" ? String(value.description) : String(value);
      continue;
    }
    if (types.isMap(value)) stack.push(...[...value].flat());
    if (types.isSet(value)) stack.push(...value);
    if (ArrayBuffer.isView(value)) {
      yield Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
      yield String.fromCharCode(...Array.from(value as Uint8Array).slice(0, 99));
    }
    for (const key of Reflect.ownKeys(value).slice(0, 200)) {
      stack.push(key, Reflect.get(value, key));
    }
  }
}

/** Fewer than the default, so that what is endless is looked at quickly. */
const limits = { maxNodes: 3_000 };

describe.each(Object.entries(places))("%s", (_, place) => {
  it.each(Object.entries(hostileObjects))(
    "%s gives nothing away, and does not throw",
    (_, make) => {
      const begun = performance.now();
      const masked = redactor.redactObject(place(make(value)), limits);
      const error = redactor.redactError(place(make(value)), limits);
      expect(performance.now() - begun).toBeLessThan(5_000);
      for (const text of [told(masked), told(error)]) {
        expect(text).not.toContain(value);
        // In pieces, as numbers, or as text of two bytes a character.
        expect(text).not.toContain([...Buffer.from(value)].slice(0, 12).join(","));
        expect(text.replaceAll("\0", "")).not.toContain(value);
      }
      expect(error).toBeInstanceOf(Error);
    },
  );
});

it("there are more than two hundred of them, and the walk finds the value in most", () => {
  const makers = Object.values(hostileObjects);
  expect(makers.length * Object.keys(places).length * 2).toBeGreaterThan(400);
  // Asking the endless ones would not end.
  const asked = Object.entries(hostileObjects).filter(([name]) => !/end|sparse|many/.test(name));
  const found = asked.filter(([, make]) => told(make(value)).includes(value));
  expect(found.length).toBeGreaterThan(makers.length * 0.7);
});

describe("1,000,000 values", () => {
  const many = {
    "in a list": () => Array.from({ length: 1_000_000 }, (_, i) => (i % 2 === 0 ? value : i)),
    "in an object": () => {
      // Node takes seconds to list the keys of larger ones.
      const count = process.env["SLOW"] === "1" ? 1_000_000 : 250_000;
      const wide: Record<string, unknown> = {};
      for (let i = 0; i < count; i++) wide[`k${i}`] = value;
      return wide;
    },
    "in a Set": () => new Set(Array.from({ length: 1_000_000 }, (_, i) => `${value}${i}`)),
    "in a tree": () => {
      const tree = (depth: number): unknown =>
        depth === 0 ? value : Array.from({ length: 10 }, () => tree(depth - 1));
      return tree(6);
    },
  };
  it.each(Object.entries(many))("%s: bounded, and the rest is not shown", (_, make) => {
    const object = make();
    const begun = performance.now();
    const masked = redactor.redactObject(object);
    expect(performance.now() - begun).toBeLessThan(20_000);
    const text = JSON.stringify(masked instanceof Set ? [...masked] : masked);
    expect(text).toContain(mask);
    expect(text).toContain("[TRUNCATED]");
    expect(text).not.toContain(value);
    expect(text.length).toBeLessThan(60_000 * 40);
  });

  it("shows more with a higher limit", () => {
    const masked = redactor.redactObject(many["in a list"](), { maxNodes: 80_000 }) as unknown[];
    expect(masked).toHaveLength(80_000);
    expect(masked[70_001]).toBe(70_001);
  });
});

it("gives clean plain data back as it is", () => {
  for (const clean of [
    { loss: 0.5, deep: [{ text: "a", none: null, big: 10n }], [Symbol("s")]: undefined },
    ["text", 1, true],
    "text",
    7,
    null,
    undefined,
  ]) {
    expect(redactor.redactObject(clean)).toBe(clean);
  }
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  expect(redactor.redactObject(loop)).toBe(loop);
});

it("never changes what it is given", () => {
  const original = {
    value,
    list: [value],
    map: new Map([[value, value]]),
    error: new Error(value),
  };
  const before = inspect(original, { depth: 9 });
  redactor.redactObject(original);
  redactor.redactError(original.error);
  expect(inspect(original, { depth: 9 })).toBe(before);
});

it("keeps kinds, order, cycles and what is clean", () => {
  const loop: Record<string, unknown> = { first: value, when: new Date(5), set: new Set([1]) };
  loop["self"] = loop;
  loop["bytes"] = Buffer.from("clean");
  loop["floats"] = Float32Array.of(0.5, 2);
  loop["pattern"] = /a+/gi;
  const masked = redactor.redactObject(loop) as typeof loop;
  expect(Object.keys(masked)).toEqual(Object.keys(loop));
  expect(masked["self"]).toBe(masked);
  expect(masked).toMatchObject({
    first: mask,
    when: new Date(5),
    set: new Set([1]),
    bytes: Buffer.from("clean"),
    floats: Float32Array.of(0.5, 2),
    pattern: /a+/gi,
  });
});

it("keeps the class of clean bytes whose end could begin a secret", () => {
  const bytes = Buffer.from(`....${value.slice(0, 4)}`);
  const buffer = Uint8Array.from(bytes).buffer;
  const view = redactor.redactObject(new DataView(buffer)) as DataView;
  expect(view).toBeInstanceOf(DataView);
  expect(Buffer.from(view.buffer)).toEqual(bytes);
  for (const type of [Int8Array, Uint8ClampedArray, Int32Array, Float64Array, BigInt64Array]) {
    expect(redactor.redactObject(new type(buffer))).toEqual(new type(buffer));
  }
  expect(redactor.redactObject([...bytes])).toEqual([...bytes]);
  const whole = Uint8Array.from(Buffer.from(`....${value}`)).buffer;
  const masked = redactor.redactObject(new DataView(whole)) as Uint8Array;
  expect(Buffer.from(masked).toString()).toBe(`....${mask}`);
});

it("masks a number in typed arrays, wherever it stands", () => {
  const pin = 9_000_000_000 + Math.floor(Math.random() * 999_999_999);
  using redactor = createRedactor({ secrets: [new Secret(`${pin}`, { name: "PIN" })] });
  const redact = (value: unknown) => redactor.redactObject(value);
  expect(redact(Float64Array.of(1, pin, 2))).toEqual([1, "[REDACTED:PIN]", 2]);
  for (const type of [BigInt64Array, BigUint64Array]) {
    expect(redact({ n: type.of(BigInt(pin)) })).toEqual({ n: ["[REDACTED:PIN]"] });
  }
  const many = new Float64Array(25_000).fill(5_000.5);
  expect(redact(many)).toEqual(many);
  // Neighbours are no one number.
  const parts = Float64Array.of(Math.floor(pin / 100_000), pin % 100_000);
  expect(redact(parts)).toEqual(parts);
  many[24_999] = pin;
  expect((redact(many) as unknown[]).at(-1)).toBe("[REDACTED:PIN]");
  expect(many[24_999]).toBe(pin);
});

it("shows the mask of a secret, and where two keys become one, numbers", () => {
  expect(redactor.redactObject({ secret })).toEqual({ secret: mask });
  const keys = { [value]: 1, [Buffer.from(value).toString("hex")]: 2 };
  expect(redactor.redactObject(keys)).toEqual({ [mask]: 1, [`${mask} (2)`]: 2 });
});

it("shows a mark behind the limits", () => {
  const deep = { a: { b: { c: { d: 1 } } }, x: value };
  expect(redactor.redactObject(deep, { maxDepth: 2 })).toEqual({
    a: { b: { c: "[TRUNCATED]" } },
    x: mask,
  });
  expect(redactor.redactObject([value, 1, 2, 3], { maxNodes: 3 })).toEqual([
    mask,
    1,
    "[TRUNCATED]",
  ]);
});

it("keeps errors errors, of their class where that is safe", () => {
  class HttpError extends TypeError {
    override readonly name = "HttpError";
    status = 500;
  }
  const error = new HttpError(`failed with ${value}`, { cause: new RangeError(value) });
  const masked = redactor.redactError(error) as HttpError & { cause: Error };
  expect(masked).toBeInstanceOf(HttpError);
  expect(types.isNativeError(masked)).toBe(true);
  expect(masked).toMatchObject({ name: "HttpError", status: 500, message: `failed with ${mask}` });
  expect(masked.cause).toBeInstanceOf(RangeError);
  expect(masked.stack).toContain(`failed with ${mask}\n    at `);
  expect(redactor.redactError(value)).toMatchObject({ message: mask });
  expect(redactor.redactError(undefined)).toBeInstanceOf(Error);
});

it("does not throw where the stack is at its end", () => {
  let results = 0;
  const descend = (): void => {
    const masked = redactor.redactObject({ value, deep: { value } });
    expect(JSON.stringify(masked).includes(value)).toBe(false);
    results++;
    descend();
  };
  try {
    descend();
  } catch {
    // The test's own frames have used it up.
  }
  expect(results).toBeGreaterThan(10);
});

it("gives fingerprints that follow the value and the key", () => {
  expect(fingerprint(value)).toBe(secret.fingerprint);
  expect(fingerprint(Buffer.from(value))).toBe(secret.fingerprint);
  const key = Buffer.alloc(32, 1);
  expect(fingerprint(value, key)).toMatch(/^key:[0-9a-f]{32}$/);
  expect(fingerprint(value, key)).toBe(fingerprint(value, Buffer.alloc(32, 1)));
  expect(fingerprint(value, key)).not.toBe(fingerprint(value, Buffer.alloc(32, 2)));
  expect(fingerprint(`${value}.`, key)).not.toBe(fingerprint(value, key));
  expect(() => fingerprint(value, Buffer.alloc(8))).toThrow(RangeError);
});
