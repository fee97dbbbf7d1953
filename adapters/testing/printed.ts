import { inspect } from "node:util";

/**
 * Which of the values somebody could read in a thing that is printed, logged or serialized: with
 * all its hidden and computed properties, its stack and the chain of its causes.
 *
 * @example
 * assert.deepEqual(valuesPrintedBy(error, [token]), []);
 */
export function valuesPrintedBy(thing: unknown, values: Iterable<string>): string[] {
  const printed = printsOf(thing);
  return [...values].filter((value) => formsOf(value).some((form) => printed.includes(form)));
}

function printsOf(thing: unknown): string {
  const prints = [String(thing), inspect(thing, { showHidden: true, getters: true, depth: 12 })];
  try {
    prints.push(String(JSON.stringify(thing)));
  } catch {
    // A cycle: inspect has shown it.
  }
  if (thing instanceof Error) {
    prints.push(thing.message, thing.stack ?? "", JSON.stringify({ ...thing }));
    if (thing.cause !== undefined) prints.push(printsOf(thing.cause));
  }
  return prints.join("\n");
}

/** As it is, as a string literal, and as a request body carries it. */
function formsOf(value: string): string[] {
  const quoted = JSON.stringify(value).slice(1, -1);
  const base64 = Buffer.from(value).toString("base64").replace(/=+$/, "");
  return [value, quoted, inspect(value).slice(1, -1), base64, encodeURIComponent(value)];
}
