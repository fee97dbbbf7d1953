import type { Draw } from "./draw.ts";

/** One credential of a test, and how it may stand in text. */
export interface Token {
  /** The bytes that may not be seen. */
  readonly secret: string;
  /** What a variable that holds it is called. */
  readonly name: string;
  /**
   * `bare`: known by itself. `named`: only next to its name. `whole`: `text` is the place it stands
   * in, such as a file of its own.
   */
  readonly kind: "bare" | "named" | "whole";
  readonly text?: string;
  /** What stands before the secret and is none, such as the host of a web hook. */
  readonly lead?: string;
}

/** A kind of credential, and how to make valid ones. */
export interface TokenClass {
  readonly id: string;
  readonly make: (draw: Draw) => Token;
}

export function bare(
  id: string,
  name: string,
  secret: (draw: Draw) => string,
  lead = "",
): TokenClass {
  return { id, make: (draw) => ({ kind: "bare", name, lead, secret: secret(draw) }) };
}

export function named(
  id: string,
  names: readonly string[],
  secret: (draw: Draw) => string,
): TokenClass {
  return { id, make: (draw) => ({ kind: "named", name: draw.pick(names), secret: secret(draw) }) };
}

export function whole(
  id: string,
  make: (draw: Draw) => { secret: string; text: string },
): TokenClass {
  return { id, make: (draw) => ({ kind: "whole", name: id, ...make(draw) }) };
}
