/** Objects that answer differently each time, throw, hide or never end; each holds the value. */

const inspectSymbol = Symbol.for("nodejs.util.inspect.custom");

class Private {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  get shown(): string {
    return this.#value;
  }
  toString(): string {
    return this.#value;
  }
  toJSON(): object {
    return { value: this.#value };
  }
  [inspectSymbol](): string {
    return this.#value;
  }
}

class Inherited {
  readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
  get upper(): string {
    return this.value;
  }
}

class SpeakingError extends Error {
  readonly #value: string;
  constructor(value: string) {
    super("failed");
    this.#value = value;
  }
  toJSON(): unknown {
    return { token: this.#value };
  }
  override toString(): string {
    return this.#value;
  }
  [inspectSymbol](): string {
    return this.#value;
  }
}

/** Clean at its first answers, then the value. */
function later(value: string, clean: number): () => string {
  let count = 0;
  return () => (count++ < clean ? "clean" : value);
}

function nested(value: string, depth: number): object {
  let inner: object = { value };
  for (let i = 0; i < depth; i++) inner = i % 2 === 0 ? [inner] : { inner };
  return inner;
}

/** A function that gives a new object of its kind with the value in it. */
type Hostile = (value: string) => unknown;

export const hostileObjects: Record<string, Hostile> = {
  "a getter": (value) => ({
    get token() {
      return value;
    },
  }),
  "a getter that throws beside a value": (value) => ({
    get token(): never {
      throw new Error(value);
    },
    value,
  }),
  "a getter that is clean at first": (value) =>
    Object.defineProperty({}, "token", { get: later(value, 1), enumerable: true }),
  "a getter that is clean twice": (value) =>
    Object.defineProperty({}, "token", { get: later(value, 2), enumerable: true }),
  "a getter of getters": (value) => {
    const make = (): object => ({
      value,
      get deeper() {
        return make();
      },
    });
    return make();
  },
  "a hidden property": (value) => Object.defineProperty({}, "token", { value }),
  "a symbol key": (value) => ({ [Symbol("token")]: value }),
  "a symbol with the value": (value) => ({ [Symbol(value)]: Symbol(value) }),
  "a registered symbol": (value) => ({ [Symbol.for(value)]: 1 }),
  "the value as key": (value) => ({ [value]: 1, [`${value}2`]: 2, [`${value}3`]: 3 }),
  "__proto__ as own key": (value) => JSON.parse(`{"__proto__":{"value":${JSON.stringify(value)}}}`),
  "no prototype": (value) => Object.assign(Object.create(null), { value }),
  "a prototype with the value": (value) => Object.create({ value }),
  "a proxy": (value) => new Proxy({ value }, {}),
  "a proxy of an array": (value) => new Proxy([value], {}),
  "a proxy that is clean at first": (value) => {
    const say = later(value, 1);
    return new Proxy({ token: "" }, { get: () => say() });
  },
  "a proxy that throws": (value) =>
    new Proxy(
      { value },
      {
        ownKeys: () => {
          throw new Error(value);
        },
      },
    ),
  "a proxy that throws at everything": (value) => {
    const fail = () => {
      throw new Error(value);
    };
    const traps = ["get", "has", "ownKeys", "getOwnPropertyDescriptor", "getPrototypeOf"];
    return new Proxy({ value }, Object.fromEntries(traps.map((trap) => [trap, fail])));
  },
  "a revoked proxy beside the value": (value) => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return { proxy, value };
  },
  "a proxy with many keys": (value) =>
    new Proxy(
      {},
      {
        ownKeys: () => Array.from({ length: 10_000 }, (_, i) => `k${i}`),
        getOwnPropertyDescriptor: () => ({ value, enumerable: true, configurable: true }),
        get: () => value,
      },
    ),
  "an array without end": (value) =>
    new Proxy([], { get: (_, key) => (key === "length" ? Number.MAX_SAFE_INTEGER : value) }),
  "a sparse array": (value) => {
    const list: string[] = [];
    list[4_000_000_000] = value;
    return list;
  },
  "an array with a property": (value) => Object.assign([1], { token: value }),
  "a cycle": (value) => {
    const loop: Record<string, unknown> = { value };
    loop["self"] = loop;
    loop["list"] = [loop, { loop }];
    return loop;
  },
  "cycles through Map and Set": (value) => {
    const map = new Map<unknown, unknown>([[value, 1]]);
    map.set(map, new Set([map, value]));
    return map;
  },
  "a Map": (value) => new Map([[value, { value }]]),
  "a Map with a lying iterator": (value) =>
    Object.assign(new Map([["a", value]]), { [Symbol.iterator]: () => [][Symbol.iterator]() }),
  "a Set": (value) => new Set([value, [value]]),
  "a Map iterator": (value) => new Map([[value, value]]).entries(),
  "a promise": (value) => Promise.resolve(value),
  "a generator": (value) =>
    (function* () {
      yield value;
    })(),
  "a Buffer": (value) => Buffer.from(`x${value}`),
  "a Uint8Array with a property": (value) =>
    Object.assign(Uint8Array.from(Buffer.from(value)), { token: value }),
  "a Uint16Array of characters": (value) => Uint16Array.from(Buffer.from(value)),
  "a Float64Array of characters": (value) => Float64Array.from(Buffer.from(value)),
  "a DataView": (value) => new DataView(Uint8Array.from(Buffer.from(value)).buffer),
  "an ArrayBuffer": (value) => Uint8Array.from(Buffer.from(value)).buffer,
  "a list of bytes": (value) => [...Buffer.from(value)],
  "an object of bytes": (value) => ({ ...Buffer.from(value) }),
  "JSON of a Buffer": (value) => Buffer.from(value).toJSON(),
  "a boxed text": (value) => new String(value),
  "a boxed text with a property": (value) => Object.assign(new String("x"), { token: value }),
  "a boxed symbol": (value) => Object(Symbol(value)),
  "a date with a property": (value) => Object.assign(new Date(0), { token: value }),
  "a date that lies": (value) => Object.assign(new Date(0), { toJSON: () => value }),
  "a regular expression": (value) => new RegExp(value),
  "a regular expression that lies": (value) =>
    Object.defineProperty(/x/, "source", { value, enumerable: true }),
  "a URL": (value) => new URL(`https://user:${value}@example.org/${value}?t=${value}#${value}`),
  "search parameters": (value) => new URLSearchParams({ token: value }),
  headers: (value) => new Headers({ authorization: `Bearer ${value}` }),
  "false headers without end": (value) => ({
    [Symbol.toStringTag]: "Headers",
    *[Symbol.iterator]() {
      for (;;) yield [value, value];
    },
  }),
  "a tag that throws": (value) => ({
    value,
    get [Symbol.toStringTag](): never {
      throw new Error(value);
    },
  }),
  toJSON: (value) => ({ toJSON: () => ({ value }) }),
  "toJSON that throws": (value) => ({
    value,
    toJSON: () => {
      throw new Error(value);
    },
  }),
  "toJSON that gives itself": (value) => {
    const self = { value, toJSON: () => self };
    return self;
  },
  "toJSON that goes on": (value) => {
    const make = (): object => ({ toJSON: () => ({ value, a: make(), b: make() }) });
    return make();
  },
  "toJSON that is clean at first": (value) => {
    const say = later(value, 1);
    return { toJSON: () => say() };
  },
  "a class with private state": (value) => new Private(value),
  "a class with a getter": (value) => new Inherited(value),
  "a class with a field": (value) =>
    new (class {
      token = value;
    })(),
  "a class itself": (value) =>
    class {
      static token = value;
      own = 1;
    },
  "a function with the value as name": (value) => Object.defineProperty(() => 0, "name", { value }),
  "a function with a property": (value) => Object.assign(() => value, { token: value }),
  "an object that prints itself": (value) => ({ [inspectSymbol]: () => value }),
  "an object that becomes text": (value) => ({
    toString: () => value,
    [Symbol.toPrimitive]: () => value,
  }),
  "an error": (value) => new Error(value, { cause: value }),
  "an error with properties": (value) =>
    Object.assign(new Error("x"), { config: { headers: { Authorization: value } } }),
  "an error with causes": (value) => {
    let error = new Error(value);
    for (let i = 0; i < 200; i++) error = new Error(`${i}`, { cause: error });
    return error;
  },
  "an error that causes itself": (value) => {
    const error: Error = new Error(value);
    error.cause = error;
    return error;
  },
  "several errors": (value) => new AggregateError([new Error(value), value], value),
  "an error that prints itself": (value) => new SpeakingError(value),
  "an error whose message throws": (value) =>
    Object.defineProperty(new Error("x", { cause: value }), "message", {
      get: () => {
        throw new Error(value);
      },
    }),
  "an error with a name": (value) => Object.assign(new Error("x"), { name: value }),
  "an error with a lying stack": (value) => Object.assign(new Error("x"), { stack: { value } }),
  "an error of the platform": (value) => new DOMException(value, value),
  "an object that looks like an error": (value) =>
    Object.assign(Object.create(Error.prototype), { message: value, stack: value }),
  "a number": (value) => Number(BigInt(`0x${Buffer.from(value).toString("hex").slice(0, 8)}`)),
  "deep nesting": (value) => nested(value, 5_000),
  "deeper than the stack": (value) => nested(value, 200_000),
  "a frozen object": (value) => Object.freeze({ value, deep: Object.freeze([value]) }),
  "a WeakRef": (value) => new WeakRef({ value }),
  arguments: (value) =>
    (function (..._: unknown[]) {
      // biome-ignore lint/complexity/noArguments: this is what is tried
      return arguments;
    })(value, { value }),
  "a module": () => import.meta,
};

/** Each kind of object, and it inside of others. */
export const places: Record<string, (inner: unknown) => unknown> = {
  alone: (inner) => inner,
  "in an object": (inner) => ({ a: { inner } }),
  "in a list": (inner) => [0, [inner]],
  "in a Map": (inner) => new Map([["key", inner]]),
};
