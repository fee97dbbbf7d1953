import type { Redactor } from "../redact/index.ts";

const views = new WeakMap<object, WeakMap<Redactor, object>>();
const texts = ["name", "version", "schemaUrl", "attributes"] as const;

/**
 * A resource or scope with its texts masked, the same one each time, since exporters group records by
 * it; the given one if there is nothing to mask.
 *
 * The view has nothing of the original but the methods of its class: what these keep for themselves
 * is raw, and a property of the original could be read through the view.
 */
export function maskedView(part: object, redactor: Redactor): object {
  const known = views.get(part) ?? new WeakMap<Redactor, object>();
  const seen = known.get(redactor);
  if (seen !== undefined) return seen;
  if (isClean(part, redactor)) return part;
  views.set(part, known);
  const view = viewOf(part, redactor);
  known.set(redactor, view);
  // A view of a view would be another one.
  views.set(view, new WeakMap([[redactor, view]]));
  return view;
}

function isClean(part: object, redactor: Redactor): boolean {
  // Attributes that are still to come are masked when an exporter reads them.
  if (Reflect.get(part, "asyncAttributesPending") === true) return false;
  return texts.every((name) => {
    const value = Reflect.get(part, name);
    return redactor.redactObject(value) === value;
  });
}

function viewOf(part: object, redactor: Redactor): object {
  const view: object = Object.create(Reflect.getPrototypeOf(part));
  for (const name of texts) {
    // The original is the receiver: what its getter remembers, it remembers there.
    const get = () => redactor.redactObject(Reflect.get(part, name));
    Object.defineProperty(view, name, { get, enumerable: true });
  }
  if ("asyncAttributesPending" in part) {
    const get = () => Reflect.get(part, "asyncAttributesPending");
    Object.defineProperty(view, "asyncAttributesPending", { get });
  }
  const methods = {
    getRawAttributes: () => Object.entries(Reflect.get(view, "attributes") as object),
    waitForAsyncAttributes: async () => void (await call(part, "waitForAsyncAttributes", [])),
    merge: (...others: unknown[]) => maskedView(call(part, "merge", others) as object, redactor),
  };
  for (const [name, value] of Object.entries(methods)) {
    if (typeof Reflect.get(part, name) === "function") Object.defineProperty(view, name, { value });
  }
  return view;
}

function call(part: object, name: string, given: readonly unknown[]): unknown {
  return Reflect.apply(Reflect.get(part, name) as () => unknown, part, given);
}
